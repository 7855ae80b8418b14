import { expect, it } from 'vitest';
import type { Kind, Message } from './lib/wirebird';
import { fullText, preview } from './payload';

const message = (kind: Kind, data: unknown): Message => ({
  type: 'message',
  channel: 'news',
  offset: 1,
  epoch: 'aaaaaaaa',
  time: 0,
  kind,
  data,
});
const bytes = (n: number) => `${n} bytes`;

it('previews in one short line', () => {
  expect(preview(message('text', 'a\n\n  b'), bytes)).toBe('a b');
  expect(preview(message('json', { a: [1] }), bytes)).toBe('{"a":[1]}');
  expect(preview(message('binary', Uint8Array.of(0, 255)), bytes)).toBe('2 bytes  00 ff');
  expect(preview(message('text', 'x'.repeat(100_000)), bytes).length).toBeLessThan(1000);
});

it('shows everything, and says where it stops', () => {
  expect(fullText(message('json', { a: 1 }))).toBe('{\n  "a": 1\n}');
  expect(fullText(message('binary', Uint8Array.of(1, 2)))).toBe('01 02');
  expect(fullText(message('text', 'x'.repeat(200_000))).endsWith(' …')).toBe(true);
  expect(fullText(message('binary', new Uint8Array(200_000))).endsWith(' …')).toBe(true);
});
