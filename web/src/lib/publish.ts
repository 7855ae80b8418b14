// Publishing by HTTP: POST /pub/{channel} with an idempotency key, so that a retry after a lost answer never doubles.
import { endingOf, type Ending } from './doors';
import type { Kind } from './wire';

export interface Receipt {
  channel: string;
  epoch: string;
  offset: number;
  time: number;
  level: string;
}

export interface Publication {
  origin: string;
  channel: string;
  kind: Kind;
  body: string | Uint8Array<ArrayBuffer>;
  token?: string;
}

export class PublishError extends Error {
  constructor(
    /** `E_...`, or '' if the server could not be reached. */
    readonly code: string,
    message: string,
  ) {
    super(message);
    this.name = 'PublishError';
  }
}

const kContentType: { [kind in Kind]: string } = {
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
  binary: 'application/octet-stream',
};

const kAttempts = 4;
const kRetryCeilingMs = 400; // full jitter below 400, 800, 1600 ms

/** A channel as the end of a path. Slashes stay readable; quotes are escaped too, so that it can stand in a command. */
export function channelInPath(channel: string): string {
  return channel.split('/').map(encodeURIComponent).join('/').replaceAll("'", '%27');
}

/** Resolves with the server's receipt; rejects with a PublishError once it is refused or out of attempts. */
export async function publish({ origin, channel, kind, body, token }: Publication): Promise<Receipt> {
  const headers: { [name: string]: string } = { 'Content-Type': kContentType[kind], 'Idempotency-Key': newKey() };
  if (token) headers.Authorization = `Bearer ${token}`;
  for (let attempt = 1; ; attempt++) {
    let ending: Ending = {};
    try {
      const answer = await fetch(`${origin}/pub/${channelInPath(channel)}`, { method: 'POST', headers, body });
      if (answer.ok) return (await answer.json()) as Receipt;
      ending = await endingOf(answer);
    } catch {
      // Whether it was published is unknown: the same key asks again.
    }
    const transient = ending.code === undefined || ending.code === 429 || ending.code >= 500;
    if (!transient || attempt === kAttempts) {
      throw new PublishError(ending.refusal?.code ?? '', ending.refusal?.message ?? '');
    }
    const ms = (ending.retryAfterMs ?? 0) + Math.random() * kRetryCeilingMs * 2 ** (attempt - 1);
    await new Promise((resolve) => setTimeout(resolve, ms));
  }
}

// 128 random bits. Not crypto.randomUUID, which browsers offer on secure origins only, and a server on the local
// network is often none.
function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
