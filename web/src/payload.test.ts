import { describe, expect, it } from 'vitest';
import type { Kind, Message } from './lib/wirebird';
import { fields, fullText, preview } from './payload';

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

describe('fields', () => {
  const json = (data: unknown) => message('json', data);

  it('says a JSON object field by field, on one line', () => {
    expect(fields(json({ symbol: 'ARDN', price: 182.4, score: [1, 0], note: 'a\nb', none: null, empty: '' }))).toEqual([
      { key: 'symbol', text: 'ARDN' },
      { key: 'price', text: '182.4' },
      { key: 'score', text: '[1,0]' },
      { key: 'note', text: 'a b' },
      { key: 'none', text: 'null' },
      { key: 'empty', text: '""' },
    ]);
  });

  it('leaves everything else as it is', () => {
    for (const data of [null, 1, 'text', [1], {}]) expect(fields(json(data))).toBeUndefined();
    expect(fields(message('text', '{}'))).toBeUndefined();
  });

  it('is bounded', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`k${i}`, 'x'.repeat(10_000)]));
    const known = fields(json(many))!;
    expect(known.length).toBeLessThan(20);
    expect(known.every(({ text }) => text.length < 200)).toBe(true);
  });
});
