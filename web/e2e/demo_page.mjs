// The demo page as a user has it before them: what it says and what can be pressed.
import assert from 'node:assert/strict';

const kPatienceMs = 60_000; // only ends what hangs
const kDesktop = { width: 1280, height: 900 };

export class DemoPage {
  /** `view`: feed or sdk. `door`: websocket, raw, sse or poll. `since`: '' or `-N`. */
  static async open(
    browser,
    origin,
    {
      channel,
      view = 'feed',
      door = 'websocket',
      since = '',
      locale = 'en-US',
      viewport = kDesktop,
      scheme = 'light',
      bypassCSP = false,
      clock = false,
    },
  ) {
    const context = await browser.newContext({ locale, viewport, colorScheme: scheme, bypassCSP });
    const page = await context.newPage();
    if (clock) await page.clock.install(); // it runs, and can be made to jump
    page.setDefaultTimeout(kPatienceMs);
    const demo = new DemoPage(context, page, origin);
    demo.response = await page.goto(`${origin}/#${new URLSearchParams({ channel, door, since, view })}`);
    await demo.inPhase('open');
    return demo;
  }

  constructor(context, page, origin) {
    this.context = context;
    this.page = page;
    this.complaints = [];
    page.on('pageerror', (error) => this.complaints.push(`page error: ${error}`));
    page.on('console', (message) => {
      // The browser itself logs a cut line, and the icon of a page without one.
      const text = message.text();
      const network = /net::ERR_(?!BLOCKED)|WebSocket connection to/.test(text);
      const icon = message.location().url.endsWith('/favicon.ico');
      if (message.type() === 'error' && !network && !icon) this.complaints.push(text);
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(origin)) this.complaints.push(`asks another host: ${request.url()}`);
    });
  }

  async close() {
    await this.context.close();
  }

  assertClean() {
    assert.deepEqual(this.complaints, []);
  }

  at(id) {
    return this.page.getByTestId(id);
  }

  async inPhase(phase) {
    await this.page.waitForSelector(`[data-phase="${phase}"]`);
  }

  async sentence() {
    return this.at('sentence').innerText();
  }

  async counter(name) {
    return Number((await this.at(name).innerText()).replaceAll(/\D/g, ''));
  }

  async reads(id, text) {
    await this.page.waitForFunction(
      ([id, text]) => document.querySelector(`[data-testid="${id}"]`)?.textContent?.trim() === text,
      [id, text],
    );
  }

  async says(pattern) {
    await this.page.waitForFunction(
      (source) => new RegExp(source).test(document.querySelector('[data-testid="sentence"]')?.textContent ?? ''),
      pattern.source,
    );
  }

  /** Waits until the newest messages of the feed are these payloads, newest first. */
  async showsNewest(...payloads) {
    await this.page.waitForFunction((wanted) => {
      const rows = [...document.querySelectorAll('[data-testid="feed"] [data-offset]')];
      const texts = rows.map((row) => row.querySelector('.payload').textContent);
      return wanted.every((text, i) => texts[i] === text);
    }, payloads);
  }

  /** The offsets of the rows in sight, newest first. */
  async offsets() {
    return this.page.$$eval('[data-testid="feed"] [data-offset]', (rows) =>
      rows.map((row) => Number(row.dataset.offset)),
    );
  }

  /** Waits until the conversation of the SDK's tab ends with these words, the newest last. */
  async talkEndsWith(...texts) {
    await this.page.waitForFunction((wanted) => {
      const words = [...document.querySelectorAll('[data-testid="talk"] .words')].map((each) => each.textContent);
      return wanted.every((text, i) => words[words.length - wanted.length + i] === text);
    }, texts);
  }

  /** The offsets of the conversation, oldest first; what stands between messages by its name. */
  async talk() {
    return this.page.$$eval('[data-testid="talk"] li', (rows) =>
      rows.map((row) => row.dataset.note ?? Number(row.dataset.offset)),
    );
  }

  /** Waits until these, in any order, are in the list of who is there. */
  async hasMembers(...names) {
    await this.page.waitForFunction((wanted) => {
      const shown = [...document.querySelectorAll('[data-testid="members"] [data-client] .name')];
      return JSON.stringify(shown.map((each) => each.textContent).sort()) === JSON.stringify(wanted);
    }, names.sort());
  }

  /** One of a few, by its words. */
  async choose(name) {
    await this.page.getByRole('radio', { name, exact: true }).check();
  }

  /** Until `connectNow`. */
  async cut() {
    await this.at('cut-for').selectOption({ index: 3 });
    await this.at('cut').click();
    await this.inPhase('cut');
  }

  async connectNow() {
    await this.at('connect-now').click();
    await this.inPhase('open');
  }
}
