// The reading pages: home, course map, posts, archive, agendas.
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWorkshop } from './support.mjs';

const PAGES = {
  home: '/',
  map: '/diagrams/course-map',
  lease: '/diagrams/lease',
  diagrams: '/diagrams',
  posts: '/posts',
  archive: '/archive',
  languages: '/posts/from-snippet-to-service',
  tags: '/tags',
  teach: '/teach',
  agenda: '/teach/one-day',
};
const PROGRESS = {
  version: 1,
  exercises: {
    '000': { state: 'solved', last: { at: '2026-01-01T00:00:00Z', passed: 5, total: 5 } },
    '006': { state: 'started', last: { at: '2026-01-02T00:00:00Z', passed: 4, total: 6, failing: ['a_throttle_is_waited_out', 'jitter_is_full'] } },
  },
};

let workshop;
let browser;
before(async () => {
  [workshop, browser] = await Promise.all([startWorkshop(), startBrowser()]);
  await mkdir(path.join(workshop.folder, '.workshop'), { recursive: true });
  await writeFile(path.join(workshop.folder, '.workshop/progress.json'), JSON.stringify(PROGRESS));
});
after(async () => { await browser?.close(); await workshop?.stop(); });

for (const width of [1440, 390]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`reading pages are accessible and fit: ${width} wide, ${colorScheme}`, async () => {
      const { context, page, sins } = await openPage(browser, workshop, { width, colorScheme });
      await page.goto(workshop.login);
      for (const [name, address] of Object.entries(PAGES)) {
        await page.goto(workshop.origin + address);
        assert.equal(await page.locator('h1').count(), 1, `headings of ${name}`);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${name} is ${over} px too wide`);
        assert.deepEqual(await axe(page), [], `axe on ${name}`);
      }
      assert.deepEqual(sins, []);
      await context.close();
    });
  }
}

test('home says where you left off, and lights the pattern that a request passed', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  const resume = page.locator('.resume');
  assert.match(await resume.innerText(), /Where you left off\s+006 Errors and retries/);
  assert.match(await resume.innerText(), /a_throttle_is_waited_out/);
  assert.equal(await page.locator('.chain .denied, .chain .ok').count(), 0);
  const answer = await fetch(`${workshop.emulator}/model/no-such-model/converse`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"messages":[]}',
  });
  assert.ok(answer.status >= 400);
  await page.locator('[data-part=where] dd', { hasText: '1, 1 refused' }).waitFor();
  await page.locator('.resume .go').click();
  assert.match(page.url(), /\/exercises\/006-/);
  assert.deepEqual(sins, []);
  await context.close();
});

test('the boxes of the course map lead to their exercises, with the keyboard and without scripts', async () => {
  const { context, page } = await openPage(browser, workshop, { javaScriptEnabled: false });
  await page.goto(workshop.origin + PAGES.map);
  assert.equal(await page.locator('svg a.box').count(), 21);
  assert.equal(await page.locator('svg a.box.ok').count(), 1);
  assert.match(await page.locator('svg a.box.ok').textContent(), /✓ 000 Preflight/);
  assert.match(await page.locator('svg a.box.now').textContent(), /… 006/);
  assert.equal(await page.locator('.stops .rows > li').count(), 21);
  await page.locator('svg a.box', { hasText: '012' }).focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/exercises\/012-queue/);
  await context.close();
});

test('a chosen language stays chosen; without scripts both are there', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.origin + PAGES.languages);
  const groups = page.locator('.langs');
  assert.ok(await groups.count() >= 2);
  const first = groups.first();
  assert.equal(await first.locator('figure[data-lang=rust]').isVisible(), true);
  assert.equal(await first.locator('figure[data-lang=ts]').isVisible(), false);
  await first.getByRole('tab', { name: 'Rust' }).focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await first.locator('figure[data-lang=ts]').isVisible(), true);
  assert.equal(await page.locator('[role=tab]:focus').innerText(), 'TypeScript');
  assert.ok(await first.locator('figure[data-lang=ts] .hljs-keyword').count() > 0, 'it is coloured');
  assert.equal(await groups.nth(1).locator('figure[data-lang=ts]').isVisible(), true, 'all groups follow');
  await page.goto(`${workshop.origin}/posts/what-to-measure`);
  assert.equal(await page.locator('.langs figure[data-lang=ts]').first().isVisible(), true, 'on another page too');
  assert.deepEqual(await axe(page), []);
  assert.deepEqual(sins, []);
  await context.close();

  const plain = await openPage(browser, workshop, { javaScriptEnabled: false });
  await plain.page.goto(workshop.origin + PAGES.languages);
  for (const lang of ['rust', 'ts']) {
    assert.equal(await plain.page.locator(`figure[data-lang=${lang}]`).first().isVisible(), true, lang);
  }
  await plain.context.close();
});

test('an agenda prints without what surrounds it, and a post with its addresses', async () => {
  const { context, page } = await openPage(browser, workshop, { colorScheme: 'dark' });
  await page.emulateMedia({ media: 'print' });
  await page.goto(workshop.origin + PAGES.agenda);
  for (const chrome of ['.bar', '.foot', '.pager']) {
    assert.equal(await page.locator(chrome).isVisible(), false, chrome);
  }
  assert.equal(await page.locator('.blocks > li').last().isVisible(), true);
  await page.goto(`${workshop.origin}/posts/at-least-once`);
  const away = page.locator('.prose a[href^="http"]').first();
  const shown = await away.evaluate((link) => getComputedStyle(link, '::after').content);
  assert.match(shown, /https:\/\//);
  assert.equal(await page.locator('.series').isVisible(), false);
  assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'light');
  await context.close();
});
