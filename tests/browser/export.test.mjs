// The pages that `workshop build` writes, on a server that knows files only, below an address of its own.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { axe, openPage, startBrowser } from './support.mjs';

const BELOW = '/some/course/';
const MIME = { html: 'text/html', css: 'text/css', js: 'text/javascript', json: 'application/json', svg: 'image/svg+xml', woff2: 'font/woff2', xml: 'application/xml' };
const PAGES = ['', 'posts/', 'posts/at-least-once/', 'diagrams/queue/', 'exercises/', 'exercises/001-first-converse-call/', 'search/?q=lease', 'bugs/'];

let out;
let server;
let site;
let browser;
before(async () => {
  out = await mkdtemp(path.join(tmpdir(), 'workshop-export-'));
  const root = path.resolve(import.meta.dirname, '../..');
  const args = ['build', '--out', out, '--base-url', `https://example.org${BELOW}`, '--course', root];
  await promisify(execFile)(path.resolve(process.env.WORKSHOP_BIN), args, { cwd: root });
  server = createServer(async (request, answer) => {
    const { pathname } = new URL(request.url, 'http://x');
    const below = pathname.startsWith(BELOW) ? pathname.slice(BELOW.length) : '404.html';
    const name = below === '' || below.endsWith('/') ? `${below}index.html` : below;
    const bytes = await readFile(path.join(out, path.normalize(name))).catch(() => undefined);
    answer.statusCode = bytes ? 200 : 404;
    answer.setHeader('content-type', MIME[bytes ? name.split('.').pop() : 'html']);
    answer.end(bytes ?? await readFile(path.join(out, '404.html')));
  });
  await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
  site = { origin: `http://127.0.0.1:${server.address().port}` };
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  server?.close();
  await rm(out, { recursive: true, force: true });
});

for (const [width, colorScheme] of [[1440, 'light'], [390, 'dark']]) {
  test(`exported pages are whole: ${width} wide, ${colorScheme}`, async () => {
    const { context, page, sins } = await openPage(browser, site, { width, colorScheme });
    for (const address of PAGES) {
      const answer = await page.goto(`${site.origin}${BELOW}${address}`);
      assert.equal(answer.status(), 200, address);
      assert.equal(await page.locator('h1').count(), 1, address);
      assert.deepEqual(await axe(page), [], address);
    }
    assert.deepEqual(sins, []);
    await context.close();
  });
}

test('links, search and the theme work without a server behind them', async () => {
  const { context, page, sins } = await openPage(browser, site, { colorScheme: 'light' });
  await page.goto(`${site.origin}${BELOW}posts/`);
  await page.getByRole('link', { name: 'Exercises' }).first().click();
  await page.waitForURL(`${site.origin}${BELOW}exercises/`);
  await page.keyboard.press('/');
  await page.getByRole('combobox').fill('at least once');
  await page.getByRole('option').first().waitFor();
  const chosen = await page.locator('[role=option][aria-selected=true]').evaluate((link) => link.href);
  await Promise.all([page.waitForURL(chosen), page.keyboard.press('Enter')]);
  assert.equal(await page.locator('h1').count(), 1);
  await page.getByRole('button', { name: /dark theme/ }).click();
  await page.reload();
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  assert.deepEqual(sins, []);
  await context.close();
});

test('a diagram zooms and fills the window there too', async () => {
  const { context, page, sins } = await openPage(browser, site, { reducedMotion: 'reduce' });
  await page.goto(`${site.origin}${BELOW}diagrams/queue/`);
  const svg = page.locator('.diagram-scroll > svg').first();
  const whole = await svg.getAttribute('viewBox');
  await page.getByRole('button', { name: 'Zoom in' }).first().click();
  assert.notEqual(await svg.getAttribute('viewBox'), whole);
  await page.getByRole('button', { name: 'Full view' }).first().click();
  await page.getByRole('dialog').locator('svg').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('dialog.diagram-full').waitFor({ state: 'detached' });
  assert.equal(await svg.getAttribute('viewBox'), whole);
  assert.deepEqual(sins, []);
  await context.close();
});

test('an address that does not exist leads back', async () => {
  const { context, page } = await openPage(browser, site);
  await page.goto(`${site.origin}${BELOW}a/b/c/nothing`);
  await page.locator('nav').getByRole('link', { name: 'Exercises' }).first().click();
  await page.waitForURL(`${site.origin}${BELOW}exercises/`);
  await context.close();
});
