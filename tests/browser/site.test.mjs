import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWorkshop } from './support.mjs';

const PAGES = {
  home: '/',
  posts: '/posts',
  post: '/posts/bedrock-integration-patterns',
  part: '/posts/reading-a-request',
  diagram: '/diagrams/bedrock-architecture',
  exercises: '/exercises',
  exercise: '/exercises/004-bedrock-integration',
  emulator: '/emulator',
  search: '/search?q=streaming',
  missing: '/exercises/bedrock-integratoin',
};
const EXERCISE = PAGES.exercise;

let workshop;
let browser;
before(async () => { [workshop, browser] = await Promise.all([startWorkshop(), startBrowser()]); });
after(async () => { await browser?.close(); await workshop?.stop(); });

function requestEvent(overrides = {}) {
  const t = Date.now();
  const lit = (node, edge, status = 'ok') => ({ node, edge, status, request_id: 'r-1', t });
  return {
    type: 'request',
    exercise: '004',
    test: 'a_test',
    entry: {
      seq: 1, t, operation: 'Converse', model: 'a model', status: 200, request_id: 'r-1',
      usage: { input: 12, output: 40 },
      trace: [lit('CC'), lit('USER', 'CC-USER'), lit('POLICY', 'USER-POLICY'), lit('BR', 'POLICY-BR'), lit('HAIKU', 'BR-HAIKU')],
    },
    ...overrides,
  };
}

for (const width of [1440, 390]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`pages are accessible, self-contained and fit: ${width} wide, ${colorScheme}`, async () => {
      const { context, page, sins } = await openPage(browser, workshop, { width, colorScheme });
      await page.goto(workshop.login);
      assert.equal(new URL(page.url()).search, '', 'the token has left the address bar');
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

test('nothing overflows at 320 px, and the main menu is still there', async () => {
  const { context, page, sins } = await openPage(browser, workshop, { width: 320, height: 640 });
  for (const [name, address] of Object.entries(PAGES)) {
    await page.goto(workshop.origin + address);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${name} is ${over} px too wide`);
    assert.equal(await page.locator('nav.jump').isVisible(), true, name);
  }
  assert.deepEqual(sins, []);
  await context.close();
});

test('a question of a post keeps its answer until somebody asks, without scripts', async () => {
  const { context, page } = await openPage(browser, workshop, { javaScriptEnabled: false });
  await page.goto(workshop.origin + PAGES.part);
  const questions = page.locator('.prose .question');
  assert.equal(await questions.count(), 3);
  const first = questions.first();
  const answer = first.locator('details p').first();
  assert.equal(await answer.isVisible(), false);
  await first.locator('summary').click();
  assert.equal(await answer.isVisible(), true);
  assert.equal(await first.locator('.choices').evaluate((list) => getComputedStyle(list).listStyleType), 'lower-alpha');
  await page.locator('.pager [rel=next]').click();
  assert.equal(new URL(page.url()).pathname, '/posts/why-your-retry-loop-makes-it-worse');
  await context.close();
});

test('without scripts everything can be read, and a lit diagram is lit', async () => {
  const { context, page } = await openPage(browser, workshop, { javaScriptEnabled: false });
  await page.goto(workshop.login);
  for (const address of [PAGES.home, PAGES.post, PAGES.diagram, PAGES.exercises]) {
    await page.goto(workshop.origin + address);
    assert.ok((await page.locator('main').innerText()).length > 200, address);
  }
  await page.goto(workshop.origin + EXERCISE);
  const hints = page.locator('.hints details');
  assert.equal(await hints.nth(0).isVisible(), true);
  assert.equal(await hints.nth(1).isVisible(), false, 'the second hint waits for the first');
  await hints.nth(0).locator('summary').click();
  assert.equal(await hints.nth(1).isVisible(), true);
  assert.equal(await page.locator('[data-run] button').isVisible(), true);
  assert.equal(await page.locator('button.js').first().isVisible(), false, 'no button that does nothing');

  await workshop.log(requestEvent({ test: 'without_scripts' }));
  // The page is asked again until the line has been read; each answer is a whole page.
  for (let tries = 0; tries < 100; tries += 1) {
    await page.goto(workshop.origin + EXERCISE);
    if ((await page.locator('[data-part=requests]').innerText()).includes('without_scripts')) break;
  }
  assert.match(await page.locator('[data-part=requests]').innerText(), /12 in, 40 out/);
  assert.match(await page.locator('g[data-node=BR]').first().getAttribute('class'), /\bok\b/);
  await context.close();
});

test('a check is followed as it happens, and its requests light the diagram', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  await page.goto(workshop.origin + EXERCISE);
  const summary = page.locator('[data-summary]');
  const t = Date.now();
  await workshop.log({ type: 'started', exercise: '004', t });
  await page.getByText('Running checks', { exact: true }).waitFor();
  await workshop.log({ type: 'building', exercise: '004', done: 41, total: 212 });
  await page.getByText('Compiling 41 of 212').waitFor();
  assert.equal(await page.locator('progress').first().getAttribute('value'), '41');

  await workshop.log(requestEvent());
  await page.locator('svg [data-node=BR].ok').first().waitFor();
  await page.locator('svg [data-edge=POLICY-BR].ok').first().waitFor({ state: 'attached' });
  await page.getByText('12 in, 40 out').waitFor();
  assert.equal(await page.locator('svg [data-node=SONNET].ok').count(), 0, 'nothing reached Sonnet');

  const throttled = requestEvent();
  throttled.entry = {
    ...throttled.entry, seq: 2, status: 429, error: 'ThrottlingException', usage: null,
    trace: [{ node: 'BR', edge: 'POLICY-BR', status: 'throttled', request_id: 'r-2', t }],
  };
  await workshop.log(throttled);
  await page.locator('svg [data-node=BR].throttled').first().waitFor();
  assert.equal(await page.locator('svg text.cnt[data-for=POLICY-BR]').textContent(), '×2');

  const result = { name: 'the_call_is_signed', message: '', location: null, output: '', ms: 3 };
  await workshop.log(
    { type: 'test', exercise: '004', result: { ...result, status: 'passed' } },
    {
      type: 'test',
      exercise: '004',
      result: { ...result, name: 'a_throttle_is_waited_out', status: 'failed', message: 'saw 1 request' },
    },
    { type: 'finished', exercise: '004', outcome: 'not_solved', passed: 1, total: 2, t },
  );
  await page.getByText('saw 1 request').waitFor();
  assert.equal(await summary.textContent(), '1 of 2 pass');
  await page.locator('[data-spoken]', { hasText: '1 of 2 pass' }).waitFor({ state: 'attached' });
  assert.equal(await page.locator('[data-run] button').isEnabled(), true);
  assert.deepEqual(await axe(page), [], 'axe on the page after a run');

  await page.reload();
  assert.equal(await page.locator('.tests > li').count(), 2, 'a reload keeps the results');
  await page.locator('svg [data-node=BR].throttled').first().waitFor();
  assert.deepEqual(sins, []);
  await context.close();
});

test('a request sent to the emulator by hand lights the open page', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  await page.goto(`${workshop.origin}/exercises/001-first-converse-call`);
  assert.equal(await page.locator('.wire tbody tr').count(), 0);
  const answer = await fetch(`${workshop.emulator}/model/no-such-model/converse`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"messages":[{"role":"user","content":[{"text":"hello"}]}]}',
  });
  assert.ok(answer.status >= 400, 'it is not signed, so it is refused');
  await page.locator('.wire tbody tr').first().waitFor();
  await page.locator('svg [data-node].denied').first().waitFor();
  await page.goto(`${workshop.origin}/emulator`);
  await page.locator('.wire tbody tr').first().waitFor();
  assert.deepEqual(sins, []);
  await context.close();
});

test('somebody without the token reads, and sees neither requests nor a button', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.origin + EXERCISE);
  assert.equal(await page.locator('[data-run]').count(), 0);
  assert.match(await page.locator('[data-part=requests]').innerText(), /open the link from the terminal/);
  assert.deepEqual(sins, []);
  await context.close();
});

test('keys: theme, search, shortcuts, next; single keys can be turned off', async () => {
  const { context, page, sins } = await openPage(browser, workshop, { colorScheme: 'light' });
  await page.goto(workshop.login);
  await page.goto(`${workshop.origin}/exercises/001-first-converse-call`);
  // What cannot be seen must not make the page longer than the window.
  const over = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
  assert.equal(over, 0, 'the panes scroll, the page does not');
  await page.keyboard.press('t');
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark');
  await page.keyboard.press(']');
  await page.waitForURL(/\/exercises\/002-/);
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark', 'the server knows the theme');
  await page.keyboard.press('[');
  await page.waitForURL(/\/exercises\/001-/);
  await page.keyboard.press('?');
  assert.equal(await page.locator('dialog').isVisible(), true);
  await page.locator('[data-keys-on]').uncheck();
  await page.keyboard.press('Escape');
  await page.keyboard.press('t');
  assert.equal(await page.locator('html').getAttribute('data-theme'), 'dark', 'single keys are off');
  await page.keyboard.press('Control+k');
  await page.locator('#find input').waitFor();
  await page.keyboard.type('streaming t');
  assert.equal(await page.locator('#find input').inputValue(), 'streaming t', 'no letter is a shortcut here');
  await page.getByRole('option').first().waitFor();
  const chosen = await page.locator('[role=option][aria-selected=true]').getAttribute('href');
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.pathname + url.hash === chosen);
  assert.deepEqual(sins, []);
  await context.close();
});

test('an author sees a change at once, and what is wrong with it', async () => {
  const { context, page } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  await page.goto(`${workshop.origin}/posts/getting-started`);
  const file = path.join(workshop.folder, 'content/posts/getting-started.md');
  const text = await readFile(file, 'utf8');
  await writeFile(file, `${text}\nA sentence that was not here before.\n`);
  await page.getByText('A sentence that was not here before.').waitFor();
  await writeFile(file, `${text}\n[Nowhere](no-such-page.md)\n`);
  await page.locator('.findings', { hasText: 'no-such-page' }).waitFor();
  assert.match(await page.locator('.findings code').first().textContent(), /getting-started\.md:\d+/);
  await writeFile(file, text);
  await page.locator('.findings').waitFor({ state: 'detached' });
  await context.close();
});

test('code is coloured and can be copied', async () => {
  const { context, page, sins } = await openPage(browser, workshop, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.goto(workshop.origin + PAGES.post);
  await page.locator('code.hljs .hljs-keyword').first().waitFor();
  const figure = page.locator('figure.code').first();
  const code = await figure.locator('code').textContent();
  await figure.getByRole('button', { name: 'Copy this code' }).click();
  await figure.getByText('Copied').waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), code);
  assert.deepEqual(sins, []);
  await context.close();
});

test('on paper there is the text and no controls', async () => {
  const { context, page } = await openPage(browser, workshop);
  await page.goto(workshop.origin + PAGES.post);
  await page.emulateMedia({ media: 'print' });
  assert.equal(await page.locator('article').isVisible(), true);
  for (const chrome of ['.bar', '.foot', '.toc', '.jump']) {
    assert.equal(await page.locator(chrome).isVisible(), false, chrome);
  }
  await context.close();
});
