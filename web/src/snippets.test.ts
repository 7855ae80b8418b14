import { describe, expect, it } from 'vitest';
import { feedLine, htmlSnippet, publishLine, sdkSnippet, watchLine } from './snippets';

const kNasty = `a/b'; rm -rf "$HOME" </script>`;

it('makes lines for a shell that no channel name can break out of', () => {
  for (const line of [publishLine('http://x', kNasty), watchLine('http://x', kNasty)]) {
    const last = line.lastIndexOf(" '");
    expect(line.slice(last + 2, -1)).not.toMatch(/['\s]/);
    expect(line.endsWith("'")).toBe(true);
  }
  expect(publishLine('http://x', 'news')).toBe("curl -d 'hello' 'http://x/pub/news'");
  expect(watchLine('http://x', 'a/b')).toBe("curl -N 'http://x/sse/a/b'");
});

it('makes a page that no channel name can break out of', () => {
  const snippet = htmlSnippet('https://x', kNasty);
  expect(snippet.split('</script>')).toHaveLength(2);
  expect(snippet).toContain(
    "new WebSocket('wss://x/ws/a/b%27%3B%20rm%20-rf%20%22%24HOME%22%20%3C/script%3E?meta=1&since=' +",
  );
  expect(snippet.split('\n').length).toBeLessThanOrEqual(19);
});

it('makes code for the SDK that no channel name can break out of', () => {
  const code = sdkSnippet('https://x', kNasty);
  expect(code).toContain("new Centrifuge('wss://x/connection/websocket')");
  const [, literal] = /newSubscription\((".*"), \{/.exec(code)!;
  expect(JSON.parse(literal)).toBe(kNasty);
});

it('names the address for the demo feed only where the command would not find it', () => {
  expect(feedLine('http://127.0.0.1:8000')).toBe('wirebird demo feed');
  expect(feedLine('http://localhost:8000')).toBe('wirebird demo feed');
  expect(feedLine('https://x')).toBe('wirebird demo feed --url https://x');
});

describe('the page', () => {
  class Socket {
    static made: Socket[] = [];
    onmessage = (_event: { data: string }) => {};
    onclose = (_event: { code: number; reason: string }) => {};
    constructor(readonly url: string) {
      Socket.made.push(this);
    }
  }
  let shown: string[];
  let waits: number[];

  /** The program of the page, in a world where everything is at hand and chance is always one half. */
  function run(): Socket {
    shown = [];
    waits = [];
    const program = /<script>(.*)<\/script>/s.exec(htmlSnippet('http://x', 'news'))![1];
    new Function('WebSocket', 'feed', 'setTimeout', 'Math', 'console', program)(
      Socket,
      { prepend: (text: string) => shown.push(text) },
      (_connect: () => void, ms: number) => waits.push(ms),
      { min: Math.min, random: () => 0.5 },
      { warn() {}, error: (text: string) => shown.push(text) },
    );
    return Socket.made.at(-1)!;
  }

  it('shows text, JSON and binary', () => {
    const socket = run();
    for (const payload of ['"text":"a"', '"data":[1]', '"base64":"AAE="']) {
      socket.onmessage({ data: `{"channel":"news","epoch":"e","offset":1,${payload}}` });
    }
    expect(shown).toEqual(['a\n', '[1]\n', 'binary: AAE=\n']);
  });

  it('comes back within the window of a restarting server', () => {
    run().onclose({ code: 1012, reason: 'E_DRAINING {"retry_min_ms":100,"retry_max_ms":10000}' });
    expect(waits).toEqual([5050]);
  });

  it('waits longer with each failure, up to half a minute', () => {
    const socket = run();
    for (let i = 0; i < 9; i++) socket.onclose({ code: 1006, reason: '' });
    expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
    socket.onmessage({ data: '{"channel":"news","position":"e:0"}' });
    socket.onclose({ code: 1006, reason: '' });
    expect(waits.at(-1)).toBe(250);
  });

  it('ends when it is refused for good', () => {
    run().onclose({ code: 4403, reason: 'E_FORBIDDEN This is not permitted on this channel.' });
    expect(waits).toEqual([]);
    expect(shown).toEqual(['E_FORBIDDEN This is not permitted on this channel.']);
  });
});
