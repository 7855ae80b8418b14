// Wirebird: a subscription that misses nothing. It holds channels open over one door, comes back by itself, resumes
// where it stopped, checks that offsets are contiguous and says what it caught up on.
//
//   const bird = new Wirebird({ channels: ['news'] });
//   bird.on('message', (message) => console.log(message.data));
//   bird.on('caughtUp', ({ messages, missed }) => console.log(`caught up on ${messages}, missed ${missed}`));
//   bird.start();
//
// It is no state store and no queue: what is sent while the connection is down is refused, not kept.
import { Backoff, defaultBackoff, type BackoffOptions } from './backoff';
import { hasNewer, openDoor, type Connection, type Door, type Ending, type Target } from './doors';
import { ServerClock } from './server_clock';
import { gapLength, Track, type Gap } from './track';
import type { ErrorRecord, Message, PositionRecord, WireRecord } from './wire';

export type { Door, Ending, Refusal } from './doors';
export type { Gap } from './track';
export type { ErrorRecord, Kind, Message } from './wire';

export interface Options {
  channels: string[];
  /** Default `websocket`. `raw` carries payloads and nothing else, so it cannot resume or notice a gap. */
  door?: Door;
  /** Default: the page's own. */
  origin?: string;
  /** Where the first connection starts: a cursor, `-N`, a time, or '' for now. */
  since?: string;
  token?: string;
  backoff?: Partial<BackoffOptions>;
  random?: () => number;
}

/**
 * `connecting`: an attempt is under way. `open`: the subscription stands. `waiting`: until `retryAt`. `cut`: by `cut()`.
 * `stopped`: by `stop()`, or for good after a refusal that no retry can change.
 */
export type Phase = 'connecting' | 'open' | 'waiting' | 'cut' | 'stopped';

export interface State {
  phase: Phase;
  /** Failed attempts since the last good connection. */
  attempt: number;
  /** When the next attempt starts (our clock, ms); Infinity if only `retryNow()` ends the wait. */
  retryAt?: number;
  ending?: Ending;
}

/** `live`; `history`: older than the first connection; `replay`: published while we were away. */
export type Arrival = 'live' | 'history' | 'replay';

export interface Delivery extends Message {
  arrival: Arrival;
  /** Our clock, ms. */
  received: number;
  /** From the server's numbering to here, ms; undefined on the raw door and for what is not live. */
  latency: number | undefined;
}

/** What a comeback brought. Told once the replay pauses; told again with the new sums if more of it comes later. */
export interface CatchUp {
  /** Replayed messages. */
  messages: number;
  /** Messages that will never come; undefined where the door cannot know (raw). */
  missed: number | undefined;
  /** The server lost the channel and began it anew: what it held before, and we had not seen, nobody knows. */
  reborn: boolean;
  /** From the last sign of life to the new connection, ms. */
  awayMs: number;
}

interface Events {
  state: State;
  message: Delivery;
  gap: Gap;
  caughtUp: CatchUp;
  /** A refusal on a connection that stays open, such as a publish that is not permitted. */
  error: ErrorRecord;
}

type Listener<E extends keyof Events> = (event: Events[E]) => void;

// Refusals that stay the same however often one asks. Everything else is retried.
const kFinal = new Set(
  (
    'E_PARAMETER E_CHANNEL E_CURSOR E_NOT_FOUND E_METHOD E_TOO_MANY_CHANNELS E_NOT_IMPLEMENTED E_AUTH_REQUIRED E_TOKEN ' +
    'E_TOKEN_EXPIRED E_TOKEN_IN_QUERY E_FORBIDDEN E_ORIGIN E_REVOKED'
  ).split(' '),
);

const kExplainEvery = 4; // attempts
const kTickMs = 1000;
const kSuspendedMs = 15_000; // a tick this late means that the machine slept, or the tab was frozen
const kWakeSilenceMs = 3000; // a connection that spoke so recently is not doubted on waking
const kAuditSilenceMs = 30_000; // a WebSocket that is silent for so long is checked over another path
const kAuditGraceMs = 2000; // time for the socket to bring what the check has seen
const kSettleMs = 250; // a replay that pauses for so long is over

export class Wirebird {
  readonly clock = new ServerClock();
  private readonly channels: string[];
  private readonly door: Door;
  private readonly origin: string;
  private readonly since: string;
  private readonly token: string;
  private readonly random: () => number;
  private readonly backoff: Backoff;
  private readonly tracks: Map<string, Track>;
  private readonly listeners: { [E in keyof Events]: Set<Listener<E>> } = {
    state: new Set(),
    message: new Set(),
    gap: new Set(),
    caughtUp: new Set(),
    error: new Set(),
  };

  private state: State = { phase: 'stopped', attempt: 0 };
  private connection: Connection | undefined;
  private running = false;
  private everOpened = false;
  private openedAt = 0; // messages numbered before are replay or history
  private aliveAt = 0; // last time we know that we were connected and awake
  private heardAt = 0; // last time the server said anything
  private auditing = false;
  private comeback: CatchUp | undefined; // of the present connection, if it is not the first
  private settled = true; // the comeback has been told
  private retryTimer: ReturnType<typeof setTimeout> | undefined;
  private settleTimer: ReturnType<typeof setTimeout> | undefined;
  private tickTimer: ReturnType<typeof setInterval> | undefined;
  private tickedAt = 0;

  constructor(options: Options) {
    this.channels = options.channels;
    this.door = options.door ?? 'websocket';
    this.origin = options.origin ?? globalThis.location.origin;
    this.since = options.since ?? '';
    this.token = options.token ?? '';
    this.random = options.random ?? Math.random;
    this.backoff = new Backoff({ ...defaultBackoff, ...options.backoff }, this.random);
    this.tracks = new Map(this.channels.map((channel) => [channel, new Track(channel)]));
  }

  /** Returns the call that takes the listener off again. */
  on<E extends keyof Events>(event: E, listener: Listener<E>): () => void {
    this.listeners[event].add(listener);
    return () => void this.listeners[event].delete(listener);
  }

  /** One position per channel, joined by commas; '' while nothing is known. Starts a later Wirebird where this one is. */
  get cursor(): string {
    const positions = [...this.tracks.values()].map((track) => track.position);
    return positions.some(Boolean) ? positions.join(',') : '';
  }

  start(): void {
    if (this.running) return;
    this.running = true;
    this.tickedAt = Date.now();
    this.tickTimer = setInterval(this.tick, kTickMs);
    globalThis.addEventListener?.('online', this.wake);
    globalThis.addEventListener?.('pageshow', this.wake);
    globalThis.document?.addEventListener('visibilitychange', this.wake);
    this.connect();
  }

  stop(): void {
    if (!this.running) return;
    this.quit();
    this.become({ phase: 'stopped', attempt: 0 });
  }

  /** Drops the connection and stays away for `ms`; Infinity: until `retryNow()`. For trying out what a cut does. */
  cut(ms: number): void {
    if (!this.running) return;
    this.drop();
    this.retryIn(ms, 'cut');
  }

  /** Ends a wait. */
  retryNow(): void {
    if (!this.running || this.state.phase === 'open' || this.state.phase === 'connecting') return;
    this.backoff.reset();
    this.connect();
  }

  /** Publishes over the connection: false if the door cannot, or is not open. The server's refusal comes as an error. */
  send(payload: string | Uint8Array): boolean {
    if (this.state.phase !== 'open' || !this.connection?.send) return false;
    this.connection.send(payload);
    return true;
  }

  // --- Connecting ---------------------------------------------------------------------------------------------------

  private get target(): Target {
    const since = this.cursor || (this.everOpened ? '' : this.since);
    // Asking why costs the server as much as the attempt itself, so most attempts do without.
    const explain = this.backoff.attempt % kExplainEvery === 0;
    return { origin: this.origin, channels: this.channels, since, token: this.token, explain };
  }

  private connect(): void {
    clearTimeout(this.retryTimer);
    this.become({ phase: 'connecting', attempt: this.backoff.attempt });
    for (const track of this.tracks.values()) track.resume();
    this.connection = openDoor(this.door, this.target, {
      opened: (since) => this.opened(since),
      records: (records) => this.records(records),
      alive: () => (this.heardAt = Date.now()),
      ended: (ending) => this.ended(ending),
    });
  }

  private opened(since: number): void {
    const now = Date.now();
    if (this.everOpened) {
      // A comeback that was cut short goes on: what it found counts once, for the whole time away.
      const unfinished = this.settled ? undefined : this.comeback;
      this.comeback = unfinished ?? {
        messages: 0,
        missed: this.door === 'raw' ? undefined : 0,
        reborn: false,
        awayMs: 0,
      };
      this.comeback.awayMs += Math.max(0, now - this.aliveAt);
      this.settled = false;
      // The raw door says nothing of its own; the others say first where the subscription stands, and what is replayed follows.
      if (this.door === 'raw') this.settleLater();
    }
    this.everOpened = true;
    this.openedAt = since;
    this.aliveAt = this.heardAt = now;
    this.become({ phase: 'open', attempt: 0 });
  }

  private ended(ending: Ending): void {
    this.connection = undefined;
    if (ending.refusal && kFinal.has(ending.refusal.code)) {
      this.quit();
      this.become({ phase: 'stopped', attempt: 0, ending });
      return;
    }
    const livedMs = this.state.phase === 'open' ? Date.now() - this.openedAt : 0;
    this.drop();
    const backoffMs = this.backoff.failed(livedMs, ending.retryAfterMs);
    const { comeBack } = ending;
    const ms = comeBack ? comeBack.minMs + this.random() * (comeBack.maxMs - comeBack.minMs) : backoffMs;
    this.retryIn(ms, 'waiting', ending);
  }

  private retryIn(ms: number, phase: 'waiting' | 'cut', ending?: Ending): void {
    clearTimeout(this.retryTimer);
    if (ms !== Infinity) this.retryTimer = setTimeout(() => this.connect(), ms);
    this.become({ phase, attempt: this.backoff.attempt, retryAt: Date.now() + ms, ending });
  }

  /** A new connection at once, because the old one is in doubt. */
  private renew(): void {
    this.drop();
    this.connect();
  }

  private drop(): void {
    clearTimeout(this.settleTimer);
    this.connection?.close();
    this.connection = undefined;
  }

  private quit(): void {
    this.running = false;
    this.drop();
    clearTimeout(this.retryTimer);
    clearInterval(this.tickTimer);
    globalThis.removeEventListener?.('online', this.wake);
    globalThis.removeEventListener?.('pageshow', this.wake);
    globalThis.document?.removeEventListener('visibilitychange', this.wake);
  }

  // --- Receiving ----------------------------------------------------------------------------------------------------

  private records(records: WireRecord[]): void {
    const now = Date.now();
    this.heardAt = this.aliveAt = now;
    for (const record of records) {
      if (!this.running) return; // a listener stopped us
      const track = this.tracks.get(record.channel);
      if (record.type === 'error') this.emit('error', record);
      else if (!track) continue;
      else if (record.type === 'position') this.stands(track, record);
      else if (record.type === 'gap') this.missed(track.gap(record));
      else this.message(track, record, now);
    }
  }

  private stands(track: Track, record: PositionRecord): void {
    track.start(record);
    if (!this.settled) this.settleLater();
  }

  private message(track: Track, message: Message, received: number): void {
    if (message.epoch === '') {
      this.emit('message', { ...message, arrival: 'live', received, latency: undefined });
      return;
    }
    const { deliver, gap } = track.message(message);
    if (gap) this.missed(gap);
    if (!deliver) return;

    this.clock.arrived(message.time, received);
    const sent = this.clock.toLocal(message.time);
    const late = sent <= this.openedAt;
    if (late && this.comeback) {
      this.comeback.messages += 1;
      this.settleLater();
    } else if (!late) {
      this.settle();
    }
    const arrival = !late ? 'live' : this.comeback ? 'replay' : 'history';
    const latency = late ? undefined : Math.max(0, received - sent);
    this.emit('message', { ...message, arrival, received, latency });
  }

  private missed(gap: Gap): void {
    if (!this.settled && this.comeback?.missed !== undefined) {
      this.comeback.missed += gapLength(gap);
      this.comeback.reborn ||= gap.reason === 'epoch_changed';
      this.settleLater();
    }
    this.emit('gap', gap);
  }

  private settleLater(): void {
    this.settled = false;
    clearTimeout(this.settleTimer);
    this.settleTimer = setTimeout(() => this.settle(), kSettleMs);
  }

  private settle(): void {
    if (this.settled || !this.comeback) return;
    clearTimeout(this.settleTimer);
    this.settled = true;
    this.emit('caughtUp', { ...this.comeback });
  }

  // --- Staying honest -----------------------------------------------------------------------------------------------

  private readonly tick = (): void => {
    const now = Date.now();
    const slept = now - this.tickedAt > kSuspendedMs;
    this.tickedAt = now;
    if (slept) {
      this.awake(now);
    } else if (this.state.phase === 'open') {
      this.aliveAt = now;
      if (now - this.heardAt > kAuditSilenceMs) void this.audit();
    }
  };

  private readonly wake = (event: Event): void => {
    if (event.type === 'visibilitychange' && document.visibilityState !== 'visible') return;
    const now = Date.now();
    const slept = now - this.tickedAt > kSuspendedMs;
    if (event.type === 'online' || slept) this.awake(now);
    else if (this.state.phase === 'waiting') this.retryNow();
  };

  /** The machine or its network was away: what looks open may be dead, and a wait may have lost its reason. */
  private awake(now: number): void {
    this.tickedAt = now;
    if (this.state.phase === 'waiting') this.retryNow();
    else if (this.state.phase === 'open' && now - this.heardAt > kWakeSilenceMs) this.renew();
  }

  // Pings are invisible to a page and half-open sockets look fine for ever, so a silent WebSocket is compared with what
  // the log holds. The other doors have heartbeats and deadlines of their own.
  private async audit(): Promise<void> {
    if (this.auditing || this.door !== 'websocket' || this.cursor === '') return;
    this.auditing = true;
    this.heardAt = Date.now(); // asked once per silence
    const cursor = this.cursor;
    const connection = this.connection;
    const stale = await hasNewer(this.target).catch(() => true);
    if (stale) await new Promise((resolve) => setTimeout(resolve, kAuditGraceMs));
    this.auditing = false;
    const silent = this.connection === connection && this.cursor === cursor;
    if (stale && silent && this.running && this.state.phase === 'open') this.renew();
  }

  private become(state: State): void {
    this.state = state;
    this.emit('state', state);
  }

  private emit<E extends keyof Events>(event: E, value: Events[E]): void {
    for (const listener of this.listeners[event]) listener(value);
  }
}
