// Connecting, staying connected, coming back.
import assert from "node:assert/strict";
import { test } from "node:test";

import WebSocket from "ws";

import { API_WAITS, DEADLINE_MS, Door, LONG_AGO, TRANSPORTS, USER, api, channel, each, eventually, now, onWebSocket, refusal, server, sign, subscriptionToken, token } from "./rig.mjs";

each("connect, ready, disconnect, and the same again", async (door) => {
  const client = door.client({ data: door.pack({ any: "data" }), name: "tests", version: "1.2.3" });
  assert.equal(client.state, "disconnected");
  const ids = [];
  for (let round = 0; round < 2; ++round) {
    client.connect();
    assert.equal(client.state, "connecting");
    assert.deepEqual(await client.log.next("connecting"), { code: 0, reason: "connect called" });
    await client.ready(DEADLINE_MS);
    const context = await client.log.next("connected");
    assert.equal(context.transport, door.transport.kind);
    assert.match(context.client, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    ids.push(context.client);
    client.disconnect();
    assert.deepEqual(await client.log.next("disconnected"), { code: 0, reason: "disconnect called" });
    assert.equal(client.state, "disconnected");
  }
  assert.notEqual(ids[0], ids[1]);
  assert.deepEqual(client.log.all("error"), []);
});

each("a client without a token is refused, for good", async (door) => {
  const client = door.client({ token: "" });
  client.connect();
  assert.deepEqual(await client.log.next("disconnected"), { code: 3501, reason: "bad request" });
});

each("an invalid token is refused, for good", async (door) => {
  const [head, claims] = token().split(".");
  for (const wrong of ["nonsense", sign({ sub: USER }, "another-key-for-tests-0123456789abcdef"), `${head}.${claims}.`, subscriptionToken("open:x"), token({ nbf: now() + 3600 })]) {
    const client = door.client({ token: wrong });
    client.connect();
    assert.deepEqual(await client.log.next("disconnected"), { code: 3500, reason: "invalid token" }, wrong);
  }
});

each("a token comes from getToken", async (door) => {
  const asked = [];
  const client = await door.connected({ token: "", getToken: async (context) => (asked.push(context), token()) });
  assert.deepEqual(asked, [{}]);
  client.disconnect();
});

each("an expired token is fetched anew", async (door) => {
  let asked = 0;
  const client = door.client({ token: token({ exp: now() + LONG_AGO }), getToken: async () => (++asked, token()) });
  client.connect();
  const { type, error } = await client.log.next("error");
  assert.deepEqual({ type, ...error }, { type: "connect", code: 109, message: "token expired", temporary: false });
  await client.log.next("connected");
  assert.equal(asked, 1);
});

each("an expired token without getToken ends it", async (door) => {
  const client = door.client({ token: token({ exp: now() + LONG_AGO }) });
  client.connect();
  assert.deepEqual(await client.log.next("disconnected"), { code: 1, reason: "unauthorized" });
});

each("a token that runs out is refreshed, without a gap", async (door) => {
  const name = channel();
  let asked = 0;
  const client = await door.connected({
    token: token({ exp: now() + 2 }),
    getToken: async () => (++asked < 3 ? token({ exp: now() + 2 }) : token()),
  });
  const sub = await door.subscribed(client, name);
  await eventually(() => asked === 3, "three refreshes");
  await client.publish(name, door.pack({ still: "here" }));
  assert.deepEqual(door.unpack((await sub.log.next("publication")).data), { still: "here" });
  assert.deepEqual([client.log.all("connected").length, client.log.all("error"), client.log.all("disconnected")], [1, [], []]);
});

each("a refresh with the token of somebody else ends it", async (door) => {
  const client = await door.connected({ token: token({ exp: now() + 2 }), getToken: async () => token({ sub: "mallory" }) });
  assert.deepEqual(await client.log.next("disconnected"), { code: 3500, reason: "invalid token" });
});

each("getToken that says unauthorized ends it", async (door) => {
  const client = door.client({
    token: "",
    getToken: async () => {
      throw new door.transport.Sdk.UnauthorizedError("");
    },
  });
  client.connect();
  assert.deepEqual(await client.log.next("disconnected"), { code: 1, reason: "unauthorized" });
});

each("a cut line is mended, with a longer and longer pause while the server is away", async (door) => {
  const line = await door.line();
  const client = await door.connected({ minReconnectDelay: 5, maxReconnectDelay: 20 }, line.port);
  const first = await client.log.next("connected");
  await client.log.next("connecting");
  line.refuses = true;
  line.cut();
  assert.deepEqual(await client.log.next("connecting"), { code: 1, reason: "transport closed" });
  await eventually(() => line.accepted > 4, "several attempts");
  assert.equal(client.state, "connecting");
  line.refuses = false;
  const second = await client.log.next("connected");
  assert.notEqual(second.client, first.client);
});

each("headers, data and a name are taken with the connection", async (door) => {
  const client = await door.connected({ headers: { "X-Trace": "7", Cookie: "a=b" }, data: door.pack({ deep: [1, { x: "κόσμε" }] }), name: "n".repeat(20), version: "v" });
  client.disconnect();
});

each("getData is asked for each connection", async (door) => {
  let asked = 0;
  const line = await door.line();
  const client = await door.connected({ getData: async () => door.pack({ round: ++asked }) }, line.port);
  await client.log.next("connected");
  line.cut();
  await client.log.next("connected");
  assert.equal(asked, 2);
});

each("a batch of commands goes out as one", async (door) => {
  const client = await door.connected();
  const name = channel();
  const sub = await door.subscribed(client, name);
  client.startBatching();
  const answers = Array.from({ length: 20 }, (_, n) => client.publish(name, door.pack({ n })));
  answers.push(client.presenceStats(name), client.history(name, { limit: 1 }));
  client.stopBatching();
  const results = await Promise.all(answers);
  assert.deepEqual(results.slice(0, 20), Array(20).fill({}));
  assert.equal(results[20].numClients, 1);
  const seen = (await sub.log.take("publication", 20)).map(({ data }) => door.unpack(data).n);
  // One frame of commands of one connection is worked through in order.
  assert.deepEqual(seen, [...Array(20).keys()]);
});

each("calls that nobody serves", async (door) => {
  const client = await door.connected();
  assert.deepEqual(await refusal(client.rpc("any", door.pack({ a: 1 }))), { code: 108, message: "not available" });
  await client.send(door.pack({ a: 1 }));
  // The product has no receiver for it either.
  assert.deepEqual(await client.log.next("disconnected"), { code: 3508, reason: "not available" });
});

each("calls wait until the client is connected", async (door) => {
  const name = channel();
  const client = door.client();
  const waiting = client.publish(name, door.pack({ early: true }));
  client.connect();
  assert.deepEqual(await waiting, {});
  client.disconnect();
  assert.deepEqual(await refusal(client.ready()), { code: 3, message: "client disconnected" });
});

each("a large message", async (door) => {
  const name = channel();
  const client = await door.connected();
  const sub = await door.subscribed(client, name);
  const large = { text: "κόσμε ".repeat(60_000) }; // 660 KB
  await client.publish(name, door.pack(large));
  assert.deepEqual(door.unpack((await sub.log.next("publication")).data), large);
  assert.deepEqual(door.unpack((await client.history(name, { limit: 1 })).publications[0].data), large);
});

each("a message beyond the limit ends it, for good", async (door) => {
  const client = await door.connected();
  client.publish(channel(), door.pack({ text: "z".repeat(2_000_000) })).catch(() => {});
  // Close code 1009 of RFC 6455.
  assert.deepEqual(await client.log.next("disconnected"), { code: 3, reason: "message size limit exceeded" });
}, { fits: onWebSocket });

each("the server may end a connection, for good or not", async (door) => {
  const user = `user-${channel().replace(/\W/g, "")}`;
  const client = await door.connected({ token: token({ sub: user }) });
  const first = await client.log.next("connected");
  await client.log.next("connecting");
  await api("disconnect", { user, disconnect: { code: 4000, reason: "come back" } });
  assert.deepEqual(await client.log.next("connecting"), { code: 4000, reason: "come back" });
  const second = await client.log.next("connected");
  assert.notEqual(second.client, first.client);
  await api("disconnect", { user });
  assert.deepEqual(await client.log.next("disconnected"), { code: 3503, reason: "force disconnect" });
}, { waits: API_WAITS });

test("a second connect, nonsense and commands before connect end a connection", { timeout: DEADLINE_MS }, async () => {
  const ended = (...frames) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${server.port}/connection/websocket`);
      socket.on("open", () => frames.forEach((frame) => socket.send(frame)));
      socket.on("close", (code, reason) => resolve(`${code} ${reason}`));
      socket.on("error", reject);
    });
  const connect = JSON.stringify({ id: 1, connect: { token: token() } });
  assert.equal(await ended(connect, JSON.stringify({ id: 2, connect: { token: token() } })), "3501 bad request");
  assert.equal(await ended(JSON.stringify({ id: 1, presence: { channel: "open:x" } })), "3501 bad request");
  assert.equal(await ended(connect, "{"), "3501 bad request");
  assert.equal(await ended(connect, ""), "3501 bad request");
  assert.equal(await ended(connect, "{}"), "3501 bad request"); // a pong that nobody asked for
  assert.equal(await ended(connect, JSON.stringify({ publish: { channel: "open:x", data: 1 } })), "3501 bad request");
  assert.equal(await ended(connect, JSON.stringify({ id: 2, subscribe: { channel: "" } })), "3501 bad request");
});

test("transports are tried one after the other", { timeout: DEADLINE_MS }, async (t) => {
  const at = (transport, path) => ({ transport, endpoint: `${transport === "websocket" ? "ws" : "http"}://127.0.0.1:${server.port}${path}` });
  const ways = [at("websocket", "/nowhere"), at("http_stream", "/nowhere"), at("sse", "/connection/sse")];
  const door = new Door(t, { ...TRANSPORTS[0], endpoint: () => ways });
  const client = await door.connected();
  assert.equal((await client.log.next("connected")).transport, "sse");
});

test("what /emulation answers", { timeout: DEADLINE_MS }, async () => {
  const status = async (body) => {
    const response = await fetch(`http://127.0.0.1:${server.port}/emulation`, { method: "POST", body, headers: { "Content-Type": "application/json" } });
    return response.status;
  };
  assert.equal(await status("{"), 400);
  assert.equal(await status(JSON.stringify({ node: "n", session: "s", data: "{}" })), 404);
  assert.equal(await status(JSON.stringify({ node: "n", session: "s", data: "z".repeat(2_000_000) })), 413);
});
