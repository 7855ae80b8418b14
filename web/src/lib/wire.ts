// The records that travel on the wire (docs/protocol.md, "Envelope") as typed values. Pure: text in, values out.

export type Kind = 'json' | 'text' | 'binary';

export interface Message {
  type: 'message';
  channel: string;
  /** 0 on the raw door, where only payloads travel. */
  offset: number;
  /** '' on the raw door. */
  epoch: string;
  /** Milliseconds since 1970 by the server's clock; 0 on the raw door. */
  time: number;
  kind: Kind;
  /** A JSON value, a string or a Uint8Array, as `kind` says. */
  data: unknown;
}

export interface PositionRecord {
  type: 'position';
  channel: string;
  epoch: string;
  offset: number;
}

export interface GapRecord {
  type: 'gap';
  channel: string;
  from: number;
  to: number;
  reason: string;
  /** Where the stream goes on: the next message is `offset + 1`. */
  epoch: string;
  offset: number;
}

export interface ErrorRecord {
  type: 'error';
  channel: string;
  code: string;
  message: string;
}

export type WireRecord = Message | PositionRecord | GapRecord | ErrorRecord;

export interface Position {
  epoch: string;
  offset: number;
}

/** `epoch:offset`, or undefined if it is not one. */
export function parsePosition(text: string): Position | undefined {
  const match = /^([a-z0-9]{8}):(\d{1,16})$/.exec(text);
  return match ? { epoch: match[1], offset: Number(match[2]) } : undefined;
}

export function formatPosition({ epoch, offset }: Position): string {
  return `${epoch}:${offset}`;
}

type Fields = { [key: string]: unknown };

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const count = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** One parsed envelope; undefined for a record of a kind this version does not know, which a client skips. */
export function toRecord(value: unknown): WireRecord | undefined {
  if (!isFields(value) || typeof value.channel !== 'string') return undefined;
  const channel = value.channel;

  let kind: Kind | undefined;
  let data: unknown;
  if ('data' in value) [kind, data] = ['json', value.data];
  else if (typeof value.text === 'string') [kind, data] = ['text', value.text];
  else if (typeof value.base64 === 'string') [kind, data] = ['binary', decodeBase64(value.base64)];
  if (kind) {
    const { offset, epoch, time } = value;
    return { type: 'message', channel, offset: count(offset), epoch: text(epoch), time: count(time), kind, data };
  }

  if (isFields(value.error)) {
    return { type: 'error', channel, code: text(value.error.code), message: text(value.error.message) };
  }
  const position = parsePosition(text(value.position));
  if (!position) return undefined;
  if (isFields(value.gap)) {
    const { from, to, reason } = value.gap;
    return { type: 'gap', channel, from: count(from), to: count(to), reason: text(reason), ...position };
  }
  return { type: 'position', channel, ...position };
}

/** One envelope as text; undefined if it is not JSON or not a known record. */
export function parseRecord(json: string): WireRecord | undefined {
  try {
    return toRecord(JSON.parse(json));
  } catch {
    return undefined;
  }
}

/** What a cursor says about each channel: its elements stand in the order of the request's channels. */
export function cursorRecords(channels: string[], cursor: string): PositionRecord[] {
  const elements = cursor.split(',');
  if (elements.length !== channels.length) return [];
  return channels.flatMap((channel, i) => {
    const position = parsePosition(elements[i]);
    return position ? [{ type: 'position' as const, channel, ...position }] : [];
  });
}

function decodeBase64(base64: string): Uint8Array {
  const binary = atob(base64);
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}
