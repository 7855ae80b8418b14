import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { channelInPath, publish, PublishError } from './publish';

const receipt = { channel: 'news', epoch: 'aaaaaaaa', offset: 1, time: 5, level: 'accepted' };
const refusal = (status: number, code: string) =>
  new Response(JSON.stringify({ code, message: 'because' }), { status });

let answers: (() => Response)[];
let asked: { url: string; init: RequestInit }[];

beforeEach(() => {
  vi.useFakeTimers();
  asked = [];
  // Node 18 has none of its own.
  vi.stubGlobal('crypto', { getRandomValues: (bytes: Uint8Array) => bytes.map(() => Math.random() * 256) });
  vi.stubGlobal('fetch', async (url: string, init: RequestInit) => {
    asked.push({ url, init });
    return answers[Math.min(asked.length, answers.length) - 1]();
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const post = (body: string, kind: 'json' | 'text' = 'text', token?: string) =>
  publish({ origin: 'http://x', channel: 'news', kind, body, token });

it('keeps slashes in the path and escapes the rest', () => {
  expect(channelInPath("a/b c/新?'")).toBe('a/b%20c/%E6%96%B0%3F%27');
});

it('posts the payload with its type and answers with the receipt', async () => {
  answers = [() => new Response(JSON.stringify(receipt))];
  expect(await post('{}', 'json', 't')).toEqual(receipt);
  expect(asked[0].url).toBe('http://x/pub/news');
  expect(asked[0].init).toMatchObject({
    method: 'POST',
    body: '{}',
    headers: { 'Content-Type': 'application/json', Authorization: 'Bearer t' },
  });
});

it('retries with the same key after a lost answer or a busy server', async () => {
  const lost = () => {
    throw new TypeError('network');
  };
  answers = [lost, () => refusal(503, 'E_BUSY'), () => new Response(JSON.stringify(receipt))];
  const published = post('x');
  await vi.runAllTimersAsync();
  expect(await published).toEqual(receipt);
  const keys = asked.map(({ init }) => (init.headers as { [name: string]: string })['Idempotency-Key']);
  expect(keys).toHaveLength(3);
  expect(new Set(keys).size).toBe(1);
  expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
});

it('does not retry what is refused', async () => {
  answers = [() => refusal(403, 'E_FORBIDDEN')];
  await expect(post('x')).rejects.toMatchObject({ code: 'E_FORBIDDEN', message: 'because' });
  expect(asked).toHaveLength(1);
});

it('gives up in the end', async () => {
  answers = [() => new Response('', { status: 502 })];
  const published = post('x').catch((error: unknown) => error);
  await vi.runAllTimersAsync();
  expect(await published).toBeInstanceOf(PublishError);
  expect(asked).toHaveLength(4);
});
