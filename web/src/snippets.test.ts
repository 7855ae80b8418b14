import { expect, it } from 'vitest';
import { htmlSnippet, publishLine, watchLine } from './snippets';

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
  expect(snippet.split('\n').length).toBeLessThanOrEqual(15);
});
