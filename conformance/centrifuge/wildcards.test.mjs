// One subscription to many channels, and messages that do not come back to who published them.
import assert from "node:assert/strict";

import { channel, each, publish } from "./rig.mjs";

each("a wildcard brings what is published on every channel of a kind", async (door) => {
  const family = channel("many");
  const client = await door.connected();
  const sub = await door.subscribed(client, `${family}.*`, { recoverable: true, positioned: true });
  const context = await sub.log.next("subscribed");
  assert.deepEqual([context.recoverable, context.positioned, context.wasRecovering], [false, false, false]);
  for (const name of ["a", "b", "c.d", "e"]) await publish(`${family}.${name}`, { name });
  const seen = (await sub.log.take("publication", 3)).map(({ channel: of, data }) => [of, door.unpack(data).name]);
  assert.deepEqual(seen.sort(), ["a", "b", "e"].map((name) => [`${family}.*`, name]));
  sub.unsubscribe();
  const one = await door.subscribed(client, `${family}.a`);
  await publish(`${family}.a`, { name: "last" });
  assert.equal(door.unpack((await one.log.next("publication")).data).name, "last");
  assert.deepEqual(sub.log.seen.filter(({ name }) => name === "publication"), []);
});

each("who publishes does not get it", async (door) => {
  const name = channel("many");
  const [speaker, listener] = [await door.connected(), await door.connected()];
  const [spoken, heard] = [await door.subscribed(speaker, name), await door.subscribed(listener, name)];
  await speaker.publish(name, door.pack({ n: 1 }));
  assert.deepEqual(door.unpack((await heard.log.next("publication")).data), { n: 1 });
  await listener.publish(name, door.pack({ n: 2 }));
  assert.deepEqual(door.unpack((await spoken.log.next("publication")).data), { n: 2 });
});
