// Transports by which the server speaks and the client does not: no SDK is needed, so none is used.
import assert from "node:assert/strict";
import { describe, test } from "node:test";

import EventSource from "eventsource";
import WebSocket from "ws";

import { DEADLINE_MS, Log, channel, publish, publishNumbers, server, token } from "./rig.mjs";

const at = (scheme, name) => `${scheme}://127.0.0.1:${server.port}/connection/uni_${name}`;

// Each opens a connection with a bare connect request and calls said(push) for what comes, and ended() at the end.
const TRANSPORTS = {
  "WebSocket": (t, request, said, ended) => {
    const socket = new WebSocket(at("ws", "websocket"));
    t.after(() => socket.terminate());
    socket.on("open", () => socket.send(JSON.stringify(request)));
    socket.on("message", (frame) => String(frame).split("\n").filter(Boolean).forEach((line) => said(JSON.parse(line))));
    socket.on("close", (code, reason) => ended({ code, reason: String(reason) }));
  },
  "WebSocket by its address": (t, request, said, ended) => {
    const socket = new WebSocket(`${at("ws", "websocket")}?cf_connect=${encodeURIComponent(JSON.stringify(request))}`);
    t.after(() => socket.terminate());
    socket.on("message", (frame) => String(frame).split("\n").filter(Boolean).forEach((line) => said(JSON.parse(line))));
    socket.on("close", (code, reason) => ended({ code, reason: String(reason) }));
  },
  "event stream": (t, request, said) => {
    const source = new EventSource(`${at("http", "sse")}?cf_connect=${encodeURIComponent(JSON.stringify(request))}`);
    t.after(() => source.close());
    source.onmessage = ({ data }) => said(JSON.parse(data));
    source.onerror = () => source.close();
  },
  "HTTP stream": async (t, request, said) => {
    const stop = new AbortController();
    t.after(() => stop.abort());
    const response = await fetch(at("http", "http_stream"), {
      method: "POST", body: JSON.stringify(request), headers: { "Content-Type": "application/json" }, signal: stop.signal,
    });
    assert.equal(response.status, 200);
    (async () => {
      let rest = "";
      for await (const bytes of response.body) {
        const lines = (rest + new TextDecoder().decode(bytes)).split("\n");
        rest = lines.pop();
        lines.filter(Boolean).forEach((line) => said(JSON.parse(line)));
      }
    })().catch(() => {});
  },
};

function each(name, body) {
  describe(name, { concurrency: true }, () => {
    for (const [transport, open] of Object.entries(TRANSPORTS)) {
      test(`${name} (${transport})`, { timeout: DEADLINE_MS }, async (t) => {
        const connected = async (request) => {
          const listeners = {};
          const log = new Log({ on: (event, listener) => (listeners[event] = listener) }, "push", "end");
          await open(t, request, (push) => listeners.push(push), (end) => listeners.end(end));
          return log;
        };
        await body(connected, transport);
      });
    }
  });
}

each("connect, publications", async (connected) => {
  const name = channel();
  const log = await connected({ token: token({ channels: [name] }), name: "uni" });
  const { connect } = await log.next("push");
  assert.ok(connect.ping > 0);
  assert.equal(connect.pong, undefined);
  assert.deepEqual(Object.keys(connect.subs), [name]);
  await publish(name, { n: 1, "κόσμε": "\n" });
  const { channel: where, pub } = await log.next("push", (push) => push.pub);
  assert.deepEqual([where, pub.data, pub.offset], [name, { n: 1, "κόσμε": "\n" }, 1]);
});

each("subscriptions that the client names, with what it missed", async (connected) => {
  const name = channel();
  await publishNumbers(name, 1, 4);
  const { epoch } = await publish(name, { n: 5 });
  const log = await connected({ token: token(), subs: { [name]: { recover: true, offset: 3, epoch } } });
  const { connect } = await log.next("push");
  const { recovered, was_recovering, publications } = connect.subs[name];
  assert.deepEqual([recovered, was_recovering, publications.map(({ offset }) => offset)], [true, true, [4, 5]]);
  await publishNumbers(name, 6, 6);
  assert.equal((await log.next("push", (push) => push.pub)).pub.offset, 6);
});

each("a token that is no good", async (connected, transport) => {
  const log = await connected({ token: "nonsense" });
  const { disconnect } = await log.next("push");
  assert.deepEqual([disconnect.code, disconnect.reason], [3500, "invalid token"]);
  if (transport.startsWith("WebSocket")) assert.deepEqual(await log.next("end"), { code: 3500, reason: "invalid token" });
});

each("a channel that is not for the client is left out, the others come", async (connected) => {
  const mine = channel();
  const log = await connected({ token: token(), subs: { [channel("token")]: {}, [mine]: {} } });
  const { connect } = await log.next("push");
  assert.deepEqual(Object.keys(connect.subs), [mine]);
});
