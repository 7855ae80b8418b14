// Maps: the whole state first, then every change, and the same again after a cut.
import assert from "node:assert/strict";
import { after } from "node:test";

import { Centrifuge } from "centrifuge";
import WebSocket from "ws";

import { DEADLINE_MS, Log, USER, api, channel, credential, each, eventually, refusal, server, subscriptionToken } from "./rig.mjs";


// One who may do everything, and does it as clients do.
class WithKey extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { headers: credential });
  }
}
const owner = new Centrifuge(`ws://127.0.0.1:${server.port}/connection/websocket`, { websocket: WithKey, timeout: DEADLINE_MS });
owner.connect();
after(() => owner.disconnect());

const put = (name, key, data) => owner.mapPublish(name, key, data);
const drop = (name, key) => owner.mapRemove(name, key);

// What the server holds, by key.
async function held(name) {
  const sub = owner.newMapSubscription(name);
  const synced = new Promise((resolve) => sub.on("sync", resolve));
  sub.subscribe();
  const { entries } = await synced;
  sub.unsubscribe();
  owner.removeMapSubscription(sub);
  return Object.fromEntries(entries.map(({ key, data }) => [key, data]));
}

// A map subscription that has not begun, and the map that an application would show.
function mirror(door, client, name, options = {}, kind = "newMapSubscription") {
  const sub = client[kind](name, { minResubscribeDelay: 20, maxResubscribeDelay: 200, ...options });
  sub.log = new Log(sub, "subscribing", "subscribed", "unsubscribed", "sync", "update", "error");
  sub.entries = {};
  sub.on("sync", ({ entries }) => {
    sub.entries = Object.fromEntries(entries.map(({ key, data }) => [key, door.unpack(data)]));
  });
  sub.on("update", ({ key, data, removed }) => {
    if (removed) delete sub.entries[key];
    else sub.entries[key] = door.unpack(data);
  });
  return sub;
}

async function mirrored(...parameters) {
  const sub = mirror(...parameters);
  sub.subscribe();
  await sub.ready(DEADLINE_MS);
  await sub.log.next("sync");
  return sub;
}

const caughtUp = (sub, name) =>
  eventually(async () => JSON.stringify(sorted(sub.entries)) === JSON.stringify(sorted(await held(name))), "the mirror is what the server holds");
const sorted = (entries) => Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1));

each("the whole state, then every change", async (door) => {
  const name = channel("map");
  for (const key of ["a", "b", "c"]) await put(name, key, { key });
  const sub = mirror(door, await door.connected(), name);
  sub.subscribe();
  const subscribed = await sub.log.next("subscribed");
  assert.deepEqual([subscribed.recovered, subscribed.wasRecovering, subscribed.recoverable], [false, false, true]);
  assert.deepEqual((await sub.log.next("sync")).entries.map(({ key, data, offset }) => [key, door.unpack(data), offset]), [
    ["a", { key: "a" }, 1], ["b", { key: "b" }, 2], ["c", { key: "c" }, 3],
  ]);
  await put(name, "d", { n: 4 });
  await drop(name, "a");
  await put(name, "b", { n: 6 });
  const [d, a, b] = await sub.log.take("update", 3);
  assert.deepEqual([d.key, door.unpack(d.data), d.removed, d.offset], ["d", { n: 4 }, undefined, 4]);
  assert.deepEqual([a.key, a.removed, a.offset], ["a", true, 5]);
  assert.deepEqual([b.key, door.unpack(b.data), b.offset], ["b", { n: 6 }, 6]);
  assert.deepEqual(sub.entries, { b: { n: 6 }, c: { key: "c" }, d: { n: 4 } });
  assert.deepEqual(sub.log.all("sync"), []);
});

each("an empty map", async (door) => {
  const name = channel("map");
  const sub = await mirrored(door, await door.connected(), name);
  assert.deepEqual(sub.entries, {});
  await put(name, "first", { n: 1 });
  assert.equal((await sub.log.next("update")).key, "first");
});

each("page by page", async (door) => {
  const name = channel("map");
  const entries = {};
  for (let n = 0; n < 41; ++n) await put(name, `key ${String(n).padStart(2, "0")} ü`, (entries[`key ${String(n).padStart(2, "0")} ü`] = { n }));
  for (const pageSize of [1, 7, 40, 41, 42, 1000]) {
    const sub = await mirrored(door, await door.connected(), name, { pageSize });
    assert.deepEqual(sub.entries, entries);
    assert.deepEqual(sub.log.all("sync"), []);
    assert.deepEqual(sub.log.all("error"), []);
  }
});

each("what is published while it pages", async (door) => {
  const name = channel("map");
  for (let n = 0; n < 30; ++n) await put(name, `k${n}`, { n });
  let publishing = true;
  const publisher = (async () => {
    for (let n = 0; publishing; ++n) {
      const key = `k${(n * 7) % 40}`;
      await (n % 4 === 3 ? drop(name, key) : put(name, key, { update: n }));
    }
  })();
  const client = await door.connected();
  const subs = [];
  for (const pageSize of [1, 2, 3, 5]) {
    const sub = await mirrored(door, await door.connected(), name, { pageSize });
    subs.push(sub);
  }
  publishing = false;
  await publisher;
  for (const sub of subs) await caughtUp(sub, name);
  client.disconnect();
});

each("after a cut: what has changed, and no second sync", async (door) => {
  const line = await door.line();
  const name = channel("map");
  for (let n = 0; n < 10; ++n) await put(name, `k${n}`, { n });
  const sub = await mirrored(door, await door.connected({}, line.port), name, { pageSize: 3 });
  await sub.log.next("subscribed");
  for (let round = 1; round <= 4; ++round) {
    await put(name, "k1", { round });
    line.refuses = true;
    line.cut();
    await put(name, "k2", { round });
    await put(name, "k2", { round, again: true });
    await drop(name, `k${2 + round}`);
    for (let n = 0; n < 5 * round; ++n) await put(name, `new ${n}`, { round, n });
    line.refuses = false;
    const { recovered, wasRecovering, recoverable } = await sub.log.next("subscribed");
    assert.deepEqual([recovered, wasRecovering, recoverable], [true, true, true]);
    await caughtUp(sub, name);
  }
  assert.deepEqual(sub.log.all("sync"), []);
  const offsets = sub.log.all("update").map(({ offset }) => offset);
  assert.deepEqual(offsets, offsets.map((_, i) => 11 + i)); // every change once, in order
});

each("what is not held any more: from scratch", async (door) => {
  const line = await door.line();
  const name = channel("mapshort");
  await put(name, "stays", { n: 0 });
  await put(name, "goes", { n: 0 });
  const sub = await mirrored(door, await door.connected({}, line.port), name);
  line.refuses = true;
  line.cut();
  await drop(name, "goes");
  for (let n = 1; n <= 10; ++n) await put(name, "stays", { n });
  line.refuses = false;
  await sub.log.next("sync");
  assert.deepEqual(sub.entries, { stays: { n: 10 } });
});

each("what is not held any more: for those who want to know", async (door) => {
  const line = await door.line();
  const name = channel("mapshort");
  await put(name, "a", { n: 0 });
  const sub = await mirrored(door, await door.connected({}, line.port), name, { unrecoverableStrategy: "fatal" });
  line.refuses = true;
  line.cut();
  for (let n = 1; n <= 10; ++n) await put(name, "a", { n });
  line.refuses = false;
  assert.equal((await sub.log.next("unsubscribed")).code, 112);
});

each("a map that is cleared", async (door) => {
  const name = channel("map");
  for (const key of ["a", "b"]) await put(name, key, { key });
  const sub = await mirrored(door, await door.connected(), name);
  await api("map_clear", { channel: name });
  await sub.log.next("sync");
  assert.deepEqual(sub.entries, {});
  await put(name, "c", { n: 1 });
  await sub.log.next("update", ({ key }) => key === "c");
});

each("an ephemeral map has no positions", async (door) => {
  const line = await door.line();
  const name = channel("ephemeral");
  await put(name, "a", { n: 1 });
  const sub = mirror(door, await door.connected({}, line.port), name);
  sub.subscribe();
  assert.equal((await sub.log.next("subscribed")).recoverable, false);
  const { entries } = await sub.log.next("sync");
  assert.deepEqual(entries.map(({ key, offset }) => [key, offset || undefined]), [["a", undefined]]); // Protobuf knows no "none"
  await put(name, "b", { n: 2 });
  const { key, offset } = await sub.log.next("update");
  assert.deepEqual([key, offset || undefined], ["b", undefined]);
  line.refuses = true;
  line.cut();
  await drop(name, "a");
  line.refuses = false;
  await sub.log.next("sync");
  assert.deepEqual(sub.entries, { b: { n: 2 } });
});

each("what is published while an ephemeral map is paged through", async (door) => {
  const name = channel("ephemeral");
  for (let n = 0; n < 20; ++n) await put(name, `k${n}`, { n });
  let publishing = true;
  const publisher = (async () => {
    for (let n = 0; publishing; ++n) await (n % 3 === 2 ? drop(name, `k${n % 25}`) : put(name, `k${n % 25}`, { update: n }));
  })();
  const sub = await mirrored(door, await door.connected(), name, { pageSize: 2 });
  publishing = false;
  await publisher;
  await caughtUp(sub, name);
});

each("keys expire", async (door) => {
  const name = channel("brief");
  const sub = await mirrored(door, await door.connected(), name);
  await put(name, "a", { n: 1 });
  assert.equal((await sub.log.next("update")).removed, undefined);
  const { key, removed } = await sub.log.next("update");
  assert.deepEqual([key, removed], ["a", true]);
});

each("clients change a map", async (door) => {
  const name = channel("map");
  const client = await door.connected();
  const sub = await mirrored(door, client, name);
  await sub.publish("a", door.pack({ n: 1 }));
  const update = await sub.log.next("update");
  assert.deepEqual([update.key, door.unpack(update.data), update.info.user], ["a", { n: 1 }, USER]);
  await client.mapPublish(name, "b", door.pack({ n: 2 }));
  await sub.log.next("update", ({ key }) => key === "b");
  await sub.remove("a");
  assert.equal((await sub.log.next("update")).removed, true);
  await client.mapRemove(name, "b");
  await sub.log.next("update", ({ key, removed }) => key === "b" && removed);
  assert.deepEqual(await held(name), {});
  await client.mapRemove(name, "never there"); // no complaint, and no change
  await sub.publish("c", door.pack({ n: 3 }));
  assert.equal((await sub.log.next("update")).key, "c");
});

each("who may not change a map", async (door) => {
  const client = await door.connected();
  const denied = { code: 103, message: "permission denied" };
  const readonly = channel("mapreadonly");
  const reader = await mirrored(door, client, readonly);
  assert.deepEqual(await refusal(reader.publish("a", door.pack({}))), denied);
  assert.deepEqual(await refusal(reader.remove("a")), denied);
  const name = channel("mapsub");
  assert.deepEqual(await refusal(client.mapPublish(name, "a", door.pack({}))), denied);
  assert.deepEqual(await refusal(client.mapRemove(name, "a")), denied);
  const sub = await mirrored(door, client, name);
  await sub.publish("a", door.pack({ n: 1 }));
  assert.deepEqual(await refusal(sub.remove("a")), denied); // here who is subscribed may publish only
  const bad = { code: 107, message: "bad request" };
  assert.deepEqual(await refusal(client.mapPublish(channel("map"), "", door.pack({}))), bad);
  assert.deepEqual(await refusal(client.mapPublish(channel("map"), "k".repeat(256), door.pack({}))), bad);
  assert.deepEqual(await refusal(client.mapPublish(channel("open"), "a", door.pack({}))), bad);
  assert.deepEqual(await refusal(client.publish(channel("map"), door.pack({}))), bad);
  assert.deepEqual(await refusal(client.mapPublish(channel("mapobjects"), "a", door.pack("no object"))), bad);
});

each("a key of one's own that goes with its subscription", async (door) => {
  const name = channel("cursors");
  const watcher = await mirrored(door, await door.connected(), name);
  const [one, two] = [await door.connected(), await door.connected()];
  const subs = [];
  for (const client of [one, two]) {
    const sub = await mirrored(door, client, name);
    subs.push(sub);
    await sub.publish("whatever it says", door.pack({ x: subs.length }));
    await watcher.log.next("update");
  }
  assert.equal(Object.keys(watcher.entries).length, 2);
  subs[0].unsubscribe();
  assert.equal((await watcher.log.next("update")).removed, true);
  assert.deepEqual(Object.values(watcher.entries), [{ x: 2 }]);
  two.disconnect();
  assert.equal((await watcher.log.next("update")).removed, true);
  assert.deepEqual(watcher.entries, {});
});

each("some of a map, by tags", async (door) => {
  const name = channel("maptags");
  const tagged = (key, data, kind) => api("map_publish", { channel: name, key, data, tags: { kind } });
  await tagged("a", { n: 1 }, "fruit");
  await tagged("b", { n: 2 }, "nut");
  const client = await door.connected();
  const sub = await mirrored(door, client, name, { tagsFilter: { key: "kind", cmp: "eq", val: "fruit" } });
  assert.deepEqual(sub.entries, { a: { n: 1 } });
  await tagged("c", { n: 3 }, "nut");
  await tagged("d", { n: 4 }, "fruit");
  await sub.log.next("update", ({ key }) => key === "d");
  await drop(name, "b");
  await drop(name, "a");
  await sub.log.next("update", ({ key, removed }) => key === "a" && removed);
  assert.deepEqual(sub.entries, { d: { n: 4 } });
});

const row = (n) => ({ names: ["κόσμε", "日本語", "🙂🙃"], long: "x".repeat(400) + "ü".repeat(100), n });

each("deltas by key", async (door) => {
  const line = await door.line();
  const name = channel("mapdelta");
  await put(name, "a", row(1));
  await put(name, "b", row(2));
  const sub = await mirrored(door, await door.connected({}, line.port), name, { delta: "fossil", pageSize: 1 });
  assert.deepEqual(sub.entries, { a: row(1), b: row(2) });
  for (let n = 3; n < 9; ++n) await put(name, n % 2 ? "a" : "b", row(n));
  await sub.log.take("update", 6);
  assert.deepEqual(sub.entries, { a: row(7), b: row(8) });
  assert.equal(sub.deltaStats().numDeltaPayloads, 6);
  await drop(name, "a");
  await put(name, "a", row(9)); // whole again
  await put(name, "a", row(10));
  await sub.log.take("update", 3);
  assert.equal(sub.deltaStats().numDeltaPayloads, 7);
  line.refuses = true;
  line.cut();
  for (let n = 11; n < 15; ++n) await put(name, n % 2 ? "a" : "b", row(n));
  line.refuses = false;
  await sub.log.next("subscribed", ({ recovered }) => recovered);
  await sub.log.take("update", 4);
  assert.deepEqual(sub.entries, { a: row(13), b: row(14) });
  await put(name, "a", row(15));
  await sub.log.next("update");
  assert.deepEqual(sub.entries, { a: row(15), b: row(14) });
});

each("strings as values", async (door) => {
  const name = channel("mapdelta");
  await put(name, "a", "text");
  await put(name, "b", '"quoted"');
  for (const options of [{}, { delta: "fossil" }]) {
    const sub = await mirrored(door, await door.connected(), name, options);
    assert.deepEqual(sub.entries, { a: "text", b: '"quoted"' });
  }
});

each("who is subscribed, by connection and by user", async (door) => {
  const name = channel("game");
  const watcher = await door.connected();
  const clients = await mirrored(door, watcher, `clients:${name}`, {}, "newMapClientsSubscription");
  const users = await mirrored(door, watcher, `users:${name}`, {}, "newMapUsersSubscription");
  assert.deepEqual([clients.entries, users.entries], [{}, {}]);
  const line = await door.line();
  const [one, two] = [await door.connected(), await door.connected({}, line.port)];
  const subs = [];
  const ids = [];
  for (const client of [one, two]) {
    subs.push(await door.subscribed(client, name));
    const { key, info } = await clients.log.next("update");
    assert.equal(info.user, USER);
    assert.equal(key, info.client);
    ids.push(key);
  }
  assert.equal((await users.log.next("update")).key, USER);
  // Who comes later finds them.
  const later = await mirrored(door, await door.connected(), `clients:${name}`, { pageSize: 1 }, "newMapClientsSubscription");
  assert.deepEqual(Object.keys(later.entries).sort(), [...ids].sort());
  subs[0].unsubscribe();
  assert.deepEqual(await clients.log.next("update").then(({ key, removed }) => [key, removed]), [ids[0], true]);
  assert.deepEqual(users.log.all("update"), []);
  line.refuses = true;
  line.cut(); // without a word
  assert.deepEqual(await clients.log.next("update").then(({ key, removed }) => [key, removed]), [ids[1], true]);
  assert.deepEqual(await users.log.next("update").then(({ key, removed }) => [key, removed]), [USER, true]);
  line.refuses = false;
  assert.notEqual((await clients.log.next("update")).key, ids[1]); // it came back as another connection
  assert.equal((await users.log.next("update")).key, USER);
  assert.deepEqual(await refusal(watcher.mapPublish(`clients:${name}`, "a", door.pack({}))), { code: 103, message: "permission denied" });
});

each("the wrong type of subscription", async (door) => {
  const client = await door.connected();
  const stream = door.subscription(client, channel("map"));
  stream.subscribe();
  assert.equal((await stream.log.next("unsubscribed")).code, 107);
  for (const [namespace, kind] of [["open", "newMapSubscription"], ["map", "newMapClientsSubscription"], ["map", "newMapUsersSubscription"], ["clients", "newMapSubscription"]]) {
    const sub = mirror(door, client, channel(namespace), {}, kind);
    sub.subscribe();
    assert.equal((await sub.log.next("unsubscribed")).code, 107);
  }
});

each("who may see a map", async (door) => {
  const client = await door.connected();
  const name = channel("maptoken");
  await put(name, "a", { n: 1 });
  const denied = mirror(door, client, name);
  denied.subscribe();
  assert.equal((await denied.log.next("unsubscribed")).code, 103);
  client.removeMapSubscription(denied);
  const sub = await mirrored(door, client, name, { token: subscriptionToken(name), pageSize: 1 });
  assert.deepEqual(sub.entries, { a: { n: 1 } });
});

each("unsubscribed on the way", async (door) => {
  const name = channel("map");
  for (let n = 0; n < 10; ++n) await put(name, `k${n}`, { n });
  const client = await door.connected();
  const sub = mirror(door, client, name, { pageSize: 1 });
  for (let n = 0; n < 5; ++n) {
    sub.subscribe();
    await new Promise((resolve) => setImmediate(resolve));
    sub.unsubscribe();
  }
  sub.subscribe();
  await sub.ready(DEADLINE_MS);
  await sub.log.next("sync");
  assert.equal(Object.keys(sub.entries).length, 10);
  assert.deepEqual(sub.log.all("error"), []);
});
