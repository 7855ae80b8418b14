// Differences instead of messages, and messages by their tags.
import assert from "node:assert/strict";

import { DEADLINE_MS, channel, configured, each, publish, refusal, server } from "./rig.mjs";

const row = (n) => ({
  names: ["κόσμε", "日本語", "🙂🙃", "naïve"], long: "x".repeat(500) + "ü".repeat(200) + "🙂".repeat(50), price: n, at: `${n}日`,
});
const data = (door, publications) => publications.map((each) => door.unpack(each.data));

each("deltas of text that is not ASCII", async (door) => {
  const name = channel("delta");
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { delta: "fossil" });
  const plain = await door.subscribed(await door.connected(), name);
  const rows = Array.from({ length: 20 }, (_, n) => row(n));
  for (const each of rows) await publish(name, each);
  assert.deepEqual(data(door, await sub.log.take("publication", 20)), rows);
  assert.deepEqual(data(door, await plain.log.take("publication", 20)), rows);
  const stats = sub.deltaStats();
  // With --dev a delta is made only of what was published with `delta`.
  const whole = server.dev ? 20 : 1;
  assert.deepEqual([stats.numPublications, stats.numFullPayloads, stats.numDeltaPayloads], [20, whole, 20 - whole]);
  assert.ok(server.dev || stats.compressionRatio > 0.8, `${stats.compressionRatio}`);
});

each("whoever publishes decides what is a delta", async (door) => {
  const name = channel("choice");
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { delta: "fossil" });
  const rows = Array.from({ length: 8 }, (_, n) => row(n));
  // Whole: the first, and those published without being asked for.
  for (const [n, each] of rows.entries()) await publish(name, each, n % 4 === 3 ? {} : { delta: true });
  assert.deepEqual(data(door, await sub.log.take("publication", rows.length)), rows);
  const stats = sub.deltaStats();
  assert.deepEqual([stats.numFullPayloads, stats.numDeltaPayloads], [3, 5]);
});

each("what has nothing in common comes whole", async (door) => {
  const name = channel("delta");
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { delta: "fossil" });
  const values = [{ a: "aaaa" }, { b: "bbbb" }, { c: [] }, { "🙂": "ü" }, {}];
  for (const value of values) await publish(name, value);
  assert.deepEqual(data(door, await sub.log.take("publication", values.length)), values);
});

each("deltas go on behind a recovery", async (door) => {
  const line = await door.line();
  const name = channel("delta");
  const client = await door.connected({}, line.port);
  const sub = await door.subscribed(client, name, { delta: "fossil", recoverable: true });
  const rows = Array.from({ length: 12 }, (_, n) => row(n));
  for (const each of rows.slice(0, 3)) await publish(name, each);
  const seen = await sub.log.take("publication", 3);
  line.refuses = true;
  line.cut();
  for (const each of rows.slice(3, 9)) await publish(name, each);
  line.refuses = false;
  await sub.log.next("subscribed", ({ recovered }) => recovered);
  for (const each of rows.slice(9)) await publish(name, each);
  seen.push(...(await sub.log.take("publication", 9)));
  assert.deepEqual(data(door, seen), rows);
  assert.equal(sub.deltaStats().numFullPayloads, server.dev ? 12 : 2); // the first of each subscription
});

each("deltas that are not allowed: whole messages", async (door) => {
  const name = channel("quiet");
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { delta: "fossil" });
  await publish(name, row(1));
  await publish(name, row(2));
  assert.deepEqual(data(door, await sub.log.take("publication", 2)), [row(1), row(2)]);
  assert.equal(sub.deltaStats().numPublications, 0);
}, { fits: configured });

each("tags filter: what it lets through", async (door) => {
  const name = channel("tags");
  const client = await door.connected();
  const leaf = (cmp, key, more) => ({ cmp, key, ...more });
  const is = (val) => leaf("eq", "kind", { val });
  const filters = {
    "a": is("a"),
    "not a": { op: "not", nodes: [is("a")] },
    "b or c": { op: "or", nodes: [is("b"), is("c")] },
    "in": leaf("in", "kind", { vals: ["a", "c"] }),
    "dear b": { op: "and", nodes: [is("b"), leaf("gt", "price", { val: "10" })] },
    "has price": leaf("ex", "price"),
    "none": is("nothing"),
    "prefix": leaf("sw", "name", { val: "κό" }),
  };
  const published = [
    [{ n: 1 }, { kind: "a", price: "9" }], [{ n: 2 }, { kind: "b", price: "9" }], [{ n: 3 }, { kind: "b", price: "11" }],
    [{ n: 4 }, { kind: "c" }], [{ n: 5 }, {}], [{ n: 6 }, { kind: "a", name: "κόσμε" }], [{ n: 7 }, { kind: "end" }],
  ];
  const expected = { "a": "1 6", "not a": "2 3 4 5 7", "b or c": "2 3 4", "in": "1 4 6", "dear b": "3", "has price": "1 2 3", "none": "", "prefix": "6" };
  const subs = await Promise.all(Object.entries(filters).map(async ([what, tagsFilter]) => {
    const either = { op: "or", nodes: [tagsFilter, is("end")] }; // so that the end is seen
    return [what, await door.subscribed(await door.connected(), name, { tagsFilter: either })];
  }));
  for (const [value, tags] of published) await publish(name, value, { tags });
  for (const [what, sub] of subs) {
    await sub.log.next("publication", (publication) => door.unpack(publication.data).n === 7);
    const seen = data(door, sub.log.all("publication")).map(({ n }) => n);
    const want = expected[what].split(" ").filter((n) => n !== "" && n !== "7").map(Number);
    assert.deepEqual(seen, want, what);
  }
  client.disconnect();
});

each("tags filter: what is filtered counts as seen", async (door) => {
  const line = await door.line();
  const name = channel("tags");
  const client = await door.connected({}, line.port);
  const sub = await door.subscribed(client, name, { recoverable: true, tagsFilter: { cmp: "eq", key: "kind", val: "a" } });
  await sub.log.next("subscribed");
  const send = (n, kind) => publish(name, { n }, { tags: { kind } });
  for (let n = 1; n <= 6; ++n) await send(n, n % 3 === 0 ? "a" : "b");
  assert.deepEqual(data(door, await sub.log.take("publication", 2)), [{ n: 3 }, { n: 6 }]);
  line.refuses = true;
  line.cut();
  for (let n = 7; n <= 12; ++n) await send(n, n % 3 === 0 ? "a" : "b");
  line.refuses = false;
  const { recovered } = await sub.log.next("subscribed");
  assert.equal(recovered, true);
  await send(13, "b");
  await send(14, "a");
  assert.deepEqual(data(door, await sub.log.take("publication", 3)), [{ n: 9 }, { n: 12 }, { n: 14 }]);
  sub.unsubscribe();
  sub.setTagsFilter({ cmp: "eq", key: "kind", val: "b" });
  sub.subscribe();
  await sub.ready(DEADLINE_MS);
  await send(15, "a");
  await send(16, "b");
  assert.deepEqual(data(door, [await sub.log.next("publication")]), [{ n: 16 }]);
});

each("tags filter: refused where it is off or nonsense", async (door) => {
  const client = await door.connected();
  const refused = async (name, tagsFilter) => {
    const sub = door.subscription(client, name, { tagsFilter });
    sub.subscribe();
    const { code } = await sub.log.next("unsubscribed");
    return code;
  };
  if (!server.dev) assert.equal(await refused(channel("quiet"), { cmp: "eq", key: "kind", val: "a" }), 103);
  assert.equal(await refused(channel("tags"), { cmp: "resembles", key: "kind", val: "a" }), 107);
  assert.equal(await refused(channel("tags"), { op: "xor", nodes: [{ cmp: "ex", key: "kind" }] }), 107);
});
