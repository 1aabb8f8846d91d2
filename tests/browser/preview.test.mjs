// What an author sees: drafts, the page as it is written, and what is wrong with its file.
import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWorkshop, until } from './support.mjs';

const SLUG = 'written-while-you-look';
const ADDRESS = `/posts/${SLUG}`;

const lines = (many, word) => Array.from({ length: many }, (_, at) => `Paragraph ${at + 1} ${word}.\n`).join('\n');

const post = (text, front = '') => `---
title: "Written while you look"
date: 2026-01-31
author: "Bedrock Workshop"
excerpt: "A draft."
category: "Patterns"
tags: [Bedrock]
published: false
${front}---

# Written while you look

${lines(40, 'above')}

## In the middle

${text}

\`\`\`recall from=001
What is asked?
- [ ] This
- [x] That

Because.
\`\`\`

${lines(40, 'below')}
`;

let browser;
let workshop;
let file;

before(async () => {
  [browser, workshop] = await Promise.all([startBrowser(), startWorkshop('--preview')]);
  file = path.join(workshop.folder, `content/posts/${SLUG}.md`);
});

after(async () => {
  await browser?.close();
  await workshop?.stop();
});

const write = (text) => writeFile(file, text);

/** Opens the page as the author, who followed the printed link. */
async function open(address, options) {
  const opened = await openPage(browser, workshop, options);
  await opened.page.goto(workshop.login);
  await opened.page.goto(workshop.origin + address);
  return opened;
}

/** Writes it, and waits until the site has read it. */
async function written(text, says) {
  await write(text);
  const end = Date.now() + 20_000;
  for (;;) {
    const page = await (await fetch(workshop.origin + ADDRESS)).text();
    if (page.includes(says)) return;
    assert.ok(Date.now() < end, `the site never showed “${says}”`);
  }
}

test('a draft is shown and marked in lists and on its page', async () => {
  await written(post('Nothing yet.'), 'Nothing yet.');
  const { context, page, sins } = await open('/posts');
  const card = page.locator('li', { has: page.locator(`a[href="${ADDRESS}"]`) });
  assert.match(await card.innerText(), /draft/);
  await page.goto(workshop.origin + ADDRESS);
  assert.match(await page.locator('article header').innerText(), /draft/);
  assert.deepEqual(sins, []);
  await context.close();
});

test('a save shows at once; scroll position, what is unfolded and the focus stay', async () => {
  await written(post('Nothing yet.'), 'Nothing yet.');
  const { context, page, sins } = await open(ADDRESS);
  const answer = page.locator('main summary').first();
  await answer.focus();
  await page.keyboard.press('Enter');
  const top = () => page.locator('#in-the-middle').evaluate((it) => Math.round(it.getBoundingClientRect().top));
  await page.evaluate(() => document.getElementById('in-the-middle').scrollIntoView({ block: 'start' }));
  await page.mouse.wheel(0, 40);
  await until(page, () => document.getElementById('in-the-middle').getBoundingClientRect().top <= 0);
  const at = await top();
  assert.ok(await page.evaluate(() => scrollY > 500));

  await write(post('The new sentence.').replace('Paragraph 1 above.', 'Paragraph 1 above.\n\nMore above.\n\nAnd more.'));
  await page.getByText('The new sentence.').waitFor();
  await until(page, () => document.readyState === 'complete' && history.scrollRestoration === 'auto');
  assert.ok(Math.abs(await top() - at) <= 2, `${await top()} instead of ${at}`);
  const details = page.locator('main details', { has: page.locator('summary') }).last();
  assert.equal(await details.evaluate((it) => it.open), true, 'what was unfolded is');
  assert.equal(await page.evaluate(() => document.activeElement.localName), 'summary');
  assert.deepEqual(sins, []);
  await context.close();
});

test('a mistake is told in the page with file, line and cure, and goes when it is mended', async () => {
  await written(post('The last good text.'), 'The last good text.');
  const { context, page, sins } = await open(ADDRESS);
  const panel = page.locator('[data-part="findings"]');
  assert.equal(await panel.isVisible(), false);

  await write(post('Not to be seen.', 'published: perhaps\nreviewed: someday\n'));
  await panel.waitFor({ state: 'visible' });
  const said = await panel.innerText();
  assert.match(said, new RegExp(`content/posts/${SLUG}\\.md:\\d+`));
  assert.match(said, /front matter is not valid YAML/);
  assert.match(said, /one `key: value` a line/, 'the cure');
  assert.match(said, /shows what it said before/);
  assert.ok(await page.getByText('The last good text.').isVisible());
  assert.match(await page.locator('[data-findings-spoken]').innerText(), /1 problem/);
  assert.deepEqual(await axe(page), []);

  await page.getByRole('button', { name: 'Hide' }).click();
  assert.equal(await panel.isVisible(), false);
  await page.reload();
  await page.locator('html.scripted').waitFor();
  await until(page, () => document.querySelector('[data-part="findings"]').hidden);
  // Something else is wrong: that is news.
  await write(post('Not to be seen.', 'reviewed: someday\n'));
  await page.locator('[data-part="findings"]', { hasText: 'not a day of the calendar' }).waitFor({ state: 'visible' });

  await write(post('Mended.'));
  await page.getByText('Mended.').waitFor();
  await panel.waitFor({ state: 'hidden' });
  assert.deepEqual(sins, []);
  await context.close();
});

test('other pages tell of it too, without being loaded anew', async () => {
  await written(post('Fine.'), 'Fine.');
  const { context, page, sins } = await open('/playground');
  await page.evaluate(() => { document.body.dataset.same = 'yes'; });
  await write(post('See [nothing](/posts/no-such-post).'));
  const panel = page.locator('[data-part="findings"]');
  await panel.waitFor({ state: 'visible' });
  assert.match(await panel.innerText(), /no-such-post/);
  await write(post('Fine.'));
  await panel.waitFor({ state: 'hidden' });
  assert.equal(await page.locator('body').getAttribute('data-same'), 'yes');
  assert.deepEqual(sins, []);
  await context.close();
});

test('an exercise’s text follows its README, and the task’s scroll position stays', async () => {
  const { context, page, sins } = await open('/exercises/001-first-converse-call');
  await page.locator('.cm-content').waitFor();
  const task = page.locator('#task');
  await task.evaluate((pane) => { pane.scrollTop = 400; });
  const readme = path.join(workshop.folder, 'exercises/001-first-converse-call/README.md');
  const text = await readFile(readme, 'utf8');
  await writeFile(readme, `${text}\n\nOne more line for the reader.\n`);
  await task.getByText('One more line for the reader.').waitFor();
  await until(page, () => document.getElementById('task').scrollTop === 400);
  await writeFile(readme, text);
  await task.getByText('One more line for the reader.').waitFor({ state: 'detached' });
  assert.deepEqual(sins, []);
  await context.close();
});

test('a page whose file is gone says so, and a file that never was right says why', async () => {
  await written(post('Soon gone.'), 'Soon gone.');
  const { context, page } = await open(ADDRESS);
  await rm(file);
  await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
  await write('---\ntitle: [\n---\n');
  await page.locator('[data-part="findings"]', { hasText: `content/posts/${SLUG}.md` }).waitFor({ state: 'visible' });
  await context.close();
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1440, 390]) {
    test(`the panel has no fault that axe finds: ${colorScheme}, ${width}`, async () => {
      await write(post('See [nothing](/posts/no-such-post).', 'unknown: key\n'));
      const { context, page, sins } = await open('/', { colorScheme, width });
      await page.locator('[data-part="findings"]').waitFor({ state: 'visible' });
      assert.deepEqual(await axe(page), []);
      assert.deepEqual(sins, []);
      await context.close();
    });
  }
}
