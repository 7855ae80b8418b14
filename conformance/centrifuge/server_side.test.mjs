// Subscriptions that the server makes: by token, by the personal channel, by its API.
import assert from "node:assert/strict";

import { API_WAITS, USER, api, channel, each, eventually, numbers, publish, publishNumbers, server, token } from "./rig.mjs";

const personal = (user) => `personal:#${user}`;
let users = 0;
const newUser = () => `user-${process.pid}-${++users}`;
const data = (door, publications) => publications.map((each) => door.unpack(each.data));

each("channels and subs of the token, and the personal channel", async (door) => {
  const user = newUser();
  const [plain, informed, silent] = [channel(), channel(), channel("quiet")];
  const claims = {
    sub: user,
    channels: [plain],
    subs: { [informed]: { info: { role: "owner" }, data: { welcome: "κόσμε" } }, [silent]: {} },
  };
  const client = await door.connected({ token: token(claims) });
  const subscribed = Object.fromEntries((await client.log.take("subscribed", 4)).map((context) => [context.channel, context]));
  assert.deepEqual(Object.keys(subscribed).sort(), [plain, informed, silent, personal(user)].sort());
  assert.deepEqual(door.unpack(subscribed[informed].data), { welcome: "κόσμε" });
  assert.deepEqual([subscribed[plain].recoverable, subscribed[silent].recoverable], [true, false]);
  for (const name of Object.keys(subscribed)) {
    await publish(name, { to: name });
    const publication = await client.log.next("publication");
    assert.deepEqual([publication.channel, door.unpack(publication.data)], [name, { to: name }]);
  }
  const { clients } = await client.presence(informed);
  const [me] = Object.values(clients);
  assert.deepEqual([me.user, door.unpack(me.chanInfo)], [user, { role: "owner" }]);
});

each("joins and leaves of a server-side channel", async (door) => {
  const name = channel();
  const user = newUser();
  const client = await door.connected({ token: token({ sub: user, channels: [name] }) });
  await client.log.next("join", ({ channel, info }) => channel === name && info.user === user);
  const guest = await door.connected({ token: token({ sub: "bob", channels: [name] }) });
  const { client: id } = await guest.log.next("connected");
  const joined = await client.log.next("join", ({ channel }) => channel === name);
  assert.deepEqual([joined.info.user, joined.info.client], ["bob", id]);
  guest.disconnect();
  const left = await client.log.next("leave", ({ channel }) => channel === name);
  assert.equal(left.info.client, id);
});

each("overrides of a token", async (door) => {
  const name = channel("quiet");
  const override = { presence: { value: true }, join_leave: { value: true }, force_recovery: { value: true } };
  const user = newUser();
  const client = await door.connected({ token: token({ sub: user, subs: { [name]: { override } } }) });
  const context = await client.log.next("subscribed", ({ channel }) => channel === name);
  assert.equal(context.recoverable, true);
  await client.log.next("join", ({ channel, info }) => channel === name && info.user === user);
});

each("an anonymous token has no personal channel", async (door) => {
  const client = await door.connected({ token: token({ sub: "", channels: [channel()] }) });
  await client.log.next("subscribed");
  await client.presence(channel("open")).catch(() => {});
  assert.deepEqual(client.log.all("subscribed"), []);
});

each("the personal channel of a user reaches all of the user's clients", async (door) => {
  const user = newUser();
  const clients = [await door.connected({ token: token({ sub: user }) }), await door.connected({ token: token({ sub: user }) })];
  const other = await door.connected({ token: token({ sub: newUser() }) });
  for (const client of [...clients, other]) await client.log.next("subscribed");
  await publishNumbers(personal(user), 1, 3);
  for (const client of clients) assert.deepEqual(data(door, await client.log.take("publication", 3)), numbers(1, 3));
  assert.deepEqual(other.log.all("publication"), []);
});

each("the API subscribes and unsubscribes", async (door) => {
  const user = newUser();
  const name = channel();
  const client = await door.connected({ token: token({ sub: user }) });
  await client.log.next("subscribed", ({ channel }) => channel === personal(user));
  await api("subscribe", { user, channel: name, data: { hello: "κόσμε" } });
  const context = await client.log.next("subscribed");
  assert.deepEqual([context.channel, door.unpack(context.data)], [name, { hello: "κόσμε" }]);
  await publish(name, { n: 1 });
  assert.deepEqual(data(door, [await client.log.next("publication")]), numbers(1, 1));
  await api("unsubscribe", { user, channel: name });
  assert.equal((await client.log.next("unsubscribed")).channel, name);
  await publish(name, { n: 2 });
  await publish(personal(user), { n: 3 });
  assert.deepEqual(data(door, [await client.log.next("publication")]), numbers(3, 3));
}, { waits: API_WAITS });

each("a channel that the next token does not name is left", async (door) => {
  const line = await door.line();
  const [kept, left] = [channel(), channel()];
  const user = newUser();
  const client = await door.connected({ token: token({ sub: user, channels: [kept, left] }) }, line.port);
  await client.log.take("subscribed", 3);
  client.setToken(token({ sub: user, channels: [kept] }));
  line.cut();
  assert.equal((await client.log.next("unsubscribed")).channel, left);
  await publish(left, { n: 1 });
  await publish(kept, { n: 2 });
  assert.deepEqual(data(door, [await client.log.next("publication")]), numbers(2, 2));
});
