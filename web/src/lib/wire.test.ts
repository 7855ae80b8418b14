import { describe, expect, it } from 'vitest';
import { cursorRecords, parsePosition, parseRecord } from './wire';

const at = { channel: 'news', offset: 17, epoch: 'k3j9x0ab', time: 1763640000123 };

describe('parseRecord', () => {
  it('reads each kind of payload', () => {
    const kinds = [
      [{ data: { any: 'json' } }, 'json', { any: 'json' }],
      [{ data: null }, 'json', null],
      [{ text: 'hello' }, 'text', 'hello'],
      [{ text: '' }, 'text', ''],
      [{ base64: 'AAEC' }, 'binary', Uint8Array.of(0, 1, 2)],
    ] as const;
    for (const [payload, kind, data] of kinds) {
      expect(parseRecord(JSON.stringify({ ...at, ...payload }))).toEqual({ type: 'message', ...at, kind, data });
    }
  });

  it('takes a payload that looks like a control record for what it is', () => {
    const gap = { gap: { from: 1, to: 2, reason: 'expired' }, position: 'k3j9x0ab:2' };
    expect(parseRecord(JSON.stringify({ ...at, data: gap }))).toMatchObject({ type: 'message', data: gap });
  });

  it('reads control records', () => {
    expect(parseRecord('{"channel":"news","position":"k3j9x0ab:16"}')).toEqual({
      type: 'position',
      channel: 'news',
      epoch: 'k3j9x0ab',
      offset: 16,
    });
    expect(
      parseRecord('{"channel":"news","gap":{"from":17,"to":90,"reason":"expired"},"position":"k3j9x0ab:90"}'),
    ).toEqual({ type: 'gap', channel: 'news', from: 17, to: 90, reason: 'expired', epoch: 'k3j9x0ab', offset: 90 });
    expect(parseRecord('{"channel":"news","error":{"code":"E_FORBIDDEN","message":"no"}}')).toEqual({
      type: 'error',
      channel: 'news',
      code: 'E_FORBIDDEN',
      message: 'no',
    });
  });

  it('skips what it does not know', () => {
    for (const json of ['', '[]', 'null', '1', '{}', '{"channel":"a"}', '{"channel":1,"text":""}', '{"channel":"a"']) {
      expect(parseRecord(json)).toBeUndefined();
    }
  });
});

describe('positions and cursors', () => {
  it('reads positions strictly', () => {
    expect(parsePosition('k3j9x0ab:0')).toEqual({ epoch: 'k3j9x0ab', offset: 0 });
    for (const text of ['', 'k3j9x0ab', 'k3j9x0ab:', 'K3J9X0AB:1', 'k3j9x0abc:1', 'k3j9x0ab:-1', 'k3j9x0ab:1 ']) {
      expect(parsePosition(text)).toBeUndefined();
    }
  });

  it('deals a cursor out to its channels', () => {
    expect(cursorRecords(['a', 'b'], ',k3j9x0ab:4')).toEqual([
      { type: 'position', channel: 'b', epoch: 'k3j9x0ab', offset: 4 },
    ]);
    expect(cursorRecords(['a'], 'k3j9x0ab:4,k3j9x0ab:5')).toEqual([]);
  });
});
