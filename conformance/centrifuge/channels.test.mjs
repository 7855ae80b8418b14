// What clients ask of channels: publish, history, presence, joins and leaves.
import assert from "node:assert/strict";

import { DEADLINE_MS, USER, api, channel, configured, credential, each, eventually, numbers, publish, publishNumbers, refusal, server, subscriptionToken, token } from "./rig.mjs";

const data = (door, publications) => publications.map((each) => door.unpack(each.data));

each("a publication says who published it", async (door) => {
  const name = channel();
  const sender = await door.connected({ token: token({ sub: "bob", info: { name: "Bob" } }) });
  const { client: id } = await sender.log.next("connected");
  const client = await door.connected();
  const sub = await door.subscribed(client, name);
  await sender.publish(name, door.pack({ n: 1 }));
  const { info, tags, ...publication } = await sub.log.next("publication");
  assert.deepEqual({ ...publication, data: door.unpack(publication.data) }, { channel: name, data: { n: 1 }, offset: 1 });
  const shown = { user: info.user, client: info.client, connInfo: door.unpack(info.connInfo), chanInfo: info.chanInfo && door.unpack(info.chanInfo) };
  assert.deepEqual(shown, { user: "bob", client: id, connInfo: { name: "Bob" }, chanInfo: undefined });
  assert.ok(tags === undefined || Object.keys(tags).length === 0);
  // The server itself is nobody.
  await publish(name, { n: 2 }, { tags: { kind: "test" } });
  const second = await sub.log.next("publication");
  assert.equal(second.info, undefined);
  assert.deepEqual({ ...second.tags }, { kind: "test" });
}, { fits: configured });

each("a publication of a subscriber carries what is known of it there", async (door) => {
  const name = channel("token");
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { token: subscriptionToken(name, { info: { role: "owner" } }) });
  await sub.publish(door.pack({ n: 1 }));
  const { info } = await sub.log.next("publication");
  assert.deepEqual(door.unpack(info.chanInfo), { role: "owner" });
}, { fits: configured });

each("every kind of JSON arrives as it was", async (door) => {
  const name = channel();
  const client = await door.connected();
  const sub = await door.subscribed(client, name);
  const values = [{ text: "two\nlines\r\n\u2028and κόσμε 🙂 \u0000 \\ \"" }, [], {}, [1, [2, [3]]], "text\nwith newline", "", 0, -1.5e-7, 12345678901234, true, false, { "": "" }];
  for (const value of values) {
    await client.publish(name, door.pack(value));
    assert.deepEqual(door.unpack((await sub.log.next("publication")).data), value);
    await publish(name, value);
    assert.deepEqual(door.unpack((await sub.log.next("publication")).data), value);
  }
  const history = await client.history(name, { limit: 100 });
  assert.deepEqual(data(door, history.publications), values.flatMap((value) => [value, value]));
});

each("JSON that is written with newlines", async (door) => {
  const name = channel();
  const client = await door.connected();
  const sub = await door.subscribed(client, name);
  const written = '{\n  "a": [\n    1,\r\n    2\n  ]\n}';
  const response = await fetch(`http://127.0.0.1:${server.port}/pub/${name}`, {
    method: "POST", body: written, headers: { "Content-Type": "application/json", ...credential },
  });
  assert.equal(response.status, 200);
  assert.deepEqual(door.unpack((await sub.log.next("publication")).data), { a: [1, 2] });
});

each("bytes", async (door) => {
  const name = channel();
  const client = await door.connected();
  const sub = await door.subscribed(client, name);
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  await client.publish(name, bytes);
  assert.deepEqual(new Uint8Array((await sub.log.next("publication")).data), bytes);
  await client.publish(name, new TextEncoder().encode("plain text, no JSON"));
  assert.equal(new TextDecoder().decode((await sub.log.next("publication")).data), "plain text, no JSON");
}, { fits: (transport) => transport.format === "protobuf" });

each("publish: nobody, everybody, subscribers", async (door) => {
  const client = await door.connected();
  assert.deepEqual(await refusal(client.publish(channel("readonly"), door.pack(1))), { code: 103, message: "permission denied" });
  assert.deepEqual(await client.publish(channel(), door.pack(1)), {});
  const name = channel("subpub");
  assert.deepEqual(await refusal(client.publish(name, door.pack(1))), { code: 103, message: "permission denied" });
  const sub = await door.subscribed(client, name);
  assert.deepEqual(await sub.publish(door.pack(1)), {});
  sub.unsubscribe();
  // Where commands travel as requests of their own, this one may overtake the end of the subscription.
  const refused = () => client.publish(name, door.pack(1)).then(() => null, (error) => error);
  assert.equal((await eventually(refused, "refused")).code, 103);
}, { fits: configured });

each("publish: only what the namespace takes", async (door) => {
  const client = await door.connected();
  const name = channel("objects");
  assert.deepEqual(await refusal(client.publish(name, door.pack([1]))), { code: 107, message: "bad request" });
  assert.deepEqual(await client.publish(name, door.pack({ a: 1 })), {});
}, { fits: configured });

each("history: limit, since, reverse", async (door) => {
  const name = channel();
  const client = await door.connected();
  const empty = await client.history(name, { limit: 10 });
  assert.deepEqual([empty.publications, empty.offset], [[], 0]);
  await publishNumbers(name, 1, 9);
  const { epoch } = await publish(name, { n: 10 }, { tags: { last: "yes" } });
  const read = async (options) => {
    const history = await client.history(name, options);
    assert.deepEqual([history.offset, history.epoch], [10, epoch]);
    return data(door, history.publications).map(({ n }) => n).join(" ");
  };
  assert.equal(await read(), "");
  assert.equal(await read({}), "");
  assert.equal(await read({ limit: 0 }), "");
  assert.equal(await read({ limit: 3 }), "1 2 3");
  assert.equal(await read({ limit: -1 }), "1 2 3 4 5 6 7 8 9 10");
  assert.equal(await read({ limit: 3, reverse: true }), "10 9 8");
  assert.equal(await read({ limit: 3, since: { offset: 5, epoch } }), "6 7 8");
  assert.equal(await read({ limit: 3, since: { offset: 5 } }), "6 7 8");
  assert.equal(await read({ limit: 3, since: { offset: 5, epoch }, reverse: true }), "4 3 2");
  assert.equal(await read({ limit: 100, since: { offset: 10, epoch } }), "");
  const { publications } = await client.history(name, { limit: 1, reverse: true });
  assert.deepEqual({ ...publications[0].tags }, { last: "yes" });
  assert.equal(publications[0].offset, 10);
  assert.deepEqual(await refusal(client.history(name, { limit: 3, since: { offset: 5, epoch: "abcdefgh" } })), { code: 112, message: "unrecoverable position" });
});

each("history, page by page", async (door) => {
  const name = channel();
  await publishNumbers(name, 1, 25);
  const client = await door.connected();
  const sub = await door.subscribed(client, name);
  for (const reverse of [false, true]) {
    const seen = [];
    let since;
    for (;;) {
      const { publications, epoch } = await sub.history({ limit: 10, since, reverse });
      if (publications.length === 0) break;
      seen.push(...publications);
      since = { offset: publications.at(-1).offset, epoch };
    }
    const all = numbers(1, 25);
    assert.deepEqual(data(door, seen), reverse ? all.reverse() : all);
  }
});

each("history that is off, or not for clients", async (door) => {
  const client = await door.connected();
  assert.deepEqual(await refusal(client.history(channel("nohistory"), { limit: 1 })), { code: 108, message: "not available" });
  assert.deepEqual(await refusal(client.history(channel("secretive"), { limit: 1 })), { code: 103, message: "permission denied" });
  assert.deepEqual(await refusal(client.presence(channel("quiet"))), { code: 108, message: "not available" });
  assert.deepEqual(await refusal(client.presenceStats(channel("quiet"))), { code: 108, message: "not available" });
  assert.deepEqual(await refusal(client.presence(channel("secretive"))), { code: 103, message: "permission denied" });
}, { fits: configured });

each("a channel without history has publications without offsets", async (door) => {
  const name = channel("nohistory");
  const client = await door.connected();
  const sub = await door.subscribed(client, name, { recoverable: true, positioned: true });
  await publish(name, { n: 1 });
  const { offset, data } = await sub.log.next("publication");
  assert.deepEqual([offset, door.unpack(data)], [undefined, { n: 1 }]);
}, { fits: configured });

each("presence: who is there, and how many", async (door) => {
  const name = channel();
  const tokens = [token({ info: { name: "A" } }), token({ info: { name: "A2" } }), token({ sub: "bob" })];
  const clients = await Promise.all(tokens.map((each) => door.connected({ token: each })));
  const ids = [];
  for (const client of clients) ids.push((await client.log.next("connected")).client);
  const [sub] = await Promise.all(clients.map((client) => door.subscribed(client, name)));
  const there = await eventually(async () => {
    const { clients } = await sub.presence();
    return Object.keys(clients).length === 3 && clients;
  }, "three clients");
  assert.deepEqual(Object.keys(there).sort(), [...ids].sort());
  const shown = ({ user, client, connInfo, chanInfo }) => [user, client, connInfo?.length === 0 ? undefined : door.unpack(connInfo), chanInfo?.length ? chanInfo : undefined];
  assert.deepEqual(shown(there[ids[0]]), [USER, ids[0], { name: "A" }, undefined]);
  assert.deepEqual(shown(there[ids[2]]), ["bob", ids[2], undefined, undefined]);
  assert.deepEqual(await sub.presenceStats(), { numClients: 3, numUsers: 2 });
  clients[1].disconnect();
  clients[2].getSubscription(name).unsubscribe();
  await eventually(async () => (await sub.presenceStats()).numClients === 1, "one client");
  assert.deepEqual(await sub.presenceStats(), { numClients: 1, numUsers: 1 });
  assert.deepEqual(await clients[0].presenceStats(channel()), { numClients: 0, numUsers: 0 });
  assert.deepEqual(Object.keys((await clients[0].presence(channel())).clients), []);
}, { fits: configured });

each("joins and leaves, for those who ask", async (door) => {
  const name = channel();
  const watcher = await door.connected();
  const { client: own } = await watcher.log.next("connected");
  const sub = await door.subscribed(watcher, name, { joinLeave: true });
  // One's own coming is told too, behind the answer.
  assert.equal((await sub.log.next("join")).info.client, own);
  const deaf = await door.connected();
  const deaf_sub = await door.subscribed(deaf, name);
  const { client: deaf_id } = await deaf.log.next("connected");
  assert.equal((await sub.log.next("join")).info.client, deaf_id);
  const guest = await door.connected({ token: token({ sub: "bob", info: { name: "Bob" } }) });
  const { client: id } = await guest.log.next("connected");
  const guest_sub = await door.subscribed(guest, name);
  const { channel: where, info } = await sub.log.next("join");
  assert.deepEqual([where, info.user, info.client, door.unpack(info.connInfo)], [name, "bob", id, { name: "Bob" }]);
  guest_sub.unsubscribe();
  assert.equal((await sub.log.next("leave")).info.client, id);
  guest_sub.subscribe();
  assert.equal((await sub.log.next("join")).info.client, id);
  guest.disconnect();
  const left = await sub.log.next("leave");
  assert.deepEqual([left.info.user, left.info.client], ["bob", id]);
  await publish(name, { end: true });
  await deaf_sub.log.next("publication");
  assert.deepEqual([deaf_sub.log.all("join"), deaf_sub.log.all("leave")], [[], []]);
}, { fits: configured });

each("joins and leaves: forced, and off", async (door) => {
  const name = channel("forced");
  const watcher = await door.connected();
  const sub = await door.subscribed(watcher, name);
  const guest = await door.connected();
  const { client: id } = await guest.log.next("connected");
  await door.subscribed(guest, name);
  await sub.log.next("join", ({ info }) => info.client === id);
  const quiet = channel("quiet");
  const deaf = await door.subscribed(watcher, quiet, { joinLeave: true });
  await door.subscribed(guest, quiet, { joinLeave: true });
  await publish(quiet, { end: true });
  await deaf.log.next("publication");
  assert.deepEqual(deaf.log.all("join"), []);
}, { fits: configured });
