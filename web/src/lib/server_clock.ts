// ServerClock: the difference between the server's clock and ours, narrowed from what is seen anyway. Each message
// bounds it from one side (it was numbered before it arrived), each answered publish from the other. Pure.

export class ServerClock {
  // skew = server clock - our clock, in milliseconds, is known to lie in [low, high].
  private low = -Infinity;
  private high = Infinity;

  /** A message numbered at server time `time` arrived at our time `received`. */
  arrived(time: number, received: number): void {
    this.low = Math.max(this.low, time - received);
    if (this.low > this.high) this.high = Infinity; // one of the clocks was set: believe the newest
  }

  /** A publish asked at our time `asked` was numbered at server time `time`, which is cut to whole milliseconds. */
  answered(asked: number, time: number): void {
    this.high = Math.min(this.high, time + 1 - asked);
    if (this.low > this.high) this.low = -Infinity;
  }

  /** The server's `time` on our clock. Two clocks that may agree are taken to agree. */
  toLocal(time: number): number {
    return time - this.skew;
  }

  private get skew(): number {
    if (this.low <= 0 && this.high >= 0) return 0;
    if (this.low === -Infinity) return this.high;
    if (this.high === Infinity) return this.low;
    return (this.low + this.high) / 2;
  }
}
