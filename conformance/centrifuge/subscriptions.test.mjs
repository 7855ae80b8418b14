// Subscribing, unsubscribing, subscription tokens, and every refusal that the SDK knows.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import WebSocket from "ws";

import { API_WAITS, DEADLINE_MS, LONG_AGO, USER, api, channel, configured, each, eventually, now, publish, refusal, server, sign, subscriptionToken, token } from "./rig.mjs";

// What the SDK makes of a terminal error of subscribe.
const ends = async (sub) => {
  const refused = refusal(sub.ready(DEADLINE_MS));
  const { code, reason } = await sub.log.next("unsubscribed");
  assert.deepEqual(await refused, { code: 7, message: "unsubscribed" });
  return `${code} ${reason}`;
};
const fails = (sub) => {
  sub.subscribe();
  return ends(sub);
};

each("subscribe, unsubscribe, and again", async (door) => {
  const name = channel();
  const client = await door.connected();
  const sub = door.subscription(client, name);
  for (let round = 0; round < 3; ++round) {
    sub.subscribe();
    assert.deepEqual(await sub.log.next("subscribing"), { channel: name, code: 0, reason: "subscribe called" });
    const { data, ...context } = await sub.log.next("subscribed");
    assert.equal(data?.length ?? 0, 0); // Protobuf has no other way to say nothing
    assert.deepEqual(context, {
      channel: name, positioned: false, recoverable: false, recovered: false, wasRecovering: false, hasRecoveredPublications: false,
    });
    await publish(name, { round });
    const { tags, ...publication } = await sub.log.next("publication");
    assert.deepEqual({ ...tags }, {});
    assert.deepEqual({ ...publication, data: door.unpack(publication.data) }, { channel: name, data: { round }, offset: 2 * round + 1 });
    sub.unsubscribe();
    assert.deepEqual(await sub.log.next("unsubscribed"), { channel: name, code: 0, reason: "unsubscribe called" });
    await publish(name, { unseen: round });
  }
  assert.deepEqual(sub.log.seen, []);
  assert.deepEqual(await refusal(sub.publish(door.pack(1))), { code: 7, message: "unsubscribed" });
});

each("subscribe and unsubscribe in one breath", async (door) => {
  const name = channel();
  const client = await door.connected();
  const sub = door.subscription(client, name);
  for (let round = 0; round < 5; ++round) {
    sub.subscribe();
    sub.unsubscribe();
  }
  sub.subscribe();
  await sub.ready(DEADLINE_MS);
  await publish(name, { n: 1 });
  await sub.log.next("publication");
  sub.unsubscribe();
  client.removeSubscription(sub);
  const again = await door.subscribed(client, name);
  await publish(name, { n: 2 });
  assert.deepEqual(door.unpack((await again.log.next("publication")).data), { n: 2 });
});

test("subscribe, unsubscribe, subscribe as one frame: answered in order", { timeout: DEADLINE_MS }, async (t) => {
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/connection/websocket`);
  t.after(() => socket.terminate());
  await once(socket, "open");
  const name = channel();
  const commands = [{ connect: { token: token() } }, { subscribe: { channel: name } }, { unsubscribe: { channel: name } }, { subscribe: { channel: name } },
    { presence_stats: { channel: name } }, { unsubscribe: { channel: name } }, { unsubscribe: { channel: name } }, { publish: { channel: name, data: {} } }];
  const replies = [];
  socket.on("message", (frame) => {
    replies.push(...String(frame).trim().split("\n").map((line) => JSON.parse(line)).filter(({ id }) => id !== undefined));
  });
  socket.send(commands.map((command, i) => JSON.stringify({ id: i + 1, ...command })).join("\n"));
  await eventually(() => replies.length === commands.length, "an answer to each command");
  assert.deepEqual(replies.map(({ id, error }) => [id, error]), commands.map((_, i) => [i + 1, undefined]));
});

each("subscriptions wait for the connection, and outlive it", async (door) => {
  const line = await door.line();
  const names = Array.from({ length: 5 }, () => channel());
  const client = door.client({}, line.port);
  const subs = names.map((name) => door.subscription(client, name));
  subs.forEach((sub) => sub.subscribe());
  client.connect();
  for (const sub of subs) await sub.log.next("subscribed");
  line.cut();
  for (const sub of subs) {
    await sub.log.next("subscribing", ({ code }) => code === 1);
    await sub.log.next("subscribed");
  }
  for (const name of names) await publish(name, { to: name });
  for (const sub of subs) assert.deepEqual(door.unpack((await sub.log.next("publication")).data), { to: sub.channel });
});

each("a removed subscription is forgotten, a second one of a channel impossible", async (door) => {
  const name = channel();
  const client = await door.connected();
  const sub = await door.subscribed(client, name);
  assert.throws(() => client.newSubscription(name));
  assert.equal(client.getSubscription(name), sub);
  client.removeSubscription(sub);
  assert.equal(client.getSubscription(name), null);
  assert.deepEqual(client.subscriptions(), {});
});

each("an unknown namespace is error 102", async (door) => {
  const client = await door.connected();
  assert.equal(await fails(door.subscription(client, "nowhere:x")), "102 unknown channel");
  assert.deepEqual(await refusal(client.publish("nowhere:x", door.pack(1))), { code: 102, message: "unknown channel" });
  assert.deepEqual(await refusal(client.history("nowhere:x")), { code: 102, message: "unknown channel" });
  assert.deepEqual(await refusal(client.presence("nowhere:x")), { code: 102, message: "unknown channel" });
  assert.deepEqual(await refusal(client.presenceStats("nowhere:x")), { code: 102, message: "unknown channel" });
});

each("what is not permitted is error 103", async (door) => {
  const client = await door.connected();
  assert.equal(await fails(door.subscription(client, channel("token"))), "103 permission denied");
  assert.equal(await fails(door.subscription(client, `$${channel()}`)), "103 permission denied");
  assert.equal(await fails(door.subscription(client, channel("closed"))), "103 permission denied");
  const name = channel("readonly");
  await door.subscribed(client, name);
  assert.deepEqual(await refusal(client.publish(name, door.pack(1))), { code: 103, message: "permission denied" });
});

each("a channel that the server subscribed to is error 105", async (door) => {
  const name = channel();
  const client = await door.connected({ token: token({ channels: [name] }) });
  assert.equal(await fails(door.subscription(client, name)), "105 already subscribed");
});

each("one channel too many is error 106", async (door) => {
  const client = await door.connected();
  const names = Array.from({ length: 12 }, () => channel());
  // Joins and leaves come by a second way, which does not count.
  const subs = await Promise.all(names.map((name) => door.subscribed(client, name, { joinLeave: true })));
  const one_more = door.subscription(client, channel());
  assert.equal(await fails(one_more), "106 limit exceeded");
  subs[0].unsubscribe();
  // On transports with /emulation what is sent later may arrive earlier.
  await eventually(async () => {
    one_more.subscribe();
    return one_more.ready(DEADLINE_MS).then(() => true, () => false);
  }, "there is room again");
});

each("a name that no channel can have is error 107", async (door) => {
  const client = await door.connected();
  assert.equal(await fails(door.subscription(client, `open:${"x".repeat(300)}`)), "107 bad request");
  assert.equal(await fails(door.subscription(client, "pattern:Upper")), "107 bad request");
  await door.subscribed(client, `pattern:${channel().replace(/[^0-9]/g, "")}`);
});

each("a stream is no map, and shared polls are not served", async (door) => {
  const client = await door.connected();
  const wrong = [
    [client.newMapSubscription(channel()), 107],
    [client.newSharedPollSubscription(channel(), { getSignature: async () => ({ signature: "1:2:ab", items: [] }) }), 108],
  ];
  for (const [sub, code] of wrong) {
    const ended = new Promise((resolve) => sub.on("unsubscribed", resolve));
    sub.subscribe();
    assert.equal((await ended).code, code);
  }
});

each("a channel of certain users", async (door) => {
  const own = `limited:${channel().replace(/\W/g, "")}#bob,${USER}`;
  const client = await door.connected();
  const sub = await door.subscribed(client, own);
  await client.publish(own, door.pack({ hello: "bob" }));
  await sub.log.next("publication");
  assert.equal(await fails(door.subscription(client, own.replace(`,${USER}`, ""))), "103 permission denied");
});

each("a subscription token opens what is closed", async (door) => {
  const client = await door.connected();
  for (const name of [channel("token"), `$${channel()}`]) {
    const sub = await door.subscribed(client, name, { token: subscriptionToken(name) });
    await publish(name, { x: 1 });
    await sub.log.next("publication");
  }
});

each("a subscription token of something else", async (door) => {
  const name = channel("token");
  const client = await door.connected();
  const wrong = "another-key-for-tests-0123456789abcdef";
  assert.equal(await fails(door.subscription(client, name, { token: sign({ sub: USER, channel: name }, wrong) })), "103 permission denied");
  client.removeSubscription(client.getSubscription(name));
  const fine = await door.subscribed(client, name, { token: sign({ sub: USER, channel: name }) });
  client.removeSubscription(fine);
  for (const claims of [{ sub: "bob" }, { channel: `${name}x` }, { client: "somebody" }]) {
    const other = await door.connected();
    door.subscription(other, name, { token: subscriptionToken(name, claims) }).subscribe();
    assert.deepEqual(await other.log.next("disconnected"), { code: 3500, reason: "invalid token" });
  }
});

each("a subscription token for this very connection", async (door) => {
  const name = channel("token");
  const client = await door.connected();
  const { client: id } = await client.log.next("connected");
  await door.subscribed(client, name, { token: subscriptionToken(name, { client: id }) });
});

each("a subscription token comes from getToken", async (door) => {
  const name = channel("token");
  const client = await door.connected();
  const asked = [];
  await door.subscribed(client, name, { getToken: async (context) => (asked.push(context), subscriptionToken(name)) });
  assert.deepEqual(asked, [{ channel: name }]);
});

each("getToken of a subscription that says unauthorized ends it", async (door) => {
  const client = await door.connected();
  const getToken = async () => {
    throw new door.transport.Sdk.UnauthorizedError("");
  };
  assert.equal(await fails(door.subscription(client, channel("token"), { getToken })), "1 unauthorized");
});

each("an expired subscription token is error 109, and the next one is taken", async (door) => {
  const name = channel("token");
  const client = await door.connected();
  let asked = 0;
  const sub = door.subscription(client, name, {
    token: subscriptionToken(name, { exp: now() + LONG_AGO }),
    getToken: async () => (++asked, subscriptionToken(name)),
  });
  sub.subscribe();
  const { type, error } = await sub.log.next("error");
  assert.deepEqual({ type, ...error }, { type: "subscribe", code: 109, message: "token expired", temporary: false });
  await sub.log.next("subscribed");
  assert.equal(asked, 1);
});

each("a subscription token that runs out is refreshed, without a gap", async (door) => {
  const name = channel("token");
  const client = await door.connected();
  let asked = 0;
  const sub = await door.subscribed(client, name, {
    getToken: async () => subscriptionToken(name, { exp: now() + (++asked < 3 ? 2 : 3600) }),
  });
  await eventually(() => asked === 3, "two refreshes");
  // Answered in order: what is published now comes after the refresh.
  await client.presenceStats(name).catch(() => {});
  await publish(name, { still: "here" });
  assert.deepEqual(door.unpack((await sub.log.next("publication")).data), { still: "here" });
  assert.deepEqual([sub.log.all("subscribed").length, sub.log.all("unsubscribed"), sub.log.all("error")], [1, [], []]);
});

each("expire_at ends a subscription though its token goes on, and 0 means never", async (door) => {
  const client = await door.connected();
  const ttl = (name, claims) =>
    new Promise((resolve) => {
      const sub = door.subscription(client, name, { token: subscriptionToken(name, claims), getToken: () => new Promise(() => {}) });
      const set = sub._setSubscribed.bind(sub);
      sub._setSubscribed = (result) => (resolve(result.expires ? result.ttl : "never"), set(result));
      sub.subscribe();
    });
  assert.equal(await ttl(channel("token"), { expire_at: 0 }), "never");
  assert.equal(await ttl(channel("token"), { exp: undefined }), "never");
  assert.ok(Math.abs((await ttl(channel("token"), { expire_at: now() + 100 })) - 100) <= 1);
  assert.ok(Math.abs((await ttl(channel("token"), { exp: now() + 200 })) - 200) <= 1);
});

each("a refresh with a token of another channel", async (door) => {
  const name = channel("token");
  const client = await door.connected();
  let asked = 0;
  await door.subscribed(client, name, { getToken: async () => subscriptionToken(++asked === 1 ? name : `${name}x`, { exp: now() + 2 }) });
  assert.deepEqual(await client.log.next("disconnected"), { code: 3500, reason: "invalid token" });
});

each("the server may unsubscribe, for good or not", async (door) => {
  const user = `user-${channel().replace(/\W/g, "")}`;
  const name = channel();
  const client = await door.connected({ token: token({ sub: user }) });
  const sub = await door.subscribed(client, name, { recoverable: true });
  await api("unsubscribe", { user, channel: name });
  assert.deepEqual(await sub.log.next("unsubscribed"), { channel: name, code: 2000, reason: "server unsubscribe" });
  await publish(name, { unseen: true });
  sub.subscribe();
  // What it missed in between is given to it, for the SDK keeps the position.
  await sub.ready(DEADLINE_MS);
  assert.deepEqual(door.unpack((await sub.log.next("publication")).data), { unseen: true });
}, { waits: API_WAITS });

each("who is not renewed in time has 25 s more", async (door) => {
  const name = channel("token");
  const never = () => new Promise(() => {});
  const idle = await door.connected({ token: token({ exp: now() + 2 }), getToken: never });
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { token: subscriptionToken(name, { exp: now() + 2 }), getToken: never });
  const said = (log, event, code) => log.all(event).some((context) => context.code === code);
  await eventually(() => said(sub.log, "subscribing", 2501) && said(idle.log, "connecting", 3005), "both ended", 2 * DEADLINE_MS);
  assert.equal(client.state, "connected");
}, { fits: (transport) => transport.name === "WebSocket, JSON" });

// The SDK asks for numbers in place of names whenever it subscribes, and keeps what it is told in _id.
each("numbers in place of channel names", async (door) => {
  const names = [channel("compact"), channel("compact"), channel("compact")];
  const client = await door.connected();
  const other = await door.connected();
  const subs = [];
  for (const name of names) subs.push(await door.subscribed(client, name, { joinLeave: true, recoverable: true }));
  const json = door.transport.format === "json";
  for (const sub of subs) assert.equal(sub._id > 0, json, `${sub._id}`);
  if (json) assert.equal(new Set(subs.map((sub) => sub._id)).size, 3);
  const check = async (round) => {
    for (const [n, name] of names.entries()) await publish(name, { round, n });
    for (const [n, sub] of subs.entries()) {
      assert.deepEqual(door.unpack((await sub.log.next("publication")).data), { round, n });
    }
  };
  await check(0);
  for (const [n, name] of names.entries()) {
    await subs[n].log.next("join", ({ info }) => info.client !== undefined); // its own
    const guest = await door.subscribed(other, name);
    await subs[n].log.next("join");
    guest.unsubscribe();
    await subs[n].log.next("leave");
  }
  // One goes, and another one comes, perhaps with the number of the first.
  subs[1].unsubscribe();
  assert.equal(subs[1]._id, 0);
  names[1] = channel("compact");
  subs[1] = await door.subscribed(client, names[1], { joinLeave: true });
  await check(1);
}, { fits: configured });
