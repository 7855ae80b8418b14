import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import * as doors from './doors';
import type { Ending, Line, Target } from './doors';
import { Wirebird, type CatchUp, type Delivery, type Gap, type Options, type State } from './wirebird';

// One attempt to open a door, played by hand.
interface Attempt {
  target: Target;
  line: Line;
  closed: boolean;
  sent: unknown[];
}

let attempts: Attempt[];
const last = () => attempts[attempts.length - 1];

// A page: what Wirebird listens to in a browser.
let page: EventTarget;
let screen: EventTarget;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  attempts = [];
  page = new EventTarget();
  screen = Object.assign(new EventTarget(), { visibilityState: 'visible' });
  vi.spyOn(doors, 'openDoor').mockImplementation((_door, target, line) => {
    const attempt: Attempt = { target, line, closed: false, sent: [] };
    attempts.push(attempt);
    return { close: () => (attempt.closed = true), send: (payload) => attempt.sent.push(payload) };
  });
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('removeEventListener', page.removeEventListener.bind(page));
  vi.stubGlobal('document', screen);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

vi.mock('./doors', { spy: true });

function birdOf(options: Partial<Options> = {}) {
  const bird = new Wirebird({ channels: ['news'], origin: 'http://x', random: () => 1, ...options });
  const seen = {
    phases: [] as string[],
    state: undefined as State | undefined,
    messages: [] as Delivery[],
    gaps: [] as Gap[],
    comebacks: [] as CatchUp[],
  };
  bird.on('state', (state) => {
    seen.state = state;
    seen.phases.push(state.phase);
  });
  bird.on('message', (message) => seen.messages.push(message));
  bird.on('gap', (gap) => seen.gaps.push(gap));
  bird.on('caughtUp', (comeback) => seen.comebacks.push(comeback));
  return { bird, seen };
}

const message = (offset: number, time = Date.now(), channel = 'news') =>
  ({ type: 'message', channel, offset, epoch: 'aaaaaaaa', time, kind: 'text', data: `#${offset}` }) as const;
const position = (offset: number, channel = 'news') =>
  ({ type: 'position', channel, epoch: 'aaaaaaaa', offset }) as const;
const gap = (from: number, to: number) =>
  ({ type: 'gap', channel: 'news', from, to, reason: 'expired', epoch: 'aaaaaaaa', offset: to }) as const;

function open(...records: Parameters<Line['records']>[0]) {
  last().line.opened(Date.now());
  if (records.length > 0) last().line.records(records);
}

describe('the first connection', () => {
  it('starts where it is told to and delivers', () => {
    const { bird, seen } = birdOf({ since: '-10' });
    bird.start();
    expect(last().target).toEqual({ origin: 'http://x', channels: ['news'], since: '-10', token: '', explain: true });
    open(position(4), message(5, Date.now() - 5000));
    vi.advanceTimersByTime(100);
    last().line.records([message(6, Date.now() - 3)]);
    expect(seen.phases).toEqual(['connecting', 'open']);
    expect(seen.messages.map(({ offset, arrival, latency }) => [offset, arrival, latency])).toEqual([
      [5, 'history', undefined],
      [6, 'live', 3],
    ]);
    expect(seen.comebacks).toEqual([]);
    expect(bird.cursor).toBe('aaaaaaaa:6');
  });

  it('starts over as told if it was lost before anything was known', () => {
    const { bird } = birdOf({ since: '-10' });
    bird.start();
    last().line.ended({});
    vi.advanceTimersByTime(500);
    expect(last().target.since).toBe('-10');
  });

  it('has a cursor with an element for each channel', () => {
    const { bird } = birdOf({ channels: ['a', 'b'] });
    bird.start();
    expect(bird.cursor).toBe('');
    open(position(7, 'b'));
    expect(bird.cursor).toBe(',aaaaaaaa:7');
    last().line.records([message(1, Date.now(), 'a')]);
    expect(bird.cursor).toBe('aaaaaaaa:1,aaaaaaaa:7');
  });
});

describe('coming back', () => {
  it('resumes at the cursor and says what it caught up on', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open(position(0), message(1));
    vi.advanceTimersByTime(60_000);
    last().line.ended({ code: 1006 });
    expect(seen.state).toMatchObject({ phase: 'waiting', attempt: 1, retryAt: Date.now() + 500 });
    vi.advanceTimersByTime(500);
    expect(last().target.since).toBe('aaaaaaaa:1');
    open(position(1), message(2, Date.now() - 300), message(3, Date.now() - 200));
    expect(seen.comebacks).toEqual([]);
    vi.advanceTimersByTime(250);
    expect(seen.comebacks).toEqual([{ messages: 2, missed: 0, reborn: false, awayMs: 500 }]);
    expect(seen.messages.map(({ arrival }) => arrival)).toEqual(['history', 'replay', 'replay']);
  });

  it('says nothing before the server has said where the subscription stands', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open(position(4));
    last().line.ended({});
    vi.advanceTimersByTime(500);
    open();
    vi.advanceTimersByTime(5000); // a slow line
    expect(seen.comebacks).toEqual([]);
    last().line.records([position(4)]);
    vi.advanceTimersByTime(250);
    expect(seen.comebacks).toMatchObject([{ messages: 0, missed: 0 }]);
  });

  it('says so as soon as a live message comes', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open(position(0));
    bird.cut(100);
    vi.advanceTimersByTime(100);
    open(position(0), message(1, Date.now() - 50));
    vi.advanceTimersByTime(10);
    last().line.records([message(2)]);
    expect(seen.comebacks).toEqual([{ messages: 1, missed: 0, reborn: false, awayMs: 100 }]);
    expect(seen.messages.map(({ arrival }) => arrival)).toEqual(['replay', 'live']);
  });

  it('tells again with new sums if more of the replay comes late', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open(position(0));
    bird.cut(100);
    vi.advanceTimersByTime(100);
    const before = Date.now() - 50;
    open(message(1, before));
    vi.advanceTimersByTime(1000);
    last().line.records([message(2, before)]);
    vi.advanceTimersByTime(1000);
    expect(seen.comebacks.map(({ messages }) => messages)).toEqual([1, 2]);
  });

  it('counts what a second cut interrupts once, for the whole time away', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open(position(0));
    bird.cut(1000);
    vi.advanceTimersByTime(1000);
    open(message(1, Date.now() - 50));
    bird.cut(2000);
    vi.advanceTimersByTime(2000);
    open(message(2, Date.now() - 50));
    vi.advanceTimersByTime(250);
    expect(seen.comebacks).toEqual([{ messages: 2, missed: 0, reborn: false, awayMs: 3000 }]);
  });

  it('counts announced gaps and holes as missed, and drops duplicates', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open(position(0), message(1));
    bird.cut(100);
    vi.advanceTimersByTime(100);
    const before = Date.now() - 50;
    open(message(1, before), gap(2, 10), message(11, before), message(14, before));
    vi.advanceTimersByTime(250);
    expect(seen.messages.map(({ offset }) => offset)).toEqual([1, 11, 14]);
    expect(seen.gaps).toEqual([
      { channel: 'news', from: 2, to: 10, reason: 'expired' },
      { channel: 'news', from: 12, to: 13, reason: 'hole' },
    ]);
    expect(seen.comebacks).toEqual([{ messages: 2, missed: 11, reborn: false, awayMs: 100 }]);
  });

  it('does not pretend to know on the raw door', () => {
    const { bird, seen } = birdOf({ door: 'raw' });
    bird.start();
    open();
    last().line.records([{ type: 'message', channel: 'news', offset: 0, epoch: '', time: 0, kind: 'text', data: 'x' }]);
    expect(seen.messages[0]).toMatchObject({ arrival: 'live', latency: undefined });
    bird.cut(100);
    vi.advanceTimersByTime(100);
    expect(last().target.since).toBe('');
    open();
    vi.advanceTimersByTime(250);
    expect(seen.comebacks).toEqual([{ messages: 0, missed: undefined, reborn: false, awayMs: 100 }]);
  });

  it('backs off while the server is away and starts over after a stable connection', () => {
    const { bird, seen } = birdOf({ backoff: { capMs: 1500 } });
    bird.start();
    const waits: number[] = [];
    for (let i = 0; i < 4; i++) {
      expect(last().target.explain).toBe(i === 0);
      last().line.ended({});
      waits.push(seen.state!.retryAt! - Date.now());
      vi.advanceTimersByTime(waits[i]);
    }
    expect(waits).toEqual([500, 1000, 1500, 1500]);
    open();
    vi.advanceTimersByTime(30_000);
    last().line.ended({});
    expect(seen.state!.retryAt! - Date.now()).toBe(500);
  });

  it('waits as long as the server wishes', () => {
    const { bird, seen } = birdOf();
    bird.start();
    last().line.ended({ code: 503, retryAfterMs: 7000 });
    expect(seen.state!.retryAt).toBe(Date.now() + 7500);
  });

  it('comes back when a server that restarts wants it to', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open();
    last().line.ended({ code: 1012, comeBack: { minMs: 100, maxMs: 10_000 } });
    expect(seen.state!.retryAt).toBe(Date.now() + 10_000);
  });

  it('says that a channel was born again', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open(position(3));
    bird.cut(100);
    vi.advanceTimersByTime(100);
    open({ ...gap(1, 2), reason: 'epoch_changed', epoch: 'bbbbbbbb' });
    vi.advanceTimersByTime(250);
    expect(seen.comebacks).toEqual([{ messages: 0, missed: 2, reborn: true, awayMs: 100 }]);
    expect(bird.cursor).toBe('bbbbbbbb:2');
  });

  it('stops for good at a refusal that stays, and can be started again', () => {
    const { bird, seen } = birdOf();
    bird.start();
    const ending: Ending = { code: 403, refusal: { code: 'E_FORBIDDEN', message: 'no' } };
    last().line.ended(ending);
    expect(seen.state).toEqual({ phase: 'stopped', attempt: 0, ending });
    vi.advanceTimersByTime(100_000);
    expect(attempts).toHaveLength(1);
    bird.start();
    expect(attempts).toHaveLength(2);
  });
});

describe('commands', () => {
  it('cuts, stays away, and comes back early when asked', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open();
    bird.cut(Infinity);
    expect(last().closed).toBe(true);
    expect(seen.state).toMatchObject({ phase: 'cut', retryAt: Infinity });
    vi.advanceTimersByTime(1_000_000);
    expect(attempts).toHaveLength(1);
    bird.retryNow();
    expect(attempts).toHaveLength(2);
  });

  it('sends only over an open connection', () => {
    const { bird } = birdOf();
    expect(bird.send('a')).toBe(false);
    bird.start();
    expect(bird.send('b')).toBe(false);
    open();
    expect(bird.send('c')).toBe(true);
    expect(last().sent).toEqual(['c']);
  });

  it('stops in the middle of a batch', () => {
    const { bird, seen } = birdOf();
    bird.on('message', () => bird.stop());
    bird.start();
    open(message(1), message(2));
    expect(seen.messages).toHaveLength(1);
    expect(last().closed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('staying honest', () => {
  it('doubts a connection after the machine slept', () => {
    const { bird, seen } = birdOf();
    bird.start();
    open(position(3));
    vi.advanceTimersByTime(5000);
    vi.setSystemTime(Date.now() + 3_600_000); // the lid was closed
    vi.advanceTimersByTime(1000);
    expect(attempts[0].closed).toBe(true);
    expect(attempts).toHaveLength(2);
    expect(last().target.since).toBe('aaaaaaaa:3');
    open(message(4, Date.now() - 1000));
    vi.advanceTimersByTime(250);
    expect(seen.comebacks[0]).toMatchObject({ messages: 1, missed: 0 });
    expect(seen.comebacks[0].awayMs).toBeGreaterThanOrEqual(3_600_000);
  });

  it('does not wait when the network or the user comes back', () => {
    for (const wake of [
      () => page.dispatchEvent(new Event('online')),
      () => screen.dispatchEvent(new Event('visibilitychange')),
    ]) {
      const { bird } = birdOf();
      bird.start();
      last().line.ended({});
      const before = attempts.length;
      wake();
      expect(attempts).toHaveLength(before + 1);
      bird.stop();
    }
  });

  it('leaves a connection alone that has just spoken', () => {
    const { bird } = birdOf();
    bird.start();
    open();
    vi.advanceTimersByTime(10_000);
    last().line.records([message(1)]);
    page.dispatchEvent(new Event('online'));
    expect(attempts).toHaveLength(1);
  });

  it('finds out a socket that is dead without knowing it', async () => {
    const hasNewer = vi.spyOn(doors, 'hasNewer').mockResolvedValue(true);
    const { bird } = birdOf();
    bird.start();
    open(position(3));
    await vi.advanceTimersByTimeAsync(40_000);
    expect(hasNewer).toHaveBeenCalledTimes(1);
    expect(hasNewer.mock.calls[0][0].since).toBe('aaaaaaaa:3');
    expect(attempts).toHaveLength(2);
  });

  it('keeps a silent socket that has nothing to say', async () => {
    const hasNewer = vi.spyOn(doors, 'hasNewer').mockResolvedValue(false);
    const { bird } = birdOf();
    bird.start();
    open(position(3));
    await vi.advanceTimersByTimeAsync(100_000);
    expect(hasNewer.mock.calls.length).toBeGreaterThanOrEqual(3);
    expect(attempts).toHaveLength(1);
  });

  it('keeps a socket that was only slower than the check', async () => {
    vi.spyOn(doors, 'hasNewer').mockImplementation(async () => {
      setTimeout(() => last().line.records([message(4)]), 100);
      return true;
    });
    const { bird } = birdOf();
    bird.start();
    open(position(3));
    await vi.advanceTimersByTimeAsync(40_000);
    expect(attempts).toHaveLength(1);
  });
});
