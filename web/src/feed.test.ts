import { expect, it } from 'vitest';
import { Feed } from './feed';

it('counts from the newest and keeps the last thousand', () => {
  const feed = new Feed();
  for (let at = 1; at <= 5000; at++) feed.add({ type: 'lost', at });
  expect(feed.total).toBe(5000);
  expect(feed.length).toBe(1000);
  expect(feed.at(0).at).toBe(5000);
  expect(feed.at(999).at).toBe(4001);
});

it('holds a snapshot still', () => {
  const feed = new Feed();
  feed.add({ type: 'lost', at: 1 });
  const held = feed.snapshot();
  for (let at = 2; at <= 3000; at++) feed.add({ type: 'lost', at });
  expect(held.map(({ at }) => at)).toEqual([1]);
  feed.clear();
  expect(feed.length).toBe(0);
  expect(feed.total).toBe(3000);
});
