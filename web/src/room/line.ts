// Line: what the SDK reaches the network through, so that it can be cut under it. The SDK itself is not touched: it takes
// constructors for WebSocket, fetch and EventSource as options, and learns of a cut as it would of a real one.

export class Line extends EventTarget {
  readonly WebSocket = socketsOf(this);
  readonly EventSource = sourcesOf(this);
  readonly fetch = (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
    const signal = init.signal ? AbortSignal.any([init.signal, this.signal]) : this.signal;
    return fetch(input, { ...init, signal });
  };

  /** When it mends by itself, in milliseconds since 1970; Infinity: never. Undefined while it is whole. */
  mendsAt: number | undefined;

  private cutting = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** Aborted while the line is cut. */
  get signal(): AbortSignal {
    return this.cutting.signal;
  }

  /** Ends every connection, and every attempt at another until `mend`. Infinity: not by itself. */
  cut(ms: number): void {
    clearTimeout(this.timer);
    this.mendsAt = Date.now() + ms;
    if (ms !== Infinity) this.timer = setTimeout(() => this.mend(), ms);
    this.cutting.abort();
  }

  /** Says `online`, upon which the SDK does not wait for its next attempt. */
  mend(): void {
    if (this.mendsAt === undefined) return;
    clearTimeout(this.timer);
    this.mendsAt = undefined;
    this.cutting = new AbortController();
    this.dispatchEvent(new Event('online'));
  }
}

function socketsOf(line: Line) {
  return class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols);
      const { signal } = line;
      const end = () => this.close();
      if (signal.aborted) end();
      else signal.addEventListener('abort', end);
      this.addEventListener('close', () => signal.removeEventListener('abort', end));
    }
  };
}

function sourcesOf(line: Line) {
  return class extends EventSource {
    private readonly signal = line.signal;
    private readonly end = () => {
      this.close();
      this.dispatchEvent(new Event('error'));
    };

    constructor(url: string | URL, init?: EventSourceInit) {
      super(url, init);
      if (this.signal.aborted) queueMicrotask(this.end);
      else this.signal.addEventListener('abort', this.end);
    }

    override close(): void {
      this.signal.removeEventListener('abort', this.end);
      super.close();
    }
  };
}
