// A server that is restarted says so; this file's server ends with it.
import assert from "node:assert/strict";
import { test } from "node:test";

import { DEADLINE_MS, Door, TRANSPORTS, server } from "./rig.mjs";

test("every client is told to come back", { timeout: DEADLINE_MS }, async (t) => {
  const clients = await Promise.all(TRANSPORTS.map(async (transport) => {
    const client = await new Door(t, transport).connected({ minReconnectDelay: 60_000, maxReconnectDelay: 60_000 });
    await client.log.next("connecting");
    return [transport.name, client];
  }));
  process.kill(server.pid, "SIGTERM");
  for (const [name, client] of clients) assert.deepEqual(await client.log.next("connecting"), { code: 3001, reason: "shutdown" }, name);
});
