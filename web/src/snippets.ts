// The lines to take away: what a visitor copies to publish and to watch from a terminal or a page of their own.
import { channelInPath } from './lib/publish';

export function publishLine(origin: string, channel: string): string {
  return `curl -d 'hello' '${origin}/pub/${channelInPath(channel)}'`;
}

export function watchLine(origin: string, channel: string): string {
  return `curl -N '${origin}/sse/${channelInPath(channel)}'`;
}

/** A whole page: envelope over WebSocket, reconnects with full jitter, resumes by cursor. */
export function htmlSnippet(origin: string, channel: string): string {
  return `<pre id="feed"></pre>
<script>
  let cursor = '', failures = 0;
  (function connect() {
    const socket = new WebSocket('${origin.replace(/^http/, 'ws')}/ws/${channelInPath(channel)}?meta=1&since=' + cursor);
    socket.onmessage = ({ data }) => {
      const m = JSON.parse(data);
      if (m.gap || m.error) console.warn(m);
      if (m.offset) feed.prepend((m.text ?? JSON.stringify(m.data)) + '\\n');
      cursor = m.offset ? m.epoch + ':' + m.offset : (m.position ?? cursor);
      failures = 0;
    };
    socket.onclose = () => setTimeout(connect, Math.random() * Math.min(30000, 500 * 2 ** failures++));
  })();
</script>`;
}
