// Positions: nothing lost, nothing doubled, and the client told when something cannot be had.
import assert from "node:assert/strict";

import { API_WAITS, DEADLINE_MS, USER, api, channel, configured, each, numbers, publish, publishNumbers, refusal, server, token } from "./rig.mjs";

const data = (door, publications) => publications.map((each) => door.unpack(each.data));
const offsets = (publications) => publications.map(({ offset }) => offset);
const flags = ({ recovered, wasRecovering, hasRecoveredPublications, positioned, recoverable }) =>
  Object.entries({ recovered, wasRecovering, hasRecoveredPublications, positioned, recoverable }).filter(([, set]) => set).map(([name]) => name).join(" ");

each("positioned and recoverable, as asked", async (door) => {
  const client = await door.connected();
  const ask = async (name, options) => flags(await (await door.subscribed(client, name, options)).log.next("subscribed"));
  assert.equal(await ask(channel(), {}), "");
  assert.equal(await ask(channel(), { positioned: true }), "positioned");
  assert.equal(await ask(channel(), { recoverable: true }), "positioned recoverable");
  if (server.dev) return;
  assert.equal(await ask(channel("quiet"), { positioned: true, recoverable: true }), "");
  assert.equal(await ask(channel("nohistory"), { positioned: true, recoverable: true }), "");
  assert.equal(await ask(channel("forced"), {}), "positioned recoverable");
});

each("a position is that of the last message", async (door) => {
  const name = channel();
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { recoverable: true });
  const { streamPosition } = await sub.log.next("subscribed");
  assert.equal(streamPosition.offset, 0);
  const { offset, epoch } = await publish(name, { n: 1 });
  assert.equal(offset, 1);
  await sub.log.next("publication");
  sub.unsubscribe();
  sub.subscribe();
  await sub.ready(DEADLINE_MS);
  const again = await sub.log.next("subscribed");
  assert.deepEqual(again.streamPosition, { offset: 1, epoch });
  assert.equal(flags(again), "recovered wasRecovering positioned recoverable");
});

each("after a cut: nothing lost, nothing doubled", async (door) => {
  const line = await door.line();
  const name = channel();
  const client = await door.connected({}, line.port);
  const sub = await door.subscribed(client, name, { recoverable: true });
  await sub.log.next("subscribed");
  let sent = 0;
  for (let round = 0; round < 5; ++round) {
    await publishNumbers(name, sent + 1, sent + 2);
    line.refuses = true;
    line.cut(); // perhaps before those two have arrived
    await publishNumbers(name, sent + 3, sent + 3 + 10 * round);
    sent += 3 + 10 * round;
    line.refuses = false;
    const { streamPosition, ...context } = await sub.log.next("subscribed");
    assert.match(flags(context), /^recovered wasRecovering hasRecoveredPublications positioned recoverable$/);
    assert.ok(streamPosition.offset < sent);
  }
  await publishNumbers(name, sent + 1, ++sent);
  const publications = await sub.log.take("publication", sent);
  assert.deepEqual(data(door, publications), numbers(1, sent));
  assert.deepEqual(offsets(publications), numbers(1, sent).map(({ n }) => n));
  assert.deepEqual(sub.log.all("publication"), []);
});

each("messages that come while it recovers come once, and behind", async (door) => {
  const line = await door.line();
  const name = channel();
  const client = await door.connected({}, line.port);
  const sub = await door.subscribed(client, name, { recoverable: true });
  let sent = 0;
  let publishing = true;
  const publisher = (async () => {
    while (publishing) await publish(name, { n: ++sent });
  })();
  for (let round = 0; round < 4; ++round) {
    line.cut();
    await sub.log.next("subscribing", ({ code }) => code === 1);
    assert.match(flags(await sub.log.next("subscribed", ({ wasRecovering }) => wasRecovering)), /^recovered wasRecovering/);
  }
  publishing = false;
  await publisher;
  const publications = await sub.log.take("publication", sent);
  assert.deepEqual(data(door, publications), numbers(1, sent));
});

each("nothing was missed: recovered, without publications", async (door) => {
  const line = await door.line();
  const name = channel();
  const client = await door.connected({}, line.port);
  const sub = await door.subscribed(client, name, { recoverable: true });
  await publish(name, { n: 1 });
  await sub.log.next("publication");
  await sub.log.next("subscribed");
  line.cut();
  assert.equal(flags(await sub.log.next("subscribed")), "recovered wasRecovering positioned recoverable");
});

each("a channel without a message recovers too", async (door) => {
  const line = await door.line();
  const name = channel();
  const client = await door.connected({}, line.port);
  const sub = await door.subscribed(client, name, { recoverable: true });
  await sub.log.next("subscribed");
  line.cut();
  assert.equal(flags(await sub.log.next("subscribed")), "recovered wasRecovering positioned recoverable");
  await publish(name, { n: 1 });
  await sub.log.next("publication");
});

each("more was missed than is kept: not recovered, no publications, and on from here", async (door) => {
  const line = await door.line();
  const name = channel("short");
  const client = await door.connected({}, line.port);
  const sub = await door.subscribed(client, name, { recoverable: true });
  await sub.log.next("subscribed");
  await publishNumbers(name, 1, 1);
  await sub.log.next("publication");
  line.refuses = true;
  line.cut();
  await publishNumbers(name, 2, 10); // three are kept
  line.refuses = false;
  const context = await sub.log.next("subscribed");
  assert.equal(flags(context), "wasRecovering positioned recoverable");
  assert.equal(context.streamPosition.offset, 10);
  await publishNumbers(name, 11, 11);
  assert.deepEqual(data(door, [await sub.log.next("publication")]), numbers(11, 11));
  line.cut();
  assert.equal(flags(await sub.log.next("subscribed")), "recovered wasRecovering positioned recoverable");
}, { fits: configured });

each("a position of another epoch: not recovered", async (door) => {
  const name = channel();
  const { epoch } = await publish(name, { n: 1 });
  const client = await door.connected();
  for (const since of [{ offset: 1, epoch: "abcdefgh" }, { offset: 0, epoch: "_" }, { offset: 5, epoch }]) {
    const sub = await door.subscribed(client, name, { since, recoverable: true });
    const context = await sub.log.next("subscribed");
    assert.equal(flags(context), "wasRecovering positioned recoverable", JSON.stringify(since));
    assert.deepEqual(context.streamPosition, { offset: 1, epoch });
    client.removeSubscription(sub);
  }
});

each("since: from a known position", async (door) => {
  const name = channel();
  await publishNumbers(name, 1, 9);
  const { epoch } = await publish(name, { n: 10 });
  const client = await door.connected();
  for (const since of [{ offset: 7, epoch }, { offset: 7 }]) {
    const sub = await door.subscribed(client, name, { since, recoverable: true });
    const context = await sub.log.next("subscribed");
    assert.equal(flags(context), "recovered wasRecovering hasRecoveredPublications positioned recoverable", JSON.stringify(since));
    assert.deepEqual(context.streamPosition, { offset: 7, epoch });
    assert.deepEqual(data(door, await sub.log.take("publication", 3)), numbers(8, 10));
    client.removeSubscription(sub);
  }
});

each("since on a channel that does not recover", async (door) => {
  const name = channel("quiet");
  const { epoch } = await publish(name, { n: 1 });
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { since: { offset: 0, epoch }, recoverable: true });
  const { recovered, recoverable } = await sub.log.next("subscribed");
  assert.deepEqual([recovered, recoverable], [false, false]);
  await publish(name, { n: 2 });
  assert.deepEqual(data(door, [await sub.log.next("publication")]), numbers(2, 2));
}, { fits: configured });

each("getState: error 112 sends the client back to its own source", async (door) => {
  const name = channel("short");
  await publishNumbers(name, 1, 9);
  const { offset, epoch } = await publish(name, { n: 10 });
  const client = await door.connected();
  const asked = [{ offset: 1, epoch }, { offset, epoch: "abcdefgh" }, { offset: 8, epoch }];
  const sub = await door.subscribed(client, name, { recoverable: true, getState: async () => asked.shift() });
  assert.deepEqual(asked, []);
  assert.match(flags(await sub.log.next("subscribed")), /^recovered wasRecovering/);
  assert.deepEqual(data(door, await sub.log.take("publication", 2)), numbers(9, 10));
  assert.deepEqual([sub.log.all("error"), sub.log.all("unsubscribed")], [[], []]);
}, { fits: configured });

each("cache: the newest message, again and again", async (door) => {
  const line = await door.line();
  const name = channel("cache");
  const client = await door.connected({}, line.port);
  await publishNumbers(name, 1, 5);
  const sub = await door.subscribed(client, name);
  // Without being asked for: auto_cache_recover.
  assert.equal(flags(await sub.log.next("subscribed")), "recovered wasRecovering hasRecoveredPublications positioned recoverable");
  assert.deepEqual(data(door, [await sub.log.next("publication")]), numbers(5, 5));
  line.cut();
  assert.equal(flags(await sub.log.next("subscribed")), "recovered wasRecovering positioned recoverable");
  line.refuses = true;
  line.cut();
  await publishNumbers(name, 6, 8);
  line.refuses = false;
  assert.equal(flags(await sub.log.next("subscribed")), "recovered wasRecovering hasRecoveredPublications positioned recoverable");
  await publishNumbers(name, 9, 9);
  const publications = await sub.log.take("publication", 2);
  assert.deepEqual(data(door, publications), [{ n: 8 }, { n: 9 }]);
  assert.deepEqual(offsets(publications), [8, 9]);
}, { fits: configured });

each("cache of a channel without a message", async (door) => {
  const name = channel("cache");
  const client = await door.connected();
  const sub = await door.subscribed(client, name);
  const context = await sub.log.next("subscribed");
  assert.deepEqual([context.hasRecoveredPublications, context.wasRecovering], [false, true]);
  await publishNumbers(name, 1, 1);
  assert.deepEqual(data(door, [await sub.log.next("publication")]), numbers(1, 1));
}, { fits: configured });

each("what a server-side subscription missed comes with the connection", async (door) => {
  const line = await door.line();
  const name = channel();
  const client = await door.connected({ token: token({ channels: [name] }) }, line.port);
  assert.equal(flags(await client.log.next("subscribed")), "positioned recoverable");
  await publishNumbers(name, 1, 2);
  await client.log.take("publication", 2);
  line.refuses = true;
  line.cut();
  await publishNumbers(name, 3, 6);
  line.refuses = false;
  assert.equal(flags(await client.log.next("subscribed")), "recovered wasRecovering hasRecoveredPublications positioned recoverable");
  await publishNumbers(name, 7, 7);
  const publications = await client.log.take("publication", 5);
  assert.deepEqual(data(door, publications), numbers(3, 7));
  assert.ok(publications.every((each) => each.channel === name));
}, { fits: configured });

each("a subscription whose state the server drops begins anew, and says so", async (door) => {
  const user = `user-${channel().replace(/\W/g, "")}`;
  const name = channel();
  const client = await door.connected({ token: token({ sub: user }), getToken: async () => token({ sub: user }) });
  const sub = await door.subscribed(client, name, { recoverable: true });
  await publishNumbers(name, 1, 2);
  await sub.log.take("publication", 2);
  await sub.log.next("subscribed");
  await api("disconnect", { user, disconnect: { code: 3014, reason: "state invalidated" } });
  const context = await sub.log.next("subscribed");
  assert.equal(flags(context), "wasRecovering positioned recoverable");
  assert.equal(context.streamPosition.offset, 2);
}, { fits: configured, waits: API_WAITS });

each("a channel emptied by the server: not recovered", async (door) => {
  const line = await door.line();
  const name = channel();
  const client = await door.connected({}, line.port);
  const sub = await door.subscribed(client, name, { recoverable: true });
  await publishNumbers(name, 1, 2);
  await sub.log.take("publication", 2);
  await sub.log.next("subscribed");
  line.refuses = true;
  line.cut();
  await publishNumbers(name, 3, 3);
  await api("history_remove", { channel: name });
  line.refuses = false;
  assert.equal(flags(await sub.log.next("subscribed")), "wasRecovering positioned recoverable");
});
