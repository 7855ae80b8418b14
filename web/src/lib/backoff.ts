// Backoff: how long to wait before the next attempt. Full jitter: uniform between nothing and a ceiling that doubles,
// so that a million clients cut at once come back spread out. Forgets failures only after a stable while.

export interface BackoffOptions {
  baseMs: number;
  capMs: number;
  /** A connection that lived this long was good, and the next failure starts from the beginning. */
  stableMs: number;
}

export const defaultBackoff: BackoffOptions = { baseMs: 500, capMs: 30_000, stableMs: 30_000 };

export class Backoff {
  private failures = 0;

  constructor(
    private readonly options: BackoffOptions,
    private readonly random: () => number,
  ) {}

  get attempt(): number {
    return this.failures;
  }

  /** The last connection lived for `livedMs`, 0 if it never opened. `atLeastMs` is the server's own wish. */
  failed(livedMs: number, atLeastMs = 0): number {
    if (livedMs >= this.options.stableMs) this.failures = 0;
    const ceiling = Math.min(this.options.capMs, this.options.baseMs * 2 ** this.failures);
    this.failures += 1;
    return atLeastMs + this.random() * ceiling;
  }

  reset(): void {
    this.failures = 0;
  }
}
