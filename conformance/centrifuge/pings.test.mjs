// Who falls silent. The server of this file pings often.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import WebSocket from "ws";

import { DEADLINE_MS, each, eventually, server, token } from "./rig.mjs";

each("pings are answered", async (door) => {
  const client = await door.connected();
  let pings = 0;
  const handle = client._handleServerPing.bind(client);
  client._handleServerPing = (next) => (++pings, handle(next));
  await eventually(() => pings >= 3, "three pings");
  assert.deepEqual([client.state, client.log.all("connected").length, client.log.all("disconnected")], ["connected", 1, []]);
});

each("a server that falls silent is left, and found again", async (door) => {
  const line = await door.line();
  const client = await door.connected({ maxServerPingDelay: 300 }, line.port);
  await client.log.next("connected");
  await client.log.next("connecting");
  line.stall("down");
  assert.deepEqual(await client.log.next("connecting"), { code: 2, reason: "no ping" });
  line.heal();
  await client.log.next("connected");
});

each("a client that falls silent is told so", async (door) => {
  const client = await door.connected({ maxServerPingDelay: DEADLINE_MS });
  client._handleServerPing = (next) => next();
  await client.log.next("connected");
  await client.log.next("connecting");
  assert.deepEqual(await client.log.next("connecting"), { code: 3012, reason: "no pong" });
  await client.log.next("connected");
});

test("a unidirectional client is pinged and does not answer", { timeout: DEADLINE_MS }, async (t) => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/connection/uni_websocket`);
  t.after(() => socket.terminate());
  const said = [];
  socket.on("message", (frame) => said.push(...String(frame).trim().split("\n")));
  await once(socket, "open");
  socket.send(JSON.stringify({ token: token() }));
  await eventually(() => said.filter((push) => push === "{}").length === 3, "three pings");
  assert.equal(socket.readyState, WebSocket.OPEN);
});
