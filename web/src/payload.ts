// Payloads as text for people.
import type { Message } from './lib/wirebird';

const kPreviewMax = 400; // more than fits a line
const kFullMax = 100_000;

// A row is drawn many times, and a payload may be a megabyte.
const previews = new WeakMap<Message, string>();

/** One line. `binary` words the length of binary payloads. */
export function preview(message: Message, binary: (bytes: number) => string): string {
  let text = previews.get(message);
  if (text === undefined) {
    const { kind, data } = message;
    if (kind === 'binary') text = hex((data as Uint8Array).subarray(0, 16));
    else text = (kind === 'text' ? (data as string) : JSON.stringify(data)).slice(0, kPreviewMax).replace(/\s+/g, ' ');
    previews.set(message, text);
  }
  return message.kind === 'binary' ? `${binary((message.data as Uint8Array).length)}  ${text}` : text;
}

export interface Field {
  key: string;
  text: string;
}

const kFieldsMax = 12;
const kFieldMax = 120;
const fieldsOf = new WeakMap<Message, Field[]>();

/** What a JSON object says, field by field, for a line; undefined for every other payload. */
export function fields(message: Message): Field[] | undefined {
  const { kind, data } = message;
  if (kind !== 'json' || typeof data !== 'object' || data === null || Array.isArray(data)) return undefined;
  let known = fieldsOf.get(message);
  if (known === undefined) {
    known = Object.entries(data)
      .slice(0, kFieldsMax)
      .map(([key, value]) => {
        const text = typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
        return { key: key.slice(0, kFieldMax), text: text.slice(0, kFieldMax).replace(/\s+/g, ' ') };
      });
    fieldsOf.set(message, known);
  }
  return known.length > 0 ? known : undefined;
}

/** Everything, JSON laid out, binary in hexadecimal. */
export function fullText({ kind, data }: Message): string {
  const text =
    kind === 'binary'
      ? hex((data as Uint8Array).subarray(0, kFullMax))
      : kind === 'text'
        ? (data as string)
        : JSON.stringify(data, null, 2);
  return text.length > kFullMax ? `${text.slice(0, kFullMax)} …` : text;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
