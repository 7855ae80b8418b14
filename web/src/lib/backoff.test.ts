import { expect, it } from 'vitest';
import { Backoff, defaultBackoff } from './backoff';

const options = { ...defaultBackoff, baseMs: 500, capMs: 4000 };

it('doubles the ceiling up to the cap', () => {
  const backoff = new Backoff(options, () => 1);
  expect([1, 2, 3, 4, 5, 6].map(() => backoff.failed(0))).toEqual([500, 1000, 2000, 4000, 4000, 4000]);
  expect(backoff.attempt).toBe(6);
});

it('is uniform below the ceiling', () => {
  expect(new Backoff(options, () => 0).failed(0)).toBe(0);
  expect(new Backoff(options, () => 0.25).failed(0)).toBe(125);
});

it('forgets only after a stable connection', () => {
  const backoff = new Backoff(options, () => 1);
  backoff.failed(0);
  expect(backoff.failed(options.stableMs - 1)).toBe(1000);
  expect(backoff.failed(options.stableMs)).toBe(500);
});

it('never comes before the server wishes', () => {
  expect(new Backoff(options, () => 0).failed(0, 7000)).toBe(7000);
});
