import { describe, expect, it } from 'vitest';
import { EventStream } from './event_stream';

const kStream =
  ':heartbeat\r\nretry: 2000\r\nid: k3j9x0ab:16\r\n\r\n' +
  'id:k3j9x0ab:17\ndata: {"a":1}\n\n' +
  'event: gap\rid: k3j9x0ab:90\rdata: first\rdata:  second\r\r' +
  'event: nothing\n\n' +
  'data\n\n' +
  'data: cut off';
const kEvents = [
  { event: 'message', data: '', id: 'k3j9x0ab:16' },
  { event: 'message', data: '{"a":1}', id: 'k3j9x0ab:17' },
  { event: 'gap', data: 'first\n second', id: 'k3j9x0ab:90' },
  { event: 'message', data: '', id: undefined },
];

describe('EventStream', () => {
  it('reads a stream at once', () => {
    expect(new EventStream().feed(kStream)).toEqual(kEvents);
  });

  it('reads it the same however it is cut', () => {
    for (let cut = 0; cut <= kStream.length; cut++) {
      const stream = new EventStream();
      expect([...stream.feed(kStream.slice(0, cut)), ...stream.feed(kStream.slice(cut))]).toEqual(kEvents);
    }
    const stream = new EventStream();
    expect([...kStream].flatMap((character) => stream.feed(character))).toEqual(kEvents);
  });
});
