// A smaller set of the tests, for the browser build of the SDK with the browser's own WebSocket, fetch and EventSource.
// test_centrifuge_js.py calls window.scenarios and publishes in between; whatever an event brings is kept in `seen`.
const TRANSPORTS = {
  websocket: (host) => `ws://${host}/connection/websocket`,
  http_stream: (host) => [{ transport: "http_stream", endpoint: `http://${host}/connection/http_stream` }],
  sse: (host) => [{ transport: "sse", endpoint: `http://${host}/connection/sse` }],
};

const listen = (emitter, seen, names) => names.forEach((name) => emitter.on(name, (context) => seen.push([name, context])));

window.begin = async ({ transport, host, protobuf, token, channel, delta }) => {
  const client = new Centrifuge(TRANSPORTS[transport](host), {
    token, emulationEndpoint: `http://${host}/emulation`, minReconnectDelay: 20, maxReconnectDelay: 200,
  });
  const seen = [];
  listen(client, seen, ["connected", "disconnected", "error"]);
  const sub = client.newSubscription(channel, { recoverable: true, joinLeave: true, minResubscribeDelay: 20, ...(delta ? { delta: "fossil" } : {}) });
  listen(sub, seen, ["subscribed", "unsubscribed", "join"]);
  sub.on("publication", ({ data, offset }) => seen.push(["publication", { offset, data: protobuf ? JSON.parse(new TextDecoder().decode(data)) : data }]));
  sub.subscribe();
  client.connect();
  await sub.ready(20_000);
  const pack = (value) => (protobuf ? new TextEncoder().encode(JSON.stringify(value)) : value);
  Object.assign(window, { client, sub, seen, pack });
};

window.all = (name) => window.seen.filter(([each]) => each === name).map(([, context]) => context);
window.isReady = true;
