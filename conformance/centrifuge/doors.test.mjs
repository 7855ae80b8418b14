// One channel, one numbering, whichever door a message comes in or goes out by.
import assert from "node:assert/strict";
import { once } from "node:events";

import WebSocket from "ws";

import { channel, credential, each, publish, server } from "./rig.mjs";

each("a message in by any door goes out by all of them, with the same position", async (door) => {
  const name = channel();
  const raw = new WebSocket(`ws://127.0.0.1:${server.port}/ws/${encodeURIComponent(name)}?meta=1&kind=json`, { headers: credential });
  door.t.after(() => raw.terminate());
  const records = [];
  let wake = () => {};
  raw.on("message", (bytes) => (records.push(JSON.parse(bytes)), wake()));
  await once(raw, "open");
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { recoverable: true });
  const { epoch } = (await sub.log.next("subscribed")).streamPosition;

  const payloads = [{ by: "api", "κόσμε": 1 }, { by: "pub" }, { by: "raw" }, { by: "sdk" }];
  const positions = [await publish(name, payloads[0])];
  const response = await fetch(`http://127.0.0.1:${server.port}/pub/${encodeURIComponent(name)}`, {
    method: "POST", body: JSON.stringify(payloads[1]), headers: { "Content-Type": "application/json", ...credential },
  });
  positions.push(await response.json());
  raw.send(JSON.stringify(payloads[2]));
  const seen = await sub.log.take("publication", 3); // so that the next one is the fourth
  await sub.publish(door.pack(payloads[3]));
  seen.push(await sub.log.next("publication"));

  assert.deepEqual(positions.map((each) => [each.offset, each.epoch]), [[1, epoch], [2, epoch]]);
  assert.deepEqual(seen.map((each) => [each.offset, door.unpack(each.data)]), payloads.map((each, i) => [i + 1, each]));
  const messages = () => records.filter((record) => "data" in record);
  while (messages().length < 4) await new Promise((resolve) => (wake = resolve));
  assert.deepEqual(messages().map((each) => [each.offset, each.epoch, each.data]), payloads.map((each, i) => [i + 1, epoch, each]));
  const history = await sub.history({ limit: 10 });
  assert.deepEqual([history.epoch, history.offset], [epoch, 4]);
  assert.deepEqual(history.publications.map((each) => [each.offset, door.unpack(each.data)]), payloads.map((each, i) => [i + 1, each]));
});

each("text and bytes of other doors", async (door) => {
  const name = channel();
  const client = await door.connected();
  const sub = await door.subscribed(client, name);
  const send = (type, body) =>
    fetch(`http://127.0.0.1:${server.port}/pub/${encodeURIComponent(name)}`, { method: "POST", body, headers: { "Content-Type": type, ...credential } });
  await send("text/plain", "two\nlines of κόσμε");
  await send("application/octet-stream", new Uint8Array([0, 255, 10]));
  const [text, bytes] = (await sub.log.take("publication", 2)).map(({ data }) => data);
  if (door.transport.format === "json") {
    assert.deepEqual([text, bytes], ["two\nlines of κόσμε", { base64: "AP8K" }]);
  } else {
    assert.equal(new TextDecoder().decode(text), "two\nlines of κόσμε");
    assert.deepEqual([...bytes], [0, 255, 10]);
  }
});
