import { expect, it } from 'vitest';
import { kWindowS, Meter, quantile } from './meter';

const kNow = 1_000_000_000_000; // a whole second

it('shows the last full minute, and not the second that runs', () => {
  const meter = new Meter();
  meter.add(kNow - 1500, 'live', 3);
  meter.add(kNow - 1000, 'live', 5);
  meter.add(kNow - 1000, 'replay', undefined);
  meter.add(kNow, 'live', 100);
  const series = meter.series(kNow);
  expect(series.at).toHaveLength(kWindowS + 1);
  expect(series.at.at(-1)).toBe(kNow / 1000 - 1);
  expect(series.live.slice(-3)).toEqual([0, 1, 1]);
  expect(series.replay.slice(-3)).toEqual([0, 0, 1]);
  expect(series.median.slice(-3)).toEqual([null, 3, 5]);
});

it('forgets what has left the window', () => {
  const meter = new Meter();
  for (let s = 0; s < 500; s++) meter.add(kNow + s * 1000, 'live', 1);
  expect(meter.series(kNow + 500_000).live).toEqual(Array(kWindowS + 1).fill(1));
  expect(meter.series(kNow + 600_000).live).toEqual(Array(kWindowS + 1).fill(0));
});

it('keeps a fair sample of many latencies', () => {
  const meter = new Meter();
  for (let i = 0; i < 20_000; i++) meter.add(kNow, 'live', i % 1000);
  const median = meter.series(kNow + 1000).median.at(-1)!;
  expect(median).toBeGreaterThan(350);
  expect(median).toBeLessThan(650);
});

it('takes quantiles of sorted numbers', () => {
  expect(quantile([], 0.5)).toBeNull();
  expect(quantile([7], 0.99)).toBe(7);
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(3);
  expect(quantile([1, 2, 3, 4], 1)).toBe(4);
});
