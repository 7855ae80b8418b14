// The lines to take away: what a visitor copies to publish and to watch from a terminal or a page of their own.
import { channelInPath } from './lib/publish';

export function publishLine(origin: string, channel: string): string {
  return `curl -d 'hello' '${origin}/pub/${channelInPath(channel)}'`;
}

/** Fills `kDemoChannels`. The command looks for the server at its default address by itself. */
export function feedLine(origin: string): string {
  const usual = /^http:\/\/(127\.0\.0\.1|localhost):8000$/.test(origin);
  return `wirebird demo feed${usual ? '' : ` --url ${origin}`}`;
}

export function watchLine(origin: string, channel: string): string {
  return `curl -N '${origin}/sse/${channelInPath(channel)}'`;
}

/** The official SDK as it comes from npm: nothing about it is ours. */
export function sdkSnippet(origin: string, channel: string): string {
  return `import { Centrifuge } from 'centrifuge'; // npm install centrifuge

const client = new Centrifuge('${origin.replace(/^http/, 'ws')}/connection/websocket');
const sub = client.newSubscription(${JSON.stringify(channel)}, { recoverable: true, joinLeave: true });
sub.on('publication', ({ data, offset }) => console.log(offset, data));
sub.on('join', ({ info }) => console.log(info.client, 'came'));
sub.subscribe();
client.connect();`;
}

/** A whole page: envelope over WebSocket, resumes by cursor, comes back in the window that a restarting server names, else with full jitter. */
export function htmlSnippet(origin: string, channel: string): string {
  return `<pre id="feed"></pre>
<script>
  let cursor = '', failures = 0;
  (function connect() {
    const socket = new WebSocket('${origin.replace(/^http/, 'ws')}/ws/${channelInPath(channel)}?meta=1&since=' + cursor);
    socket.onmessage = ({ data }) => {
      const m = JSON.parse(data);
      if (m.gap || m.error) console.warn(m);
      if (m.offset) feed.prepend((m.text ?? JSON.stringify(m.data) ?? 'binary: ' + m.base64) + '\\n');
      cursor = m.offset ? m.epoch + ':' + m.offset : (m.position ?? cursor);
      failures = 0;
    };
    socket.onclose = ({ code, reason }) => {
      if ([1008, 4401, 4403].includes(code)) return console.error(reason); // refused for good
      const [, least, most] = /^E_DRAINING \\D+(\\d+)\\D+(\\d+)/.exec(reason) ?? [0, 0, Math.min(30000, 500 * 2 ** failures++)];
      setTimeout(connect, +least + Math.random() * (most - least));
    };
  })();
</script>`;
}
