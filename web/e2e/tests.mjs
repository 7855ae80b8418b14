// What the page promises, one test each: [name, async ({ server, proxy, open, shoot, channel }) => ...].
// The page talks to the server through `proxy`; the test publishes to the server itself.
import assert from 'node:assert/strict';
import { until } from './server.mjs';

const kPhone = { width: 360, height: 740 };
const kResuming = ['websocket', 'sse', 'poll'];
const kDoors = [...kResuming, 'raw'];

const contiguous = (offsets) => offsets.every((offset, i) => i === 0 || offset === offsets[i - 1] - 1);

export const tests = [
  [
    'is served with a strict policy and loads nothing from elsewhere',
    async ({ open, shoot, channel }) => {
      const demo = await open({ channel });
      const headers = demo.response.headers();
      assert.match(headers['content-security-policy'], /default-src 'self'/);
      assert.doesNotMatch(headers['content-security-policy'], /script-src[^;]*unsafe/);
      assert.match(headers['content-type'], /text\/html/);
      assert.equal(await demo.page.title(), `${channel} · Wirebird`);
      await demo.says(/Nothing is missing so far/);
      await shoot(demo, 'empty');
    },
  ],

  [
    'is served compressed, with ETags, and hashed files for ever',
    async ({ server }) => {
      const page = await fetch(server.origin);
      const html = await page.text();
      const again = await fetch(server.origin, { headers: { 'If-None-Match': page.headers.get('etag') } });
      assert.equal(again.status, 304);
      const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)[1];
      const asset = await fetch(server.origin + script);
      assert.equal(asset.headers.get('content-encoding'), 'gzip');
      assert.match(asset.headers.get('content-type'), /javascript/);
      assert.match(asset.headers.get('cache-control'), /immutable/);
      await asset.text();
    },
  ],

  ...kDoors.map((door) => [
    `shows what is published at once: ${door}`,
    async ({ server, open, channel }) => {
      const demo = await open({ channel, door });
      await server.publish(channel, 'hello');
      await server.publish(channel, '{"price": 1}', 'application/json');
      await server.publish(channel, '新消息 <b>& more</b>');
      const json = door === 'raw' ? '{"price": 1}' : 'price: 1';
      await demo.showsNewest('新消息 <b>& more</b>', json, 'hello');
      await demo.reads('received', '3');
      if (door !== 'raw') {
        await demo.reads('missed', '0');
        assert.deepEqual(await demo.offsets(), [3, 2, 1]);
      }
    },
  ]),

  ...kResuming.map((door) => [
    `starts with the last messages: ${door}`,
    async ({ server, open, channel }) => {
      await server.publishMany(channel, 15, 'old');
      const demo = await open({ channel, door, since: '-10' });
      await demo.reads('received', '10');
      assert.deepEqual(
        await demo.offsets().then((offsets) => offsets.slice(0, 10)),
        [15, 14, 13, 12, 11, 10, 9, 8, 7, 6],
      );
      await demo.reads('replayed', '0');
      await demo.reads('missed', '0');
    },
  ]),

  ...kResuming.map((door) => [
    `catches up on everything after a cut: ${door}`,
    async ({ server, open, shoot, channel }) => {
      const demo = await open({ channel, door });
      await server.publishMany(channel, 3, 'before');
      await demo.showsNewest('before 3');
      await demo.cut();
      await demo.says(/The line is cut/);
      const last = await server.publishMany(channel, 25, 'meanwhile');
      await shoot(demo, `cut-${door}`);
      await demo.connectNow();
      await demo.says(/Caught up on 25 messages after .* away\. None is missing\./);
      await demo.reads('received', '28');
      await demo.reads('replayed', '25');
      await demo.reads('missed', '0');
      await demo.reads('position', `${last.epoch}:${last.offset}`);
      assert.ok(contiguous(await demo.offsets()));
      await server.publish(channel, 'after');
      await demo.showsNewest('after', 'meanwhile 25');
      await demo.reads('replayed', '25');
      await shoot(demo, `caught-up-${door}`);
    },
  ]),

  ...kResuming.map((door) => [
    `comes back by itself when the network breaks: ${door}`,
    async ({ server, proxy, open, channel }) => {
      const demo = await open({ channel, door });
      await server.publishMany(channel, 2, 'before');
      await demo.showsNewest('before 2');
      proxy.cut();
      await demo.inPhase('waiting');
      await server.publishMany(channel, 40, 'meanwhile');
      proxy.mend();
      await demo.says(/Caught up on 40 messages/);
      await demo.reads('received', '42');
      await demo.reads('missed', '0');
    },
  ]),

  [
    'loses nothing over many cuts while messages keep coming',
    async ({ server, proxy, open, channel }) => {
      const demo = await open({ channel });
      let running = true;
      let published = 0;
      let most = Infinity; // while the page is away, half of what the history keeps
      const publisher = (async () => {
        for (; running; published++) {
          await until('the page is back', 60_000, () => published < most || !running);
          await server.publish(channel, `message ${published + 1}`);
        }
      })();
      try {
        for (let i = 0; i < 10; i++) {
          const before = published;
          await until('messages come', 60_000, () => published > before + 10);
          most = published + 500;
          proxy.cut();
          await demo.inPhase('waiting');
          proxy.mend();
          await demo.page.evaluate(() => dispatchEvent(new Event('online'))); // so that no backoff is waited for
          await demo.inPhase('open');
          most = Infinity;
        }
      } finally {
        running = false;
        await publisher;
      }
      await demo.showsNewest(`message ${published}`);
      assert.equal(await demo.counter('received'), published);
      await demo.reads('missed', '0');
    },
  ],

  [
    // The socket looks open and is dead; nothing but the jump of the clock tells.
    'catches up when the lid is opened again',
    async ({ server, proxy, open, shoot, channel }) => {
      const demo = await open({ channel, clock: true });
      await server.publishMany(channel, 3, 'before');
      await demo.showsNewest('before 3');
      proxy.stall();
      await server.publishMany(channel, 30, 'meanwhile');
      await demo.page.clock.fastForward('00:40');
      await demo.says(/Caught up on 30 messages after .* away. None is missing./);
      await demo.reads('received', '33');
      await demo.reads('missed', '0');
      await shoot(demo, 'lid');
    },
  ],

  [
    'does not say that nothing is missing before it knows',
    async ({ server, open, channel }) => {
      const demo = await open({ channel });
      let release;
      let gate = Promise.resolve();
      await demo.page.routeWebSocket(/\/ws\?/, (near) => {
        const far = near.connectToServer();
        far.onMessage((message) => void gate.then(() => near.send(message)));
      });
      await demo.page.reload();
      await demo.inPhase('open');
      await server.publish(channel, 'before');
      await demo.showsNewest('before');
      await demo.cut();
      await server.publishMany(channel, 3, 'meanwhile');
      gate = new Promise((resolve) => (release = resolve));
      // Everything it says from here on, however short.
      await demo.page.evaluate(() => {
        const sentence = document.querySelector('[data-testid="sentence"]');
        window.said = [];
        new MutationObserver(() => window.said.push(sentence.textContent)).observe(sentence, {
          childList: true,
          characterData: true,
          subtree: true,
        });
      });
      await demo.connectNow();
      await demo.says(/catching up/);
      release();
      await demo.says(/Caught up on 3 messages after .* None is missing/);
      const said = await demo.page.evaluate(() => window.said);
      const known = said.findIndex((sentence) => /None is missing/.test(sentence));
      assert.match(said[known], /^Caught up on 3 messages/, said.join('\n'));
    },
  ],

  [
    'offers channels with something to watch, and says how to fill them',
    async ({ server, proxy, open, channel }) => {
      const demo = await open({ channel });
      assert.equal(await demo.at('demo-feed').locator('pre').innerText(), `wirebird demo feed --url ${proxy.origin}`);
      for (const width of [360, 700, 1024, 1280]) {
        await demo.page.setViewportSize({ width, height: 900 });
        const outside = await demo.page.$$eval('main button', (buttons) =>
          buttons
            .filter((button) => {
              const card = button.closest('.card').getBoundingClientRect();
              const { left, right } = button.getBoundingClientRect();
              return left < card.left || right > card.right;
            })
            .map((button) => button.textContent),
        );
        assert.deepEqual(outside, [], `at ${width} px`);
      }
      await demo.page.getByRole('button', { name: 'weather', exact: true }).click();
      await demo.page.waitForFunction(() => document.title === 'weather · Wirebird');
      await demo.inPhase('open');
      assert.equal(await demo.at('channel').inputValue(), 'weather');
      await server.publish('weather', '{"city": "Oslo", "temperature_c": 2.4}', 'application/json');
      await demo.showsNewest('city: Oslo temperature_c: 2.4');
      await demo.at('demo-feed').waitFor({ state: 'detached' });
    },
  ],

  [
    'says that the raw door cannot resume',
    async ({ server, open, channel }) => {
      const demo = await open({ channel, door: 'raw' });
      await demo.cut();
      await server.publishMany(channel, 5, 'meanwhile');
      await demo.connectNow();
      await demo.says(/What came meanwhile is unknown/);
      await demo.reads('received', '0');
      await demo.reads('missed', 'unknown');
    },
  ],

  [
    'says how much is gone when the log did not hold it',
    async ({ server, open, shoot, channel }) => {
      const demo = await open({ channel });
      await server.publish(channel, 'before');
      await demo.showsNewest('before');
      await demo.cut();
      await Promise.all(Array.from({ length: 8 }, () => server.publishMany(channel, 150, 'flood')));
      await demo.connectNow();
      await demo.says(/no longer held 1,200 messages/);
      await demo.reads('missed', '1,200');
      await server.publish(channel, 'after');
      await demo.showsNewest('after');
      await shoot(demo, 'gap');
    },
  ],

  [
    'notices that the server was born again',
    async ({ server, open, channel }) => {
      const demo = await open({ channel });
      await server.publishMany(channel, 3, 'before');
      await demo.showsNewest('before 3');
      await demo.cut();
      await server.stop('SIGKILL');
      await server.start();
      await server.publishMany(channel, 2, 'reborn');
      await demo.connectNow();
      await demo.says(/has begun the channel anew: 2 messages did not reach/);
      await demo.reads('missed', '2');
      await server.publish(channel, 'after');
      await demo.showsNewest('after');
      await demo.reads('missed', '2');
    },
  ],

  [
    'comes back by itself after the server was restarted',
    async ({ server, open, channel }) => {
      const demo = await open({ channel });
      await server.publish(channel, 'before');
      await demo.showsNewest('before');
      await server.stop();
      await demo.inPhase('waiting');
      await server.start();
      await demo.says(/has begun the channel anew; what it held before is unknown/);
      await server.publish(channel, 'after');
      await demo.showsNewest('after');
      await demo.reads('missed', '0');
    },
  ],

  [
    'publishes text and JSON by HTTP',
    async ({ open, channel }) => {
      const demo = await open({ channel });
      await demo.at('payload').fill('typed');
      await demo.at('payload').press('Enter');
      await demo.showsNewest('typed');
      assert.match(await demo.at('outcome').innerText(), /^Accepted as number 1 in \d+ ms\.$/);
      await demo.choose('JSON');
      await demo.at('payload').fill('{"a": [1]');
      assert.equal(await demo.at('outcome').innerText(), 'This is not valid JSON.');
      assert.ok(await demo.at('publish').isDisabled());
      await demo.at('payload').fill('{"a": [1]}');
      await demo.at('publish').click();
      await demo.showsNewest('a: [1]', 'typed');
    },
  ],

  [
    'publishes over the socket',
    async ({ open, channel }) => {
      const demo = await open({ channel });
      await demo.choose('the socket');
      await demo.at('payload').fill('over the socket');
      await demo.at('publish').click();
      await demo.showsNewest('over the socket');
    },
  ],

  [
    'changes door and channel without a reload',
    async ({ server, open, channel }) => {
      const demo = await open({ channel });
      await demo.choose('Server-sent events');
      await demo.inPhase('open');
      await server.publish(channel, 'by sse');
      await demo.showsNewest('by sse');
      await demo.at('channel').fill(`${channel}/b c?`);
      await demo.at('channel').press('Enter');
      await demo.page.waitForFunction((title) => document.title === title, `${channel}/b c? · Wirebird`);
      await demo.inPhase('open');
      await demo.at('payload').fill('elsewhere');
      await demo.at('publish').click();
      await demo.showsNewest('elsewhere');
      assert.match(demo.page.url(), /door=sse/);
    },
  ],

  [
    'stays smooth and complete at 1,000 messages per second',
    async ({ open, shoot, channel }) => {
      const demo = await open({ channel });
      await demo.choose('1,000/s');
      const started = Date.now();
      await until('4,000 messages', 60_000, async () => (await demo.counter('received')) >= 4000);
      const rate = (4000 / (Date.now() - started)) * 1000;
      const frames = await demo.page.evaluate(
        () =>
          new Promise((resolve) => {
            const gaps = [];
            let last = performance.now();
            const step = (now) => {
              gaps.push(now - last);
              last = now;
              if (gaps.length < 60) requestAnimationFrame(step);
              else resolve(gaps.sort((a, b) => a - b));
            };
            requestAnimationFrame(step);
          }),
      );
      console.log(
        `        ${rate.toFixed(0)}/s; frames: median ${frames[30].toFixed(1)} ms, 95 % ${frames[57].toFixed(1)} ms`,
      );
      assert.ok((await demo.page.locator('[data-testid="feed"] li').count()) < 60, 'rows out of sight do not exist');
      await shoot(demo, 'thousand');
      await demo.choose('Off');
      await demo.reads('missed', '0');
    },
  ],

  [
    'holds still while one reads',
    async ({ server, open, channel }) => {
      const demo = await open({ channel });
      await server.publishMany(channel, 60, 'row');
      await demo.showsNewest('row 60');
      await demo.at('feed').evaluate((list) => list.scrollTo({ top: 400 }));
      await demo.page.getByText('Held while you read').waitFor();
      const before = await demo.offsets();
      await server.publishMany(channel, 5, 'new');
      await demo.page.getByText('5 new, back to the top').waitFor();
      assert.deepEqual(await demo.offsets(), before);
      await demo.page.getByText('5 new, back to the top').click();
      await demo.showsNewest('new 5', 'new 4');
    },
  ],

  [
    'shows the whole of one message',
    async ({ server, open, channel }) => {
      const demo = await open({ channel });
      const long = 'word '.repeat(500).trim();
      await server.publish(channel, long);
      await demo.page.locator('[data-offset="1"]').click();
      assert.equal(await demo.page.locator('dialog pre').innerText(), long);
      await demo.page.keyboard.press('Escape');
      await demo.page.locator('dialog').waitFor({ state: 'detached' });
    },
  ],

  [
    'speaks the language of the browser, or the chosen one',
    async ({ open, shoot, channel }) => {
      const demo = await open({ channel, locale: 'zh-CN' });
      await demo.says(/目前没有遗漏/);
      assert.equal(await demo.page.getAttribute('html', 'lang'), 'zh-CN');
      await shoot(demo, 'zh');
      await demo.page.getByRole('button', { name: 'English' }).click();
      await demo.says(/Nothing is missing/);
      await demo.page.reload();
      await demo.says(/Nothing is missing/);
    },
  ],

  [
    'shows status, plots and the newest messages without scrolling',
    async ({ server, open }) => {
      const channel = 'e2e-fold'; // a name of ordinary length
      const demo = await open({ channel });
      await server.publishMany(channel, 8, 'row');
      await demo.showsNewest('row 8');
      const bottom = (selector) => demo.page.$eval(selector, (part) => part.getBoundingClientRect().bottom);
      assert.ok((await bottom('[data-testid="phase"]')) < 900);
      assert.ok((await bottom('section:has([data-testid="rate"])')) < 900);
      assert.ok((await bottom('[data-testid="feed"] [data-offset="1"]')) < 900);
      await demo.page.setViewportSize({ width: 390, height: 844 });
      assert.ok((await bottom('[data-testid="phase"]')) < 844);
      assert.ok((await bottom('section:has([data-testid="rate"])')) < 844);
    },
  ],

  ...['en-US', 'zh-CN'].map((locale) => [
    `fits a phone: ${locale}`,
    async ({ server, open, shoot, channel }) => {
      const demo = await open({ channel, locale, viewport: kPhone, scheme: 'dark' });
      await server.publishMany(channel, 20, 'a message that is rather long for a screen this narrow');
      await demo.reads('received', '20');
      await demo.cut();
      await server.publishMany(channel, 3, 'meanwhile');
      await demo.connectNow();
      await demo.reads('replayed', '3');
      const excess = await demo.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(excess <= 0, `${excess} px too wide`);
      await shoot(demo, `phone-${locale}`);
    },
  ]),

  [
    'names every control',
    async ({ open, channel }) => {
      const demo = await open({ channel });
      const nameless = await demo.page.$$eval('input, select, textarea, button, pre', (controls) =>
        controls
          .filter((control) => {
            const labels = [...(control.labels ?? [])].map((label) => label.textContent.trim()).join('');
            return !(labels || control.ariaLabel || (control.tagName === 'BUTTON' && control.textContent.trim()));
          })
          .map((control) => control.outerHTML),
      );
      assert.deepEqual(nameless, []);
    },
  ],

  [
    "offers a page of one's own that resumes",
    async ({ server, proxy, open, channel }) => {
      const demo = await open({ channel, bypassCSP: true });
      const snippet = await demo.page.locator('pre').last().innerText();
      const lines = snippet.split('\n').length;
      assert.ok(lines <= 19, `${lines} lines`);
      const { page } = demo;
      // Written into a document of this origin: one that the test made up would count as a page of the public network.
      await page.goto(`${proxy.origin}/version`);
      const connected = page.waitForEvent('websocket').then((socket) => socket.waitForEvent('framereceived'));
      await page.setContent(snippet);
      await connected;
      const shows = (text) =>
        page.waitForFunction((text) => document.getElementById('feed').textContent === text, text);
      await server.publish(channel, 'one');
      await shows('one\n');
      proxy.cut();
      await server.publishMany(channel, 3, 'two');
      proxy.mend();
      await shows('two 3\ntwo 2\ntwo 1\none\n');
    },
  ],

  [
    "serves the browser's own EventSource, which resumes by itself",
    async ({ server, proxy, open, channel }) => {
      const demo = await open({ channel: `${channel}/other` });
      await demo.page.evaluate((channel) => {
        window.seen = [];
        const source = new EventSource(`/sse?${new URLSearchParams({ channel })}`);
        source.onopen = () => (window.opens = (window.opens ?? 0) + 1);
        source.onmessage = ({ data, lastEventId }) => window.seen.push([lastEventId, JSON.parse(data)]);
      }, channel);
      const seen = (n) => demo.page.waitForFunction((n) => window.seen.length === n, n);
      await demo.page.waitForFunction(() => window.opens === 1);
      const { epoch } = await server.publish(channel, 'one');
      await seen(1);
      proxy.cut();
      await server.publishMany(channel, 5, 'two');
      proxy.mend();
      await seen(6);
      await server.publish(channel, 'three');
      await seen(7);
      const events = await demo.page.evaluate(() => window.seen);
      assert.deepEqual(
        events.map(([id]) => id),
        [1, 2, 3, 4, 5, 6, 7].map((offset) => `${epoch}:${offset}`),
      );
      assert.deepEqual(
        events.map(([, { offset }]) => offset),
        [1, 2, 3, 4, 5, 6, 7],
      );
      assert.ok((await demo.page.evaluate(() => window.opens)) >= 2);
    },
  ],
];
