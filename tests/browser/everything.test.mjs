// Every page that there is, found by following links: accessible and whole in both themes and widths.
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { auditor, openPage, startBrowser, startWorkshop } from './support.mjs';

const PUBLIC = 'https://example.org/course';
/** Pages that only somebody's doing, or a mistake, leads to. */
const MORE = ['/', '/diagnostics', '/search?q=lease', '/search?q=nothinghasthisword', '/rustc/E0308', '/requests/004/1', '/dashboards?exercise=004', '/posts/bedrock-integratoin-patterns', '/nothing-at-all'];
/** What the router answers with parts of pages, for scripts. */
const PARTS = ['/exercises/{slug}/results', '/requests/{whose}/{number}/lit', '/feed.xml', '/sitemap.xml', '/search.json', '/events'];
const AT_ONCE = 3;
/** In an order in which each differs from the one before in one thing only. */
const STATES = [[1440, 'light'], [1440, 'dark'], [390, 'dark'], [390, 'light']];

let workshop;
let browser;
let cookie;
/** Path, with its query: the answer's HTML. */
let pages;
before(async () => {
  [workshop, browser] = await Promise.all([startWorkshop('--base-url', `${PUBLIC}/`), startBrowser()]);
  // What is solved has more pages.
  await mkdir(path.join(workshop.folder, '.workshop'), { recursive: true });
  const progress = { version: 1, exercises: { '001': { state: 'solved' } } };
  await writeFile(path.join(workshop.folder, '.workshop/progress.json'), JSON.stringify(progress));
  const entered = await fetch(workshop.login, { redirect: 'manual' });
  cookie = entered.headers.get('set-cookie').split(';')[0];
  const t = 1_760_000_000_000;
  const lit = (node, edge) => ({ node, edge, status: 'ok', request_id: 'r', t });
  await workshop.log({
    type: 'request', exercise: '004', test: 'a_test',
    entry: {
      seq: 1, t, method: 'POST', target: '/model/a/converse', operation: 'Converse', model: 'a model', status: 200, request_id: 'r',
      headers: [['host', 'localhost']], body: { messages: [] }, body_bytes: 15, usage: { input: 12, output: 40 }, latency_ms: 120,
      trace: [lit('CC'), lit('BR', 'POLICY-BR')],
    },
  });
  for (let tries = 0; tries < 200 && (await get('/requests/004/1')).status !== 200; tries += 1);
  pages = await crawl();
});
after(async () => { await browser?.close(); await workshop?.stop(); });

const get = (address) => fetch(workshop.origin + address, { headers: { cookie }, redirect: 'manual' });

/** All pages that can be reached, as far as they are HTML. */
async function crawl() {
  const found = new Map();
  const next = [...MORE];
  while (next.length > 0) {
    const address = next.pop();
    if (found.has(address)) continue;
    const answer = await get(address);
    const html = await answer.text();
    if (answer.status === 307) {
      next.push(answer.headers.get('location'));
      continue;
    }
    const expected = MORE.includes(address) ? [200, 404] : [200];
    assert.ok(expected.includes(answer.status), `${address} answers ${answer.status}`);
    if (!answer.headers.get('content-type').startsWith('text/html')) continue;
    found.set(address, html);
    for (const [, link] of html.matchAll(/ href="(\/[^"#]*)/g)) {
      const to = link.split('?')[0];
      if (!to.startsWith('/assets/') && !to.startsWith('/media/')) next.push(to);
    }
  }
  return found;
}

test('the links lead to every page that the router knows', async () => {
  const source = await readFile(path.resolve(import.meta.dirname, '../../crates/workshop-server/src/router.rs'), 'utf8');
  const routes = [...source.matchAll(/\.route\("([^"]+)", get\(/g)].map(([, route]) => route);
  assert.ok(routes.length > 20, 'the router’s table has another form: read it in another way');
  const addresses = [...pages.keys()].map((address) => address.split('?')[0]);
  for (const route of routes.filter((r) => !PARTS.includes(r) && !/^\/(api|assets|media)\//.test(r))) {
    const pattern = new RegExp(`^${route.replace(/\{\*[^}]+\}/g, '.+').replace(/\{[^}]+\}/g, '[^/]+')}$`);
    assert.ok(addresses.some((address) => pattern.test(address)), `no page of ${route} was found`);
  }
});

test('every page is accessible, loads nothing from elsewhere, and fits: both themes, 1440, 390 and 320 wide', async (t) => {
  // Dozens of pages that differ in their words alone: a few of them tell for all.
  const seen = new Map();
  const addresses = [...pages.keys()].filter((address) => {
    const kind = /^\/tags\/|^\/exercises\/[^/]+\/files\//.exec(address)?.[0].replace(/[^/]+\/files/, 'files');
    if (kind === undefined) return true;
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    return seen.get(kind) <= 4;
  });
  const looked = addresses.length;
  const faults = [];
  const started = Date.now();
  const look = async () => {
    const { context, page, sins } = await openPage(browser, workshop, { colorScheme: 'light' });
    await page.goto(workshop.login);
    const audit = await auditor(page);
    for (let address = addresses.pop(); address !== undefined; address = addresses.pop()) {
      const fault = (what) => faults.push(`${address}: ${what}`);
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 1440, height: 900 });
      await page.goto(workshop.origin + address);
      if (await page.locator('h1').count() !== 1) fault('has not one h1');
      for (const [width, colorScheme] of STATES) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        // The theme decides about colours and about nothing else.
        const found = await audit(colorScheme === 'dark' ? ['color-contrast'] : []);
        found.forEach((violation) => fault(`${width}, ${colorScheme}: ${violation}`));
      }
      for (const width of [390, 320]) {
        await page.setViewportSize({ width, height: 900 });
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (over > 0) fault(`${over} px too wide at ${width}`);
      }
      sins.splice(0).forEach(fault);
    }
    await context.close();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, look));
  t.diagnostic(`${looked} of ${pages.size} pages in ${Math.round((Date.now() - started) / 1000)} s`);
  assert.deepEqual(faults, []);
});

test('what is published about the pages names them all', async () => {
  const site = await (await get('/sitemap.xml')).text();
  const named = [...site.matchAll(/<loc>([^<]+)<\/loc>/g)].map(([, loc]) => loc.replace(PUBLIC, '') || '/');
  for (const address of named) assert.ok(pages.has(address), `${address} is in the sitemap only`);
  const posts = [...pages.keys()].filter((address) => /^\/posts\/[^/]+$/.test(address) && !MORE.includes(address));
  for (const address of posts) assert.ok(named.includes(address), `${address} is not in the sitemap`);

  const { context, page } = await openPage(browser, workshop);
  await page.goto(workshop.origin);
  const feed = await (await get('/feed.xml')).text();
  const read = await page.evaluate((text) => {
    const xml = new DOMParser().parseFromString(text, 'application/xml');
    const content = [...xml.querySelectorAll('entry')].map((entry) => ({
      id: entry.querySelector('id').textContent,
      title: entry.querySelector('title').textContent,
      html: new DOMParser().parseFromString(entry.querySelector('content').textContent, 'text/html').body.innerText.length,
    }));
    return { broken: xml.querySelector('parsererror')?.textContent, content };
  }, feed);
  assert.equal(read.broken, undefined);
  assert.ok(read.content.length > 5);
  for (const { id, title, html } of read.content) {
    assert.ok(pages.get(id.replace(PUBLIC, '')), `${id} is no page`);
    assert.ok(title.length > 3 && html > 100, id);
  }
  const head = pages.get(posts[0]);
  for (const part of ['rel="canonical"', 'og:title', 'application/atom+xml']) assert.ok(head.includes(part), part);
  await context.close();
});

test('an address that is nearly right leads to the right page', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  const answer = await page.goto(`${workshop.origin}/posts/bedrock-integratoin-patterns`);
  assert.equal(answer.status(), 404);
  await page.locator('main').getByRole('link', { name: /integration patterns/i }).first().click();
  await page.waitForURL(/\/posts\/bedrock-integration-patterns$/);
  await page.goto(`${workshop.origin}/posts/leas-privilege`);
  await page.locator('main input[type=search]').press('Enter');
  await page.waitForURL(/\/search\?q=leas/);
  assert.deepEqual(sins, []);
  await context.close();
});

test('on paper every kind of reading page is its text, in the light theme and no wider than the paper', async () => {
  const { context, page } = await openPage(browser, workshop, { colorScheme: 'dark', width: 700 });
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  for (const address of ['/posts/bedrock-integration-patterns', '/diagrams/bedrock-architecture', '/exercises/001-first-converse-call', '/teach/one-day', '/tags']) {
    await page.goto(workshop.origin + address);
    for (const chrome of ['.bar', '.foot', '.jump']) assert.equal(await page.locator(chrome).isVisible(), false, `${chrome} of ${address}`);
    assert.equal(await page.locator('h1').isVisible(), true, address);
    const { over, scheme } = await page.evaluate(() => ({
      over: document.documentElement.scrollWidth - innerWidth, scheme: getComputedStyle(document.documentElement).colorScheme,
    }));
    assert.equal(scheme, 'light', address);
    assert.ok(over <= 0, `${address} is ${over} px too wide`);
  }
  await context.close();
});
