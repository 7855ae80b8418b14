// The demo page in a real browser against the real binary: node web/e2e/run.mjs [words of test names]
//
//   WIREBIRD   the binary (default: build/release/wirebird)
//   CHROMIUM   the browser (default: /usr/bin/chromium); without one the run is skipped with exit code 77
//   SHOTS      a folder for screenshots, made if needed (default: none are taken)
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { DemoPage } from './demo_page.mjs';
import { freePort, Proxy, Server } from './server.mjs';
import { tests as sdkTests } from './sdk_tests.mjs';
import { tests } from './tests.mjs';

const kSkipped = 77;
const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const binary = resolve(process.env.WIREBIRD ?? join(root, 'build/release/wirebird'));
const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
const shots = process.env.SHOTS;
const words = process.argv.slice(2);

if (!existsSync(executablePath)) {
  console.log(`skipped: no browser at ${executablePath}`);
  process.exit(kSkipped);
}
if (shots) mkdirSync(shots, { recursive: true });

const server = new Server(binary, await freePort());
let browser;
let passed = 0;
let failed = 0;

async function run(name, body) {
  const proxy = new Proxy(server.port);
  await proxy.start();
  const pages = [];
  const open = async (options) => {
    const page = await DemoPage.open(browser, proxy.origin, options);
    pages.push(page);
    return page;
  };
  const shoot = async (page, file) => {
    if (shots) await page.page.screenshot({ path: join(shots, `${file}.png`), fullPage: true });
  };
  const channel = `e2e/${name.replaceAll(/\W+/g, '-')}`;
  const started = Date.now();
  try {
    await body({ server, proxy, open, shoot, channel });
    for (const page of pages) page.assertClean();
    passed += 1;
    console.log(`ok      ${name} (${Date.now() - started} ms)`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED  ${name}\n${error.stack}`);
    for (const page of pages) console.log(`  the page says: ${await page.sentence().catch(() => '?')}`);
  } finally {
    for (const page of pages) await page.close();
    await proxy.stop();
  }
}

try {
  await server.start();
  browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  for (const [name, body] of [...tests, ...sdkTests]) {
    if (words.every((word) => name.includes(word))) await run(name, body);
  }
} catch (error) {
  failed += 1;
  console.log(`FAILED  ${error.stack}\n${server.output}`);
} finally {
  await browser?.close();
  await server.stop();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
