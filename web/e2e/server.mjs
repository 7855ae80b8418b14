// The real binary on a port of its own, and a line to it that can be cut.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const kStartMs = 60_000;
const kStopMs = 10_000;

/** Resolves with the first truthy result; the deadline, not the pace, decides about failure. */
export async function until(what, ms, condition) {
  const deadline = Date.now() + ms;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export class Server {
  constructor(binary, port) {
    this.binary = binary;
    this.port = port;
    this.origin = `http://127.0.0.1:${port}`;
    this.output = '';
  }

  async start() {
    this.process = spawn(this.binary, ['serve', '--dev', '--listen', `127.0.0.1:${this.port}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on('data', (data) => (this.output = (this.output + data).slice(-20_000)));
    }
    await until(`the server answers on port ${this.port}\n${this.output}`, kStartMs, () => {
      if (this.process.exitCode !== null) throw new Error(`the server ended: ${this.output}`);
      return fetch(`${this.origin}/health`).then(
        (answer) => answer.ok,
        () => false,
      );
    });
  }

  async stop(signal = 'SIGTERM') {
    if (!this.process || this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    const late = setTimeout(() => this.process.kill('SIGKILL'), kStopMs);
    await ended;
    clearTimeout(late);
  }

  /** The receipt of `POST /pub`. */
  async publish(channel, body, type = 'text/plain') {
    const answer = await fetch(`${this.origin}/pub/${encodeURIComponent(channel)}`, {
      method: 'POST',
      headers: { 'Content-Type': type },
      body,
    });
    if (!answer.ok) throw new Error(`publish: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** One after the other, `prefix 1` to `prefix n`; the receipt of the last. */
  async publishMany(channel, n, prefix) {
    let receipt;
    for (let i = 1; i <= n; i++) receipt = await this.publish(channel, `${prefix} ${i}`);
    return receipt;
  }
}

/**
 * Forwards a port. `cut()` drops every connection and refuses new ones; `mend()` takes them again. `stall()` leaves every
 * connection open but dead, as a closed lid does.
 */
export class Proxy {
  constructor(port) {
    this.target = port;
    this.sockets = new Set();
    this.isCut = false;
  }

  async start() {
    this.server = createServer((near) => {
      if (this.isCut) return near.destroy();
      const far = connect(this.target, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ]) {
        this.sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('close', () => {
          this.sockets.delete(socket);
          other.destroy();
        });
      }
      near.pipe(far).pipe(near);
    }).listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    this.origin = `http://127.0.0.1:${this.server.address().port}`;
  }

  cut() {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  stall() {
    for (const socket of this.sockets) socket.unpipe().pause();
  }

  mend() {
    this.isCut = false;
  }

  async stop() {
    this.cut();
    this.server.close();
    await once(this.server, 'close');
  }
}
