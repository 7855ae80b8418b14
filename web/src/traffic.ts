// Traffic: publishes numbered messages at a steady rate over a raw WebSocket of its own, so that it goes on while the
// connection under test is cut.

const kStepMs = 20;
const kBufferedBytesMax = 256 * 1024; // beyond, the server is slower than the rate: skip, do not pile up

const kSymbols = ['WREN', 'LARK', 'ROOK', 'IBIS', 'TERN', 'KITE'];

export class Traffic {
  private socket: WebSocket | undefined;
  private timer: ReturnType<typeof setInterval> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private sent = 0;
  private owed = 0;

  /** `perSecond` 0 stops. */
  run(origin: string, channel: string, perSecond: number): void {
    this.stop();
    if (perSecond === 0) return;
    const query = new URLSearchParams({ channel, meta: '0', kind: 'json' });
    const socket = new WebSocket(`${origin.replace(/^http/, 'ws')}/ws?${query}`);
    this.socket = socket;
    this.owed = 1; // the first one at once
    let stepped = performance.now();
    this.timer = setInterval(() => {
      const now = performance.now();
      // A hidden tab is woken once a second or less: at most one second's worth is made good.
      this.owed = Math.min(this.owed + ((now - stepped) / 1000) * perSecond, Math.max(perSecond, 1));
      stepped = now;
      if (socket.readyState !== WebSocket.OPEN || socket.bufferedAmount > kBufferedBytesMax) return;
      for (; this.owed >= 1; this.owed--) socket.send(this.next());
    }, kStepMs);
    socket.onclose = () => {
      this.stop();
      this.retry = setTimeout(() => this.run(origin, channel, perSecond), 1000 + Math.random() * 2000);
    };
  }

  stop(): void {
    clearInterval(this.timer);
    clearTimeout(this.retry);
    if (this.socket) {
      this.socket.onclose = null;
      this.socket.close();
    }
    this.socket = undefined;
  }

  private next(): string {
    const n = ++this.sent;
    const symbol = kSymbols[Math.floor(Math.random() * kSymbols.length)];
    const price = (20 + 80 * Math.abs(Math.sin(n / 400 + symbol.charCodeAt(0)))).toFixed(2);
    return `{"n":${n},"symbol":"${symbol}","price":${price}}`;
  }
}
