// The doors: three ways to hold one subscription open. Each turns its protocol into the same calls on a Line; none of
// them knows about resuming, retrying or counting, which is the business of Wirebird.
import { EventStream } from './event_stream';
import { cursorRecords, parseRecord, toRecord, type Message, type WireRecord } from './wire';

export type Door = 'websocket' | 'raw' | 'sse' | 'poll';

export interface Target {
  /** `http://host:port`, no slash at the end. */
  origin: string;
  channels: string[];
  /** A cursor, `-N` or a time; '' for now. */
  since: string;
  token: string;
  /** Whether a failed WebSocket handshake is worth a second request that asks why. */
  explain: boolean;
}

export interface Refusal {
  code: string;
  message: string;
}

/** Why a connection is over. */
export interface Ending {
  /** The server's word for it, if it gave one. */
  refusal?: Refusal;
  /** WebSocket close code or HTTP status, if there was one. */
  code?: number;
  retryAfterMs?: number;
  /** A server that restarts asks its clients to come back at a random moment within this time. */
  comeBack?: { minMs: number; maxMs: number };
}

/** What a door tells its owner. Nothing is told after `ended`, nor after `close()`. */
export interface Line {
  /** The subscription stands; `since` is our time before which everything that comes is history. */
  opened(since: number): void;
  records(records: WireRecord[]): void;
  /** A sign of life without content. */
  alive(): void;
  ended(ending: Ending): void;
}

export interface Connection {
  /** Drops the connection without a word to the Line. */
  close(): void;
  /** Publishes over the connection, where the door can. */
  send?(payload: string | Uint8Array): void;
}

export function openDoor(door: Door, target: Target, line: Line): Connection {
  switch (door) {
    case 'websocket':
      return openWebSocket(target, line, 'envelope');
    case 'raw':
      return openWebSocket(target, line, 'raw');
    case 'sse':
      return openEventStream(target, line);
    case 'poll':
      return openPoll(target, line);
  }
}

// What opening may take. A network that swallows packets without a word would otherwise cost minutes; on a slow one, TCP
// and TLS still fit in.
const kOpenMs = 10_000;

/** `/ws?channel=a&since=...`: the one URL form that works for any number of channels and any name. */
function pathOf(door: string, { channels, since }: Target, extra: { [name: string]: string } = {}): string {
  const query = new URLSearchParams(channels.map((channel) => ['channel', channel]));
  if (since) query.set('since', since);
  for (const [name, value] of Object.entries(extra)) query.set(name, value);
  return `/${door}?${query}`;
}

const bearer = (token: string): { [name: string]: string } => (token ? { Authorization: `Bearer ${token}` } : {});

// --- WebSocket ------------------------------------------------------------------------------------------------------

function openWebSocket(target: Target, line: Line, mode: 'envelope' | 'raw'): Connection {
  const path = pathOf('ws', target, { meta: mode === 'raw' ? '0' : '1' });
  // Browsers insist on an answer to an offered subprotocol, and the server never echoes the token.
  const protocols = target.token ? [`wirebird.bearer.${target.token}`, 'wirebird'] : [];
  const socket = new WebSocket(target.origin.replace(/^http/, 'ws') + path, protocols);
  socket.binaryType = 'arraybuffer';
  let opened = false;
  const forget = () => {
    overdue.clear();
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  };
  const overdue = new Deadline(() => {
    forget();
    line.ended({});
  });
  overdue.set(kOpenMs);

  socket.onopen = () => {
    opened = true;
    overdue.clear();
    line.opened(Date.now());
  };
  socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    const record = mode === 'raw' ? rawMessage(target.channels[0], data) : parseRecord(String(data));
    if (record) line.records([record]);
  };
  socket.onclose = async ({ code, reason }) => {
    overdue.clear();
    if (opened) return line.ended({ code, ...parseReason(reason) });
    // A refused handshake looks like a dead server to a browser: ask another door for the reason.
    const ending = target.explain ? await askForReason(target) : {};
    if (socket.onclose) line.ended(ending);
  };

  return {
    close: forget,
    send: (payload) => socket.send(payload as string | Uint8Array<ArrayBuffer>),
  };
}

function rawMessage(channel: string, frame: string | ArrayBuffer): Message {
  const binary = typeof frame !== 'string';
  const data = binary ? new Uint8Array(frame) : frame;
  return { type: 'message', channel, offset: 0, epoch: '', time: 0, kind: binary ? 'binary' : 'text', data };
}

/** A close reason of ours is `E_CODE text`, or `E_DRAINING {"retry_min_ms":100,"retry_max_ms":10000}`. */
function parseReason(reason: string): Ending {
  const match = /^(E_[A-Z_]+) ?(.*)$/s.exec(reason);
  if (!match) return {};
  const [, code, message] = match;
  const window = /^\{"retry_min_ms":(\d+),"retry_max_ms":(\d+)\}$/.exec(message);
  if (!window) return { refusal: { code, message } };
  return { refusal: { code, message: '' }, comeBack: { minMs: Number(window[1]), maxMs: Number(window[2]) } };
}

async function askForReason(target: Target): Promise<Ending> {
  try {
    const answer = await askOnce(target);
    return answer.ok ? {} : await endingOf(answer);
  } catch {
    return {};
  }
}

// --- Server-sent events ---------------------------------------------------------------------------------------------

// Heartbeats come every 15 s by default; four missing ones mean that nobody is there.
const kStreamSilenceMs = 60_000;

// fetch and not EventSource: an event with nothing but an id must be seen, heartbeats too, and a token must be sent.
function openEventStream(target: Target, line: Line): Connection {
  const abort = new AbortController();
  const silence = new Deadline(() => abort.abort());
  const url = target.origin + pathOf('sse', target);
  const headers = { Accept: 'text/event-stream', ...bearer(target.token) };
  let closed = false;

  const read = async (): Promise<Ending> => {
    silence.set(kOpenMs);
    const answer = await fetch(url, { headers, cache: 'no-store', signal: abort.signal });
    if (!answer.ok || !answer.body) return endingOf(answer);
    if (closed) return {};
    silence.set(kStreamSilenceMs);
    line.opened(Date.now());
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    const stream = new EventStream();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || closed) return {};
      silence.set(kStreamSilenceMs);
      line.alive();
      const records = stream
        .feed(decoder.decode(value, { stream: true }))
        .flatMap(({ data, id }) => (data ? (parseRecord(data) ?? []) : cursorRecords(target.channels, id ?? '')));
      if (records.length > 0) line.records(records);
    }
  };

  void untilOver(read).then((ending) => {
    silence.clear();
    if (!closed) line.ended(ending);
  });
  return {
    close() {
      closed = true;
      silence.clear();
      abort.abort();
    },
  };
}

// --- Long polling ---------------------------------------------------------------------------------------------------

const kPollTimeoutS = 25;
const kPollGraceMs = kOpenMs; // what an answer may take beyond the time the server was asked to hold it

interface PollAnswer {
  messages: unknown[];
  cursor: string;
}

function openPoll(target: Target, line: Line): Connection {
  const abort = new AbortController();
  const overdue = new Deadline(() => abort.abort());
  const headers = bearer(target.token);
  let closed = false;

  const read = async (): Promise<Ending> => {
    let since = target.since;
    // The first answer proves that the subscription stands, so it is asked for soon.
    for (let timeoutS = 1; ; timeoutS = kPollTimeoutS) {
      const asked = Date.now();
      overdue.set(timeoutS * 1000 + kPollGraceMs);
      const path = pathOf('poll', { ...target, since }, { timeout: String(timeoutS), limit: '1000' });
      const answer = await fetch(target.origin + path, { headers, cache: 'no-store', signal: abort.signal });
      if (!answer.ok) return endingOf(answer);
      const { messages, cursor } = (await answer.json()) as PollAnswer;
      if (closed) return {};
      if (timeoutS === 1) line.opened(asked);
      line.alive();
      line.records([...messages.flatMap((m) => toRecord(m) ?? []), ...cursorRecords(target.channels, cursor)]);
      since = cursor;
    }
  };

  void untilOver(read).then((ending) => {
    overdue.clear();
    if (!closed) line.ended(ending);
  });
  return {
    close() {
      closed = true;
      overdue.clear();
      abort.abort();
    },
  };
}

/**
 * Whether the server holds messages after `cursor` that should have arrived by now. Asks over a path of its own, so that
 * a connection which is dead without knowing it is found out. Rejects if the server cannot be reached.
 */
export async function hasNewer(target: Target): Promise<boolean> {
  const answer = await askOnce(target);
  return answer.ok && ((await answer.json()) as PollAnswer).messages.length > 0;
}

/** One poll that does not wait: the subscription as the server sees it, by plain HTTP. */
async function askOnce(target: Target): Promise<Response> {
  const abort = new AbortController();
  const overdue = new Deadline(() => abort.abort());
  overdue.set(kPollGraceMs);
  try {
    const url = target.origin + pathOf('poll', target, { timeout: '1', limit: '1' });
    return await fetch(url, { headers: bearer(target.token), cache: 'no-store', signal: abort.signal });
  } finally {
    overdue.clear();
  }
}

// --- Shared ---------------------------------------------------------------------------------------------------------

/** An answer that is not 2xx carries `{code, message, retry_after?}`; a proxy in between may say anything. */
export async function endingOf(answer: Response): Promise<Ending> {
  const body = (await answer.json().catch(() => ({}))) as { [key: string]: unknown };
  const { code, message, retry_after } = body;
  return {
    code: answer.status,
    refusal: typeof code === 'string' ? { code, message: String(message ?? '') } : undefined,
    retryAfterMs: typeof retry_after === 'number' ? retry_after * 1000 : undefined,
  };
}

async function untilOver(read: () => Promise<Ending>): Promise<Ending> {
  try {
    return await read();
  } catch {
    return {}; // the network, or our own abort
  }
}

class Deadline {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly expired: () => void) {}

  set(ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.expired, ms);
  }

  clear(): void {
    clearTimeout(this.timer);
  }
}
