import { expect, it } from 'vitest';
import { kRowsMax, Timeline, type Row, type Spoken } from './timeline';

const spoken = (offset: number): Spoken => ({ offset, data: offset, client: undefined });
/** From `from` down to `to`, as history answers in reverse. */
const down = (from: number, to: number) => Array.from({ length: from - to + 1 }, (_, i) => spoken(from - i));
const seen = (rows: Row[]) => rows.map((row) => (row.type === 'message' ? row.message.offset : row.type));

it('grows at both ends, each message once', () => {
  const timeline = new Timeline();
  timeline.prepend(down(10, 8), 3);
  expect(timeline.append(spoken(10), 'live')).toBe(false);
  expect(timeline.append(spoken(11), 'live')).toBe(true);
  timeline.prepend(down(8, 6), 3);
  expect(seen(timeline.rows)).toEqual([6, 7, 8, 9, 10, 11]);
  expect(timeline.oldest).toBe(6);
  expect(timeline.newest).toBe(11);
  expect(timeline.complete).toBe(false);
  expect(new Set(timeline.rows.map(({ id }) => id)).size).toBe(6);
});

it('knows when nothing older can be had', () => {
  const short = new Timeline();
  short.prepend(down(5, 4), 3);
  expect(short.complete).toBe(true);
  const begun = new Timeline();
  begun.prepend(down(3, 1), 3);
  expect(begun.complete).toBe(true);
  const empty = new Timeline();
  empty.prepend([], 3);
  expect(empty.complete).toBe(true);
});

it('keeps what has no position', () => {
  const timeline = new Timeline();
  expect(timeline.append(spoken(0), 'live')).toBe(true);
  expect(timeline.append(spoken(0), 'live')).toBe(true);
  expect(seen(timeline.rows)).toEqual([0, 0]);
});

it('counts what a comeback did not bring', () => {
  const timeline = new Timeline();
  timeline.epoch = 'a';
  timeline.append(spoken(4), 'live');
  expect(timeline.resume(down(20, 18), 'a', 20)).toBe(13);
  expect(seen(timeline.rows)).toEqual([4, 'gap', 18, 19, 20]);
  expect(timeline.append(spoken(20), 'live')).toBe(false);
});

it('counts all of them when the log is empty', () => {
  const timeline = new Timeline();
  timeline.epoch = 'a';
  timeline.append(spoken(4), 'live');
  expect(timeline.resume([], 'a', 9)).toBe(5);
  expect(timeline.append(spoken(10), 'live')).toBe(true);
});

it('says nothing of a gap where the page reaches back to the last message', () => {
  const timeline = new Timeline();
  timeline.epoch = 'a';
  timeline.append(spoken(4), 'live');
  expect(timeline.resume(down(6, 3), 'a', 6)).toBe(0);
  expect(seen(timeline.rows)).toEqual([4, 5, 6]);
});

it('does not count over a new beginning, and asks for nothing older', () => {
  const timeline = new Timeline();
  timeline.epoch = 'a';
  timeline.append(spoken(40), 'live');
  expect(timeline.resume(down(2, 1), 'b', 2)).toBeUndefined();
  expect(seen(timeline.rows)).toEqual([40, 'gap', 1, 2]);
  expect(timeline.complete).toBe(true);
  expect(timeline.append(spoken(3), 'live')).toBe(true);
});

it('is bounded, and can load again what it let go', () => {
  const timeline = new Timeline();
  for (let offset = 1; offset <= kRowsMax + 1; offset++) timeline.append(spoken(offset), 'live');
  expect(timeline.rows.length).toBeLessThanOrEqual(kRowsMax);
  expect(timeline.oldest).toBe(kRowsMax / 4 + 1);
  timeline.prepend(down(timeline.oldest - 1, timeline.oldest - 10), 10);
  expect(timeline.oldest).toBe(kRowsMax / 4 - 9);
});
