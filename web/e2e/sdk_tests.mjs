// What the tab of the Centrifuge SDK promises, one test each, as in tests.mjs.
import assert from 'node:assert/strict';

const kPhone = { width: 375, height: 740 };
const kTransports = ['WebSocket', 'HTTP stream', 'Server-sent events'];

const range = (from, to) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

async function enter(open, options) {
  const demo = await open({ view: 'sdk', ...options });
  const name = options.name ?? 'Heron';
  await demo.at('name').fill(name);
  await demo.at('name').press('Enter');
  await demo.page.waitForFunction(
    (name) => [...document.querySelectorAll('[data-testid="members"] .name')].some((each) => each.textContent === name),
    name,
  );
  return demo;
}

async function say(demo, text) {
  await demo.at('say').fill(text);
  await demo.at('say').press('Enter');
}

export const tests = [
  [
    'SDK: is loaded only by those who ask for it',
    async ({ open, channel }) => {
      const scripts = [];
      const demo = await open({ channel });
      demo.page.on('response', (response) => {
        if (/\/assets\/.*\.js$/.test(response.url())) scripts.push(response.url());
      });
      await demo.page.reload();
      await demo.inPhase('open');
      assert.equal(scripts.length, 1);
      await demo.at('view-sdk').click();
      await demo.at('talk').waitFor();
      await demo.inPhase('open');
      assert.equal(scripts.length, 2);
      assert.match(demo.page.url(), /view=sdk/);
      await demo.at('view-feed').click();
      await demo.at('feed').waitFor();
    },
  ],

  [
    'SDK: shows who is there by name, who comes and who goes',
    async ({ open, shoot, channel }) => {
      const heron = await enter(open, { channel, name: 'Heron' });
      const egret = await enter(open, { channel, name: 'Egret' });
      await heron.hasMembers('Heron', 'Egret');
      await egret.hasMembers('Heron', 'Egret');
      await say(heron, 'hello');
      await egret.talkEndsWith('hello');
      assert.equal(await egret.page.locator('[data-testid="talk"] .name').innerText(), 'Heron');
      await egret.at('name').fill('Ibis');
      await egret.at('name').press('Enter');
      await heron.hasMembers('Heron', 'Ibis');
      await shoot(heron, 'sdk-two');
      await egret.at('view-feed').click();
      await heron.hasMembers('Heron');
      await heron.page.getByText('Ibis left').waitFor();
    },
  ],

  [
    'SDK: is the same channel as at every other door',
    async ({ server, open, channel }) => {
      const demo = await enter(open, { channel });
      await server.publish(channel, 'by curl');
      await server.publish(channel, '{"price": 1}', 'application/json');
      await demo.talkEndsWith('by curl', '{"price":1}');
      await say(demo, 'by the SDK');
      await demo.talkEndsWith('by the SDK');
      assert.deepEqual(await demo.talk(), [1, 2, 3]);
      await demo.at('view-feed').click();
      await demo.showsNewest('from: Heron text: by the SDK', 'price: 1', 'by curl');
    },
  ],

  ...kTransports.map((transport) => [
    `SDK: recovers what it missed while the line was cut: ${transport}`,
    async ({ server, open, shoot, channel }) => {
      const demo = await enter(open, { channel });
      await demo.choose(transport);
      await demo.inPhase('open');
      await demo.reads('transport', transport);
      await say(demo, 'before');
      await demo.talkEndsWith('before');
      await demo.cut();
      await demo.says(/The line is cut under the SDK/);
      assert.ok(await demo.at('cut').isHidden());
      await server.publishMany(channel, 3, 'meanwhile');
      await shoot(demo, `sdk-cut-${transport}`);
      await demo.connectNow();
      await demo.says(/Back after .* away: 3 messages recovered\. None is missing\./);
      await demo.reads('recovered', '3');
      await demo.reads('missed', '0');
      await demo.talkEndsWith('before', 'meanwhile 1', 'meanwhile 2', 'meanwhile 3');
      assert.deepEqual(await demo.talk(), [1, 'lost', 'back', 2, 3, 4]);
      assert.match(await demo.page.locator('[data-note="back"]').innerText(), /3 recovered/);
      assert.equal(await demo.page.locator('.message.recovered').count(), 3);
      await server.publish(channel, 'after');
      await demo.talkEndsWith('after');
      await demo.reads('recovered', '3');
      await demo.reads('transport', transport);
      await demo.hasMembers('Heron');
      await shoot(demo, `sdk-recovered-${transport}`);
    },
  ]),

  [
    'SDK: the cut mends by itself',
    async ({ server, open, channel }) => {
      const demo = await enter(open, { channel });
      await demo.at('cut-for').selectOption({ index: 0 });
      await demo.at('cut').click();
      await demo.inPhase('cut');
      await server.publishMany(channel, 2, 'meanwhile');
      await demo.inPhase('open');
      await demo.reads('recovered', '2');
    },
  ],

  [
    'SDK: comes back by itself when the network breaks',
    async ({ server, proxy, open, channel }) => {
      const demo = await enter(open, { channel });
      await server.publish(channel, 'before');
      await demo.talkEndsWith('before');
      proxy.cut();
      await demo.inPhase('waiting');
      await demo.says(/tries again by itself/);
      await server.publishMany(channel, 40, 'meanwhile');
      proxy.mend();
      await demo.says(/40 messages recovered/);
      await demo.reads('missed', '0');
    },
  ],

  [
    'SDK: says how much is gone when the log did not hold it',
    async ({ server, open, shoot, channel }) => {
      const demo = await enter(open, { channel });
      await server.publish(channel, 'before');
      await demo.talkEndsWith('before');
      await demo.cut();
      await Promise.all(Array.from({ length: 8 }, () => server.publishMany(channel, 150, 'flood')));
      await demo.connectNow();
      await demo.says(/too long to recover: 1,170 messages not shown/);
      await demo.reads('missed', '1,170');
      assert.deepEqual(await demo.talk(), [1, 'lost', 'back', 'gap', ...range(1172, 1201)]);
      await server.publish(channel, 'after');
      await demo.talkEndsWith('after');
      await shoot(demo, 'sdk-gap');
    },
  ],

  [
    'SDK: notices that the server was born again',
    async ({ server, open, channel }) => {
      const demo = await enter(open, { channel });
      await server.publishMany(channel, 3, 'before');
      await demo.talkEndsWith('before 3');
      await demo.cut();
      await server.stop('SIGKILL');
      await server.start();
      await server.publishMany(channel, 2, 'reborn');
      await demo.connectNow();
      await demo.says(/has begun the channel anew; what it held before is unknown/);
      assert.deepEqual(await demo.talk(), [1, 2, 3, 'lost', 'back', 'gap', 1, 2]);
      await server.publish(channel, 'after');
      await demo.talkEndsWith('reborn 2', 'after');
      await demo.hasMembers('Heron');
    },
  ],

  [
    'SDK: loads older pages when one scrolls up, and stands still meanwhile',
    async ({ server, open, channel }) => {
      await server.publishMany(channel, 75, 'old');
      const demo = await enter(open, { channel });
      await demo.talkEndsWith('old 75');
      assert.deepEqual(await demo.talk(), range(46, 75));
      const list = demo.at('talk');
      const atBottom = () => list.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 2);
      assert.ok(await atBottom());
      const grown = (n) =>
        demo.page.waitForFunction((n) => document.querySelectorAll('[data-testid="talk"] .message').length === n, n);

      await list.evaluate((el) => el.scrollTo({ top: 0 }));
      await grown(60);
      assert.deepEqual(await demo.talk(), range(16, 75));
      // What was at the top before is still in sight.
      const seen = await list.evaluate((el) => {
        const row = el.querySelector('[data-offset="46"]').getBoundingClientRect();
        const frame = el.getBoundingClientRect();
        return row.top >= frame.top - 4 && row.bottom <= frame.bottom + 4;
      });
      assert.ok(seen);
      await server.publish(channel, 'new');
      await demo.talkEndsWith('new');
      assert.ok(!(await atBottom()), 'it stands still while one reads');
      await list.evaluate((el) => el.scrollTo({ top: 0 }));
      await grown(76);
      assert.deepEqual(await demo.talk(), range(1, 76));
      assert.equal(await demo.at('talk-top').innerText(), 'Nothing older is held by the server.');
      await demo.page.getByText('To the newest').click();
      assert.ok(await atBottom());
    },
  ],

  [
    'SDK: others keep talking while the line is cut',
    async ({ open, channel }) => {
      const demo = await enter(open, { channel });
      await demo.choose('10/s');
      await demo.page.waitForFunction(() => document.querySelectorAll('.message').length >= 3);
      await demo.at('cut-for').selectOption({ index: 0 });
      await demo.at('cut').click();
      await demo.inPhase('cut');
      await demo.inPhase('open');
      await demo.says(/messages recovered. None is missing/);
      assert.ok((await demo.counter('recovered')) >= 10);
      await demo.choose('Off');
      await demo.reads('missed', '0');
    },
  ],

  ...['en-US', 'zh-CN'].map((locale) => [
    `SDK: fits a phone: ${locale}`,
    async ({ server, open, shoot, channel }) => {
      const demo = await enter(open, { channel, locale, viewport: kPhone, scheme: 'dark' });
      await server.publishMany(channel, 6, 'a message that is rather long for a screen this narrow');
      await say(demo, 'short');
      await demo.talkEndsWith('short');
      await demo.cut();
      await server.publishMany(channel, 3, 'meanwhile');
      await shoot(demo, `sdk-phone-cut-${locale}`);
      await demo.connectNow();
      await demo.reads('recovered', '3');
      const excess = await demo.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(excess <= 0, `${excess} px too wide`);
      await shoot(demo, `sdk-phone-${locale}`);
    },
  ]),

  [
    'SDK: everything is reached and worked by keys, and has a name',
    async ({ open, channel }) => {
      const demo = await enter(open, { channel });
      const { page } = demo;
      await page.getByRole('button', { name: 'English' }).focus();
      const reached = new Set();
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press('Tab');
        const id = await page.evaluate(() => document.activeElement.dataset.testid ?? document.activeElement.value);
        if (id) reached.add(id);
      }
      for (const id of ['view-feed', 'channel', 'name', 'websocket', 'cut', 'cut-for', 'talk', 'say', 'members']) {
        assert.ok(reached.has(id), `${id} not among ${[...reached]}`);
      }
      await demo.at('cut').focus();
      await page.keyboard.press('Enter');
      await demo.inPhase('cut');
      await demo.at('connect-now').focus();
      await page.keyboard.press('Enter');
      await demo.inPhase('open');
      const nameless = await page.$$eval('input, select, textarea, button, pre, [tabindex]', (controls) =>
        controls
          .filter((control) => {
            const labels = [...(control.labels ?? [])].map((label) => label.textContent.trim()).join('');
            const named = control.ariaLabel || control.getAttribute('aria-labelledby');
            return !(labels || named || (control.tagName === 'BUTTON' && control.textContent.trim()));
          })
          .map((control) => control.outerHTML),
      );
      assert.deepEqual(nameless, []);
    },
  ],
];
