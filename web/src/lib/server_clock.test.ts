import { expect, it } from 'vitest';
import { ServerClock } from './server_clock';

it('takes clocks that may agree to agree', () => {
  const clock = new ServerClock();
  clock.arrived(1000, 1004);
  clock.answered(1000, 1003);
  expect(clock.toLocal(1000)).toBe(1000);
});

it('notices a server that is ahead from a message that comes before it was sent', () => {
  const clock = new ServerClock();
  clock.arrived(61_000, 1000);
  expect(clock.toLocal(61_000)).toBe(1000);
});

it('notices a server that is behind from an answer older than its question', () => {
  const clock = new ServerClock();
  clock.answered(61_000, 1000);
  expect(clock.toLocal(1000)).toBe(60_999);
});

it('narrows the difference from both sides', () => {
  const clock = new ServerClock();
  clock.arrived(61_000, 1004);
  clock.answered(1000, 61_003);
  expect(Math.abs(clock.toLocal(61_000) - 1000)).toBeLessThanOrEqual(4);
});

it('believes the newest when a clock was set', () => {
  const clock = new ServerClock();
  clock.answered(1000, 1001);
  clock.arrived(3_600_000, 2000);
  expect(clock.toLocal(3_600_000)).toBe(2000);
});
