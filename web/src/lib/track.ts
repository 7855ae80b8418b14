// Track: what one client knows about one channel, and the proof that nothing is missing. It checks for itself that the
// offsets are contiguous and does not rely on the server to announce every gap. Pure.
import type { GapRecord, Message, PositionRecord } from './wire';

export interface Gap {
  channel: string;
  from: number;
  to: number;
  /** The server's reason, or `hole`: the server skipped offsets without a word. */
  reason: string;
}

/** `duplicate`: seen already, to be dropped. */
export interface Verdict {
  deliver: boolean;
  gap?: Gap;
}

export class Track {
  private epoch = '';
  private next = 0; // the offset that must come; 0: nothing known yet
  private fresh = true; // no message yet: a replay may start below the announced position

  constructor(readonly channel: string) {}

  /** `epoch:offset` of the last message seen or announced, '' while nothing is known. */
  get position(): string {
    return this.next === 0 ? '' : `${this.epoch}:${this.next - 1}`;
  }

  /** The subscription starts anew from `position`, so what comes must follow it. */
  resume(): void {
    if (this.next !== 0) this.fresh = false;
  }

  start(record: PositionRecord): void {
    if (this.next !== 0) return; // we know better: the check on the next message decides
    this.epoch = record.epoch;
    this.next = record.offset + 1;
  }

  message({ channel, epoch, offset }: Message): Verdict {
    const known = this.next !== 0;
    const expected = epoch === this.epoch ? this.next : 1;
    if (known && epoch === this.epoch && offset < expected && !this.fresh) return { deliver: false };

    const hole = known && offset > expected;
    const reason = epoch === this.epoch ? 'hole' : 'epoch_changed';
    this.epoch = epoch;
    this.next = offset + 1;
    this.fresh = false;
    return hole ? { deliver: true, gap: { channel, from: expected, to: offset - 1, reason } } : { deliver: true };
  }

  /** An announced gap: what comes next is `offset + 1` of its position. */
  gap({ channel, from, to, reason, epoch, offset }: GapRecord): Gap {
    this.epoch = epoch;
    this.next = offset + 1;
    this.fresh = false;
    return { channel, from, to, reason };
  }
}

/** How many messages a gap swallowed; none if an epoch began empty (`from` > `to`). */
export function gapLength({ from, to }: { from: number; to: number }): number {
  return Math.max(0, to - from + 1);
}
