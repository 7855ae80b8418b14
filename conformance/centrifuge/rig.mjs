// What the tests of the official JavaScript SDK share: its transports, clients that end with their test, events that are
// awaited with a deadline, tokens, the server's HTTP API, and a line to the server that can be cut or stalled.
//
// test_centrifuge_js.py starts the server and says where it is in the environment variable CENTRIFUGE_RIG.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import net from "node:net";
import { after, describe, test } from "node:test";

import { Centrifuge as Json } from "centrifuge";
import { Centrifuge as Protobuf } from "centrifuge/build/protobuf";
import EventSource from "eventsource";
import WebSocket from "ws";

export const server = JSON.parse(process.env.CENTRIFUGE_RIG); // {port, admin, token_key, api_key, pid, dev}
export const DEADLINE_MS = 20_000; // only what hangs reaches it

const json = {
  Sdk: Json,
  pack: (value) => value,
  unpack: (data) => data,
};
const protobuf = {
  Sdk: Protobuf,
  pack: (value) => new TextEncoder().encode(JSON.stringify(value)),
  unpack: (data) => (data === undefined || data.length === 0 ? undefined : JSON.parse(new TextDecoder().decode(data))),
};
const websocket = (port) => `ws://127.0.0.1:${port}/connection/websocket`;
const emulated = (transport) => (port) => [{ transport, endpoint: `http://127.0.0.1:${port}/connection/${transport}` }];

export const TRANSPORTS = [
  { name: "WebSocket, JSON", kind: "websocket", format: "json", ...json, endpoint: websocket },
  { name: "WebSocket, Protobuf", kind: "websocket", format: "protobuf", ...protobuf, endpoint: websocket },
  { name: "HTTP stream, JSON", kind: "http_stream", format: "json", ...json, endpoint: emulated("http_stream") },
  { name: "HTTP stream, Protobuf", kind: "http_stream", format: "protobuf", ...protobuf, endpoint: emulated("http_stream") },
  { name: "event stream, JSON", kind: "sse", format: "json", ...json, endpoint: emulated("sse") },
];

// Why some tests are left out.
export const API_WAITS = false;

// Declares a test for each transport that `fits`, all at the same time; body(door): see Door.
export function each(name, body, { fits = () => true, waits = false } = {}) {
  describe(name, { concurrency: true }, () => {
    for (const transport of TRANSPORTS.filter(fits)) {
      test(`${name} (${transport.name})`, { skip: waits, timeout: 4 * DEADLINE_MS }, (t) => body(new Door(t, transport)));
    }
  });
}

export const onWebSocket = (transport) => transport.kind === "websocket";
export const configured = () => !server.dev; // needs namespaces or tokens

// One test's way to the server: clients of one transport.
export class Door {
  constructor(t, transport) {
    Object.assign(this, { t, transport, pack: transport.pack, unpack: transport.unpack });
  }

  // A client that has not connected. `port` is another one when the way leads over a Line.
  client(options = {}, port = server.port) {
    const client = new this.transport.Sdk(this.transport.endpoint(port), {
      websocket: WebSocket,
      eventsource: EventSource,
      emulationEndpoint: `http://127.0.0.1:${port}/emulation`,
      minReconnectDelay: 20,
      maxReconnectDelay: 200,
      timeout: DEADLINE_MS,
      ...(server.dev ? {} : { token: token() }),
      ...options,
    });
    client.log = new Log(client, "connecting", "connected", "disconnected", "error", "message", "subscribed", "subscribing", "unsubscribed", "publication", "join", "leave");
    this.t.after(() => client.disconnect());
    return client;
  }

  // A connected one.
  async connected(options = {}, port = server.port) {
    const client = this.client(options, port);
    client.connect();
    await client.ready(DEADLINE_MS);
    return client;
  }

  // A subscription that has not begun.
  subscription(client, channel, options = {}) {
    const sub = client.newSubscription(channel, { minResubscribeDelay: 20, maxResubscribeDelay: 200, ...options });
    sub.log = new Log(sub, "subscribing", "subscribed", "unsubscribed", "publication", "join", "leave", "error");
    return sub;
  }

  // A live one.
  async subscribed(client, channel, options = {}) {
    const sub = this.subscription(client, channel, options);
    sub.subscribe();
    await sub.ready(DEADLINE_MS);
    return sub;
  }

  async line() {
    const line = new Line();
    this.t.after(() => line.close());
    await line.open();
    return line;
  }
}

// What an emitter said, in order; what was awaited is taken out.
export class Log {
  constructor(emitter, ...names) {
    this.seen = [];
    this.wake = () => {};
    for (const name of names) {
      emitter.on(name, (context) => {
        this.seen.push({ name, context });
        this.wake();
      });
    }
  }

  // The context of the first event of this name that fits and was not taken.
  async next(name, fits = () => true) {
    const found = await until(
      () => this.seen.findIndex((event) => event.name === name && fits(event.context)) + 1,
      () => `no event "${name}"; there were ${text(this.seen)}`,
      (wake) => (this.wake = wake),
    );
    return this.seen.splice(found - 1, 1)[0].context;
  }

  // As many as that, in order.
  async take(name, count) {
    const events = [];
    while (events.length < count) events.push(await this.next(name));
    return events;
  }

  // Those of this name that were not taken.
  all(name) {
    return this.seen.filter((event) => event.name === name).map((event) => event.context);
  }
}

const text = (value) => JSON.stringify(value, (_, each) => (each instanceof Error ? each.message : each));

// Waits until `ask` gives something true; `listen` is told whom to call when it is worth asking again.
async function until(ask, complaint, listen) {
  let found = ask();
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(complaint())), DEADLINE_MS)));
  try {
    while (!found) {
      await Promise.race([new Promise(listen), late]);
      found = ask();
    }
  } finally {
    clearTimeout(timer);
    late.catch(() => {});
  }
  return found;
}

// Waits for something outside that tells nobody when it is so; asks again and again.
export async function eventually(ask, what, deadline_ms = DEADLINE_MS) {
  const end = Date.now() + deadline_ms;
  for (;;) {
    const found = await ask();
    if (found) return found;
    assert.ok(Date.now() < end, `never true: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

// What a promise of the SDK is rejected with, without the parts that say nothing.
export async function refusal(promise) {
  return promise.then(
    () => assert.fail("was not refused"),
    (error) => {
      if (error.code === undefined) throw error;
      return { code: error.code, message: error.message };
    },
  );
}

// A channel that no other test uses. --dev has the default namespace only.
let channels = 0;
export function channel(namespace = "open") {
  const name = `${process.pid}.${++channels}.${randomBytes(3).toString("hex")}`;
  return server.dev ? name : `${namespace}:${name}`;
}

export function sign(claims, key = server.token_key) {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}

export const now = () => Math.floor(Date.now() / 1000);
export const LONG_AGO = -3600; // clocks may differ by a minute
export const USER = "alice";

// A connection token, for an hour unless `claims` says otherwise.
export const token = (claims = {}) => sign({ sub: USER, exp: now() + 3600, ...claims });

export const subscriptionToken = (channel, claims = {}) => sign({ sub: USER, channel, exp: now() + 3600, ...claims });

// What the doors beside the SDK's are asked with.
export const credential = server.dev ? {} : { "X-API-Key": server.api_key };

// The HTTP API. Its answer, without the wrapping that the calls of the Centrifuge API have.
export async function api(method, body) {
  const response = await fetch(`http://127.0.0.1:${server.admin}/api/${method}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...credential },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  assert.equal(response.status, 200, `/api/${method} ${JSON.stringify(body)}: ${JSON.stringify(answer)}`);
  assert.equal(answer.error, undefined, `/api/${method} ${JSON.stringify(body)}: ${JSON.stringify(answer)}`);
  return answer.result ?? answer;
}

export const publish = (channel, data, more = {}) => api("publish", { channel, data, ...more });

// `first` to `last`, each one published before the next.
export async function publishNumbers(channel, first, last) {
  for (let n = first; n <= last; ++n) await publish(channel, { n });
}

export const numbers = (first, last) => Array.from({ length: last - first + 1 }, (_, i) => ({ n: first + i }));

// A TCP line to the server, for clients that connect to its `port`.
export class Line {
  constructor() {
    this.pairs = new Set();
    this.stalled = new Set(); // "up", "down"
    this.refuses = false;
    this.accepted = 0;
    this.listener = net.createServer((near) => this.#join(near));
  }

  async open() {
    await new Promise((resolve) => this.listener.listen(0, "127.0.0.1", resolve));
    this.port = this.listener.address().port;
  }

  #join(near) {
    ++this.accepted;
    if (this.refuses) return near.destroy();
    const far = net.connect(server.port, "127.0.0.1");
    const pair = { near, far };
    this.pairs.add(pair);
    const end = (one, other, way) => {
      one.destroy();
      if (this.stalled.has(way)) return;
      other.destroy();
      this.pairs.delete(pair);
    };
    near.setNoDelay(true).on("error", () => {}).on("close", () => end(near, far, "up"));
    far.setNoDelay(true).on("error", () => {}).on("close", () => end(far, near, "down"));
    near.on("data", (data) => this.stalled.has("up") || far.write(data));
    far.on("data", (data) => this.stalled.has("down") || near.write(data));
  }

  // Ends every connection that is open now.
  cut() {
    for (const pair of this.pairs) {
      pair.near.destroy();
      pair.far.destroy();
    }
    this.pairs.clear();
  }

  // From now on nothing arrives any more, "up" at the server or "down" at the client, not even the end of a connection.
  stall(direction) {
    this.stalled.add(direction);
  }

  // New connections are usable; those that were stalled have lost something, and end.
  heal() {
    this.cut();
    this.stalled.clear();
    this.refuses = false;
  }

  close() {
    this.cut();
    this.listener.close();
  }
}

// Idle connections of fetch would keep the process for some seconds.
after(() => globalThis[Symbol.for("undici.globalDispatcher.1")]?.close?.());
