import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hasNewer, openDoor, type Connection, type Door, type Ending, type Target } from './doors';
import type { WireRecord } from './wire';

class FakeSocket {
  static last: FakeSocket;
  binaryType = '';
  closed = false;
  sent: unknown[] = [];
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.last = this;
  }
  send(payload: unknown) {
    this.sent.push(payload);
  }
  close() {
    this.closed = true;
  }
}

// One request, answered by hand.
interface Asked {
  url: string;
  init: RequestInit;
  answer(response: Response): void;
  fail(): void;
}

let asked: Asked[];

beforeEach(() => {
  asked = [];
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal(
    'fetch',
    (url: string, init: RequestInit) =>
      new Promise((resolve, reject) => {
        asked.push({ url, init, answer: resolve, fail: () => reject(new TypeError('network')) });
        init.signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')));
      }),
  );
});

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

const kTarget: Target = { origin: 'https://x', channels: ['a/b &c'], since: '-5', token: '', explain: true };

function openWith(door: Door, target: Partial<Target> = {}) {
  const told: { opened: number; records: WireRecord[]; ending: Ending | undefined } = {
    opened: 0,
    records: [],
    ending: undefined,
  };
  const connection: Connection = openDoor(
    door,
    { ...kTarget, ...target },
    {
      opened: () => (told.opened += 1),
      records: (records) => told.records.push(...records),
      alive: () => {},
      ended: (ending) => (told.ending = ending),
    },
  );
  return { connection, told };
}

const json = (value: unknown, status = 200) => new Response(JSON.stringify(value), { status });
const message = { channel: 'a/b &c', offset: 7, epoch: 'aaaaaaaa', time: 5, text: 'hi' };
const record = { type: 'message', channel: 'a/b &c', offset: 7, epoch: 'aaaaaaaa', time: 5, kind: 'text', data: 'hi' };
const position = { type: 'position', channel: 'a/b &c', epoch: 'aaaaaaaa', offset: 6 };

describe('websocket', () => {
  it('asks for the envelope, opens, receives and sends', () => {
    const { connection, told } = openWith('websocket');
    const socket = FakeSocket.last;
    expect(socket.url).toBe('wss://x/ws?channel=a%2Fb+%26c&since=-5&meta=1');
    expect(socket.protocols).toEqual([]);
    socket.onopen!();
    socket.onmessage!({ data: '{"channel":"a/b &c","position":"aaaaaaaa:6"}' });
    socket.onmessage!({ data: JSON.stringify(message) });
    socket.onmessage!({ data: 'nonsense' });
    expect(told).toEqual({ opened: 1, records: [position, record], ending: undefined });
    connection.send!('hello');
    expect(socket.sent).toEqual(['hello']);
  });

  it('carries a token as subprotocol, and another for the answer', () => {
    openWith('websocket', { token: 't.o.k' });
    expect(FakeSocket.last.protocols).toEqual(['wirebird.bearer.t.o.k', 'wirebird']);
  });

  it('names several channels', () => {
    openWith('websocket', { channels: ['a', 'b'], since: '' });
    expect(FakeSocket.last.url).toBe('wss://x/ws?channel=a&channel=b&meta=1');
  });

  it('reads the code and reason of a close', () => {
    const { told } = openWith('websocket');
    FakeSocket.last.onopen!();
    FakeSocket.last.onclose!({ code: 4410, reason: 'E_GAP Messages were missed.' });
    expect(told.ending).toEqual({ code: 4410, refusal: { code: 'E_GAP', message: 'Messages were missed.' } });
  });

  it('reads when a server that restarts wants its clients back', () => {
    const { told } = openWith('websocket');
    FakeSocket.last.onopen!();
    FakeSocket.last.onclose!({ code: 1012, reason: 'E_DRAINING {"retry_min_ms":100,"retry_max_ms":10000}' });
    expect(told.ending).toEqual({
      code: 1012,
      refusal: { code: 'E_DRAINING', message: '' },
      comeBack: { minMs: 100, maxMs: 10_000 },
    });
  });

  it('asks by HTTP why a handshake was refused', async () => {
    const { told } = openWith('websocket');
    FakeSocket.last.onclose!({ code: 1006, reason: '' });
    expect(asked[0].url).toBe('https://x/poll?channel=a%2Fb+%26c&since=-5&timeout=1&limit=1');
    asked[0].answer(json({ code: 'E_BUSY', message: 'busy', retry_after: 3 }, 503));
    await vi.waitFor(() => expect(told.ending).toBeDefined());
    expect(told.ending).toEqual({ code: 503, refusal: { code: 'E_BUSY', message: 'busy' }, retryAfterMs: 3000 });
  });

  it('asks nothing unless it is told to', () => {
    const { told } = openWith('websocket', { explain: false });
    FakeSocket.last.onclose!({ code: 1006, reason: '' });
    expect(told.ending).toEqual({});
    expect(asked).toEqual([]);
  });

  it('learns nothing from a server that is away, or that would have let another door in', async () => {
    for (const reply of [() => asked[0].fail(), () => asked[0].answer(json({ messages: [], cursor: '' }))]) {
      asked = [];
      const { told } = openWith('websocket');
      FakeSocket.last.onclose!({ code: 1006, reason: '' });
      reply();
      await vi.waitFor(() => expect(told.ending).toEqual({}));
    }
  });

  it('gives up a handshake that nobody answers', () => {
    vi.useFakeTimers();
    const { told } = openWith('websocket');
    vi.advanceTimersByTime(10_000);
    expect(FakeSocket.last).toMatchObject({ closed: true, onclose: null });
    expect(told.ending).toEqual({});
  });

  it('is silent once closed', () => {
    const { connection } = openWith('websocket');
    connection.close();
    expect(FakeSocket.last).toMatchObject({ closed: true, onopen: null, onmessage: null, onclose: null });
  });
});

describe('raw', () => {
  it('delivers payloads as they are', () => {
    const { told } = openWith('raw', { since: '' });
    expect(FakeSocket.last.url).toBe('wss://x/ws?channel=a%2Fb+%26c&meta=0');
    FakeSocket.last.onmessage!({ data: '{"gap":{}}' });
    FakeSocket.last.onmessage!({ data: Uint8Array.of(1, 2).buffer });
    expect(told.records).toMatchObject([
      { kind: 'text', data: '{"gap":{}}', offset: 0, epoch: '' },
      { kind: 'binary', data: Uint8Array.of(1, 2) },
    ]);
  });
});

describe('sse', () => {
  function body() {
    let out!: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({ start: (controller) => void (out = controller) });
    return { stream, write: (text: string) => out.enqueue(new TextEncoder().encode(text)), end: () => out.close() };
  }

  it('learns its position from an event without data, and receives', async () => {
    const { told } = openWith('sse', { token: 't' });
    expect(asked[0].url).toBe('https://x/sse?channel=a%2Fb+%26c&since=-5');
    expect(asked[0].init.headers).toMatchObject({ Authorization: 'Bearer t' });
    const { stream, write, end } = body();
    asked[0].answer(new Response(stream));
    write('id: aaaaaaaa:6\n\n:heartbeat\n');
    write(`id: aaaaaaaa:7\ndata: ${JSON.stringify(message)}\n\n`);
    await vi.waitFor(() => expect(told.records).toHaveLength(2));
    expect(told).toEqual({ opened: 1, records: [position, record], ending: undefined });
    end();
    await vi.waitFor(() => expect(told.ending).toEqual({}));
  });

  it('reads why it was refused', async () => {
    const { told } = openWith('sse');
    asked[0].answer(json({ code: 'E_TOO_MANY_CHANNELS', message: 'too many' }, 400));
    await vi.waitFor(() => expect(told.ending?.refusal?.code).toBe('E_TOO_MANY_CHANNELS'));
    expect(told.opened).toBe(0);
  });

  it('gives up a request that nobody answers, and a stream without heartbeats', async () => {
    vi.useFakeTimers();
    const { told } = openWith('sse');
    await vi.advanceTimersByTimeAsync(10_000);
    expect(told.ending).toEqual({});
    const second = openWith('sse');
    const abort = asked[1].init.signal!;
    asked[1].answer(new Response(body().stream));
    await vi.advanceTimersByTimeAsync(59_000);
    expect(abort.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1000);
    expect(abort.aborted).toBe(true);
    expect(second.told.opened).toBe(1);
  });

  it('is silent once closed', async () => {
    const { connection, told } = openWith('sse');
    connection.close();
    expect(asked[0].init.signal!.aborted).toBe(true);
    await Promise.resolve();
    expect(told.ending).toBeUndefined();
  });
});

describe('poll', () => {
  it('asks again from the answered cursor', async () => {
    const { told } = openWith('poll');
    expect(asked[0].url).toBe('https://x/poll?channel=a%2Fb+%26c&since=-5&timeout=1&limit=1000');
    asked[0].answer(json({ messages: [message], cursor: 'aaaaaaaa:7' }));
    await vi.waitFor(() => expect(asked).toHaveLength(2));
    expect(told.opened).toBe(1);
    expect(told.records).toEqual([record, { ...position, offset: 7 }]);
    expect(asked[1].url).toBe('https://x/poll?channel=a%2Fb+%26c&since=aaaaaaaa%3A7&timeout=25&limit=1000');
    asked[1].answer(json({ messages: [], cursor: 'aaaaaaaa:7' }));
    await vi.waitFor(() => expect(asked).toHaveLength(3));
    expect(told.opened).toBe(1);
    asked[2].fail();
    await vi.waitFor(() => expect(told.ending).toEqual({}));
  });

  it('gives up an answer that is overdue', async () => {
    vi.useFakeTimers();
    const { told } = openWith('poll');
    await vi.advanceTimersByTimeAsync(11_000);
    expect(told.ending).toEqual({});
  });
});

describe('hasNewer', () => {
  it('is true when the log holds more', async () => {
    const newer = hasNewer({ ...kTarget, since: 'aaaaaaaa:6' });
    expect(asked[0].url).toBe('https://x/poll?channel=a%2Fb+%26c&since=aaaaaaaa%3A6&timeout=1&limit=1');
    asked[0].answer(json({ messages: [message], cursor: 'aaaaaaaa:7' }));
    expect(await newer).toBe(true);
  });

  it('rejects when nobody answers', async () => {
    const newer = hasNewer(kTarget);
    asked[0].fail();
    await expect(newer).rejects.toThrow();
  });
});
