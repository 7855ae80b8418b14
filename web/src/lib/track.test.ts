import { describe, expect, it } from 'vitest';
import { gapLength, Track } from './track';
import type { Message } from './wire';

const message = (offset: number, epoch = 'aaaaaaaa'): Message => ({
  type: 'message',
  channel: 'news',
  offset,
  epoch,
  time: 0,
  kind: 'text',
  data: '',
});
const position = (offset: number, epoch = 'aaaaaaaa') => ({
  type: 'position' as const,
  channel: 'news',
  offset,
  epoch,
});

describe('Track', () => {
  it('knows nothing at first and starts at the announced position', () => {
    const track = new Track('news');
    expect(track.position).toBe('');
    track.start(position(16));
    expect(track.position).toBe('aaaaaaaa:16');
    expect(track.message(message(17))).toEqual({ deliver: true });
    expect(track.position).toBe('aaaaaaaa:17');
  });

  it('lets a first replay start below the announced position', () => {
    const track = new Track('news');
    track.start(position(16));
    expect(track.message(message(12))).toEqual({ deliver: true });
    expect(track.message(message(13))).toEqual({ deliver: true });
  });

  it('drops what it has seen', () => {
    const track = new Track('news');
    track.message(message(5));
    expect(track.message(message(5))).toEqual({ deliver: false });
    expect(track.message(message(4))).toEqual({ deliver: false });
    expect(track.position).toBe('aaaaaaaa:5');
  });

  it('drops a replay from below the position it resumed at', () => {
    const track = new Track('news');
    track.start(position(16));
    track.resume();
    expect(track.message(message(16))).toEqual({ deliver: false });
  });

  it('finds a hole that nobody announced', () => {
    const track = new Track('news');
    track.message(message(5));
    expect(track.message(message(9))).toEqual({
      deliver: true,
      gap: { channel: 'news', from: 6, to: 8, reason: 'hole' },
    });
    expect(track.message(message(10))).toEqual({ deliver: true });
  });

  it('finds a hole right after the announced position', () => {
    const track = new Track('news');
    track.start(position(16));
    expect(track.message(message(18)).gap).toEqual({ channel: 'news', from: 17, to: 17, reason: 'hole' });
  });

  it('finds a change of epoch that nobody announced', () => {
    const track = new Track('news');
    track.message(message(5));
    expect(track.message(message(3, 'bbbbbbbb')).gap).toEqual({
      channel: 'news',
      from: 1,
      to: 2,
      reason: 'epoch_changed',
    });
    expect(track.position).toBe('bbbbbbbb:3');
    const other = new Track('news');
    other.message(message(5));
    expect(other.message(message(1, 'bbbbbbbb'))).toEqual({ deliver: true });
  });

  it('goes on after an announced gap', () => {
    const track = new Track('news');
    track.message(message(5));
    track.gap({ type: 'gap', channel: 'news', from: 6, to: 90, reason: 'expired', epoch: 'aaaaaaaa', offset: 90 });
    expect(track.position).toBe('aaaaaaaa:90');
    expect(track.message(message(91))).toEqual({ deliver: true });
  });

  it('keeps its own position when a resumed subscription announces another', () => {
    const track = new Track('news');
    track.message(message(5));
    track.resume();
    track.start(position(9));
    expect(track.message(message(10)).gap).toEqual({ channel: 'news', from: 6, to: 9, reason: 'hole' });
  });
});

it('counts what a gap swallowed', () => {
  expect(gapLength({ from: 17, to: 90 })).toBe(74);
  expect(gapLength({ from: 1, to: 0 })).toBe(0);
});
