// Room: one channel through the unmodified Centrifuge SDK, as the page shows it: its messages, who is there, and what was
// missed while the line was cut. The SDK reconnects and recovers by itself; this listens, counts, and asks for history.
import { Centrifuge, type PublicationContext, type SubscribedContext, type Subscription } from 'centrifuge';
import type { Phase } from '../lib/wirebird';
import { isChannel } from '../settings';
import { Attendance, namesChannel } from './attendance';
import { Line } from './line';
import { Timeline, type Row, type Spoken } from './timeline';

export const kTransports = ['websocket', 'http_stream', 'sse'] as const;
export type Transport = (typeof kTransports)[number];

export interface Comeback {
  awayMs: number;
  recovered: number;
  /** Undefined: the channel began anew, and nobody can count. */
  missed: number | undefined;
}

export interface Refusal {
  code: number;
  message: string;
}

export interface Counters {
  received: number;
  recovered: number;
  missed: number;
}

const kPage = 30; // more than a phone shows, so that there is something to scroll
const kNamesPage = 300; // the most one answer holds
const kSayNameMs = 15 * 60_000; // well within the hour that history is kept, so that whoever comes later still reads it
const kNotAvailable = 108;
const kUnrecoverable = 112;

const spokenOf = ({ offset = 0, data, info }: PublicationContext): Spoken => ({ offset, data, client: info?.client });

export class Room {
  readonly channel: string;
  readonly line = new Line();
  readonly timeline = new Timeline();
  readonly attendance = new Attendance();
  readonly counters: Counters = { received: 0, recovered: 0, missed: 0 };

  phase = $state.raw<Phase>('connecting');
  /** The last comeback, until the connection is lost again. */
  comeback = $state.raw<Comeback | undefined>(undefined);
  /** Connected again, but what is missing is not known yet. */
  catchingUp = $state(false);
  /** Why it stopped. */
  refusal = $state.raw<Refusal | undefined>(undefined);
  /** What the SDK really uses: it falls back by itself. */
  transport = $state('');
  /** Own connection, '' before the first. */
  me = $state('');
  loadingOlder = $state(false);
  /** Grows whenever the plain data has changed. */
  frame = $state(0);

  private readonly client: Centrifuge;
  private readonly subscription: Subscription;
  private readonly names: Subscription | undefined;
  private readonly mine = new Set<string>();
  private readonly sayNameTimer: ReturnType<typeof setInterval>;
  private name: string;
  private lostAt = 0; // 0: never connected so far
  /** What arrives while a page of history is on its way, which comes first. */
  private held: Spoken[] | undefined;
  private recovering: (Row & { type: 'back' }) | undefined;
  private scheduled = false;

  constructor({ channel, transport, name }: { channel: string; transport: Transport; name: string }) {
    this.channel = channel;
    this.name = name;
    const sockets = location.origin.replace(/^http/, 'ws');
    const endpoints = {
      websocket: `${sockets}/connection/websocket`,
      http_stream: `${location.origin}/connection/http_stream`,
      sse: `${location.origin}/connection/sse`,
    };
    const order = [transport, ...kTransports.filter((each) => each !== transport)];
    this.client = new Centrifuge(
      order.map((each) => ({ transport: each, endpoint: endpoints[each] })),
      {
        name: 'wirebird-page',
        emulationEndpoint: `${location.origin}/emulation`,
        websocket: this.line.WebSocket,
        eventsource: this.line.EventSource,
        fetch: this.line.fetch,
        networkEventTarget: this.line,
      },
    );
    this.client.on('connected', ({ client, transport }) => {
      this.me = client;
      this.mine.add(client);
      this.transport = transport;
    });
    this.client.on('disconnected', ({ code, reason }) => this.stopped(code, reason));

    const subscription = this.client.newSubscription(channel, { recoverable: true, joinLeave: true });
    this.subscription = subscription;
    subscription.on('subscribing', () => this.away());
    subscription.on('subscribed', (context) => this.subscribed(context));
    subscription.on('unsubscribed', ({ code, reason }) => this.stopped(code, reason));
    subscription.on('publication', (context) => this.heard(spokenOf(context)));
    for (const event of ['join', 'leave'] as const) {
      subscription.on(event, ({ info }) => {
        this.attendance.moved(info, event === 'join', Date.now());
        this.refresh();
      });
    }
    subscription.subscribe();

    const beside = namesChannel(channel);
    if (isChannel(beside)) {
      this.names = this.client.newSubscription(beside, { recoverable: true });
      this.names.on('subscribed', () => void this.readNames());
      this.names.on('publication', (context) => this.readName(context, false));
      this.names.subscribe();
    }
    this.sayNameTimer = setInterval(() => this.sayName(), kSayNameMs);

    this.line.addEventListener('online', this.mended);
    addEventListener('online', this.network);
    addEventListener('offline', this.network);
    this.client.connect();
  }

  /** For good. */
  stop(): void {
    clearInterval(this.sayNameTimer);
    this.line.removeEventListener('online', this.mended);
    removeEventListener('online', this.network);
    removeEventListener('offline', this.network);
    this.client.disconnect();
  }

  isMine(client: string | undefined): boolean {
    return client !== undefined && this.mine.has(client);
  }

  /** Infinity: until `connectNow()`. */
  cut(ms: number): void {
    this.line.cut(ms);
    if (this.phase !== 'open') this.phase = 'cut';
  }

  connectNow(): void {
    if (this.phase === 'stopped') {
      this.refusal = undefined;
      this.phase = 'connecting';
      this.subscription.subscribe();
      this.client.connect();
    } else if (this.line.mendsAt !== undefined) {
      this.line.mend();
    } else {
      this.line.dispatchEvent(new Event('online'));
    }
  }

  /** Undefined: published. */
  async say(text: string): Promise<Refusal | undefined> {
    try {
      await this.subscription.publish({ from: this.name, text });
      return undefined;
    } catch (error) {
      const { code, message } = error as Refusal;
      return { code, message };
    }
  }

  rename(name: string): void {
    this.name = name;
    this.sayName();
  }

  async loadOlder(): Promise<void> {
    const { oldest, epoch, complete } = this.timeline;
    if (this.loadingOlder || complete || this.phase !== 'open' || oldest === 0) return;
    this.loadingOlder = true;
    try {
      const page = await this.subscription.history({ since: { offset: oldest, epoch }, reverse: true, limit: kPage });
      this.timeline.prepend(page.publications.map(spokenOf), kPage);
    } catch (error) {
      this.historyRefused(error);
    }
    this.loadingOlder = false;
    this.refresh();
  }

  private readonly mended = () => {
    if (this.phase === 'cut') this.phase = 'waiting';
  };

  private readonly network = ({ type }: Event) => this.line.dispatchEvent(new Event(type));

  private away(): void {
    if (this.phase === 'open') {
      this.lostAt = Date.now();
      this.comeback = undefined;
      this.timeline.lost();
      this.refresh();
    }
    this.phase = this.line.mendsAt !== undefined ? 'cut' : this.lostAt ? 'waiting' : 'connecting';
  }

  private stopped(code: number, message: string): void {
    if (this.phase === 'stopped') return;
    this.away();
    this.refusal = { code, message };
    this.phase = 'stopped';
  }

  private subscribed({ wasRecovering, recovered, streamPosition }: SubscribedContext): void {
    this.phase = 'open';
    void this.readPresence();
    if (!this.lostAt) {
      this.timeline.epoch = streamPosition?.epoch ?? '';
      void this.loadFirst();
      return;
    }
    const awayMs = Date.now() - this.lostAt;
    if (wasRecovering && recovered) {
      // What is recovered follows in this task, before anything else can.
      const row = this.timeline.back(awayMs);
      this.recovering = row;
      this.timeline.epoch = streamPosition?.epoch ?? this.timeline.epoch;
      queueMicrotask(() => {
        this.recovering = undefined;
        this.comeback = { awayMs, recovered: row.recovered, missed: 0 };
        this.refresh();
      });
    } else {
      void this.loadAfterGap(awayMs, streamPosition ?? { epoch: '', offset: 0 });
    }
  }

  private async loadFirst(): Promise<void> {
    this.held = [];
    try {
      const page = await this.subscription.history({ reverse: true, limit: kPage });
      this.timeline.prepend(page.publications.map(spokenOf), kPage);
    } catch (error) {
      this.historyRefused(error);
    }
    this.release();
  }

  private async loadAfterGap(awayMs: number, top: { epoch: string; offset: number }): Promise<void> {
    this.held = [];
    this.catchingUp = true;
    let newest: Spoken[] = [];
    let { epoch, offset } = top;
    try {
      const page = await this.subscription.history({ reverse: true, limit: kPage });
      newest = page.publications.map(spokenOf);
      ({ epoch, offset } = page);
    } catch (error) {
      this.historyRefused(error); // then all that was not recovered counts as missed
    }
    const row = this.timeline.back(awayMs);
    const { newest: last } = this.timeline;
    const missed = this.timeline.resume(newest, epoch, offset);
    this.counters.missed += missed ?? 0;
    if (missed === 0) row.recovered = newest.filter((spoken) => spoken.offset > last).length; // the page sufficed
    this.counters.recovered += row.recovered;
    this.comeback = { awayMs, recovered: row.recovered, missed };
    this.catchingUp = false;
    this.release();
  }

  private historyRefused(error: unknown): void {
    const { code } = error as Refusal;
    if (code === kNotAvailable || code === kUnrecoverable) this.timeline.complete = true;
  }

  private release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const spoken of held) this.heard(spoken);
    this.refresh();
  }

  private heard(spoken: Spoken): void {
    if (this.held) {
      this.held.push(spoken);
      return;
    }
    if (!this.timeline.append(spoken, this.recovering ? 'recovered' : 'live')) return;
    this.counters.received += 1;
    if (this.recovering) {
      this.recovering.recovered += 1;
      this.counters.recovered += 1;
    }
    this.refresh();
  }

  private async readPresence(): Promise<void> {
    this.attendance.ask();
    try {
      const { clients } = await this.subscription.presence();
      this.attendance.answered(Object.values(clients));
    } catch {
      this.attendance.answered([]); // the namespace keeps none: joins and leaves are all there is
    }
    this.refresh();
  }

  private async readNames(): Promise<void> {
    this.sayName();
    try {
      const page = await this.names!.history({ reverse: true, limit: kNamesPage });
      for (const publication of page.publications) this.readName(publication, true);
    } catch {
      // Without history only those who say their name from now on have one.
    }
  }

  private readName({ data, info }: PublicationContext, older: boolean): void {
    const name: unknown = data?.name;
    if (typeof name !== 'string' || !info) return;
    this.attendance.named(info.client, name, older);
    this.refresh();
  }

  private sayName(): void {
    // Not permitted or not connected: the page goes without, and says it again when it is subscribed again.
    this.names?.publish({ name: this.name }).catch(() => {});
  }

  private refresh(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.frame += 1;
    });
  }
}
