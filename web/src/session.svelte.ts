// Session: everything the page shows about one subscription. Messages only touch plain data; what the page draws from
// is refreshed once per animation frame, so that a thousand messages a second cost as much as sixty.
import { Feed } from './feed';
import { gapLength } from './lib/track';
import { Wirebird, type CatchUp, type Door, type ErrorRecord, type State } from './lib/wirebird';
import { Meter } from './meter';

export interface Settings {
  channel: string;
  door: Door;
  /** '' or `-N`. */
  since: string;
}

export interface Counters {
  received: number;
  replayed: number;
  missed: number;
  position: string;
}

/** While nobody was connected, for the plots. `to` is undefined while it lasts. */
export interface Outage {
  from: number;
  to: number | undefined;
}

const kPaceMs = 500;
const kFlyingBy = 60; // messages a second
const kFlyingFrameMs = 30;
const kOutagesMax = 100; // more than a minute can show
const kNothing: Counters = { received: 0, replayed: 0, missed: 0, position: '' };

export class Session {
  readonly origin = location.origin;
  readonly meter = new Meter();
  readonly feed = new Feed();
  readonly outages: Outage[] = [];

  settings = $state.raw<Settings>({ channel: 'news', door: 'websocket', since: '' });
  state = $state.raw<State>({ phase: 'connecting', attempt: 0 });
  /** The last comeback, until the connection is lost again. */
  comeback = $state.raw<CatchUp | undefined>(undefined);
  /** Back after a cut, but what came meanwhile is not known yet. Says nothing while there is no connection. */
  catchingUp = $state(false);
  /** A refusal that left the connection open. */
  refusal = $state.raw<ErrorRecord | undefined>(undefined);
  counters = $state.raw<Counters>(kNothing);
  /** Grows whenever the feed has changed. */
  frame = $state(0);
  /** Messages a second, over the last half second or so. */
  pace = $state(0);

  private bird: Wirebird | undefined;
  private seen: Counters = { ...kNothing };
  private scheduled = false;
  private drawnAt = 0;
  private paced = { at: 0, received: 0 };

  watch(settings: Settings): void {
    this.bird?.stop();
    this.settings = settings;
    this.seen = { ...kNothing };
    this.paced = { at: Date.now(), received: 0 };
    this.comeback = undefined;
    this.refusal = undefined;
    this.catchingUp = false;
    this.outages.length = 0;
    this.feed.clear();

    const { channel, door, since } = settings;
    const bird = new Wirebird({
      channels: [channel],
      origin: this.origin,
      door,
      since: door === 'raw' ? '' : since,
    });
    this.bird = bird;
    bird.on('state', (state) => this.became(state));
    bird.on('message', (message) => {
      this.seen.received += 1;
      if (message.arrival === 'replay') this.seen.replayed += 1;
      if (message.arrival !== 'history') this.meter.add(message.received, message.arrival, message.latency);
      this.feed.add({ type: 'message', at: message.received, message });
      this.refresh();
    });
    bird.on('gap', (gap) => {
      this.seen.missed += gapLength(gap);
      this.feed.add({ type: 'gap', at: Date.now(), gap });
      this.refresh();
    });
    bird.on('caughtUp', (comeback) => {
      this.comeback = comeback;
      this.catchingUp = false;
      this.feed.add({ type: 'back', at: Date.now(), comeback });
      this.refresh();
    });
    bird.on('error', (refusal) => (this.refusal = refusal));
    bird.start();
    this.refresh();
  }

  /** Infinity: until `connectNow()`. */
  cut(ms: number): void {
    this.bird?.cut(ms);
  }

  connectNow(): void {
    this.bird?.retryNow();
    this.bird?.start();
  }

  send(payload: string): boolean {
    return this.bird?.send(payload) ?? false;
  }

  /** The publisher's receipt tells how far apart the clocks are. */
  answered(asked: number, time: number): void {
    this.bird?.clock.answered(asked, time);
  }

  private became(state: State): void {
    const wasOpen = this.state.phase === 'open';
    this.state = state;
    const now = Date.now();
    const outage = this.outages.at(-1);
    if (state.phase === 'open') {
      if (outage) outage.to ??= now;
    } else if (wasOpen) {
      this.comeback = undefined;
      this.catchingUp = true;
      this.feed.add({ type: 'lost', at: now });
      this.outages.push({ from: now, to: undefined });
      if (this.outages.length > kOutagesMax) this.outages.shift();
      this.refresh();
    }
  }

  private refresh(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame((time) => this.draw(time));
  }

  private draw(time: number): void {
    // Nobody reads rows that fly by: half the frames are as smooth and leave the other half of the time to everything else.
    if (this.pace > kFlyingBy && time - this.drawnAt < kFlyingFrameMs) {
      requestAnimationFrame((later) => this.draw(later));
      return;
    }
    this.scheduled = false;
    this.drawnAt = time;
    this.frame += 1;
    this.counters = { ...this.seen, position: this.bird?.cursor ?? '' };

    const now = Date.now();
    const elapsedMs = now - this.paced.at;
    if (elapsedMs < kPaceMs) return;
    this.pace = ((this.seen.received - this.paced.received) * 1000) / elapsedMs;
    this.paced = { at: now, received: this.seen.received };
  }
}
