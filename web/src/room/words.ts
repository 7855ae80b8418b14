// Words: what a message says, whoever published it: this page says `{from, text}`, other doors anything.

export interface Words {
  /** '' if the message does not say. */
  from: string;
  text: string;
  json: boolean;
}

const kCharactersMax = 2000; // of one message: nobody reads on, and the page stays quick

const short = (text: string) => (text.length > kCharactersMax ? `${text.slice(0, kCharactersMax)} …` : text);

export function textOf(data: unknown): Words {
  if (typeof data === 'string') return { from: '', text: short(data), json: false };
  if (data !== null && typeof data === 'object' && 'text' in data && typeof data.text === 'string') {
    const from = 'from' in data && typeof data.from === 'string' ? data.from : '';
    return { from, text: short(data.text), json: false };
  }
  return { from: '', text: short(JSON.stringify(data)), json: true };
}
