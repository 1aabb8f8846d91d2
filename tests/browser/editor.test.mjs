// The exercise page as a place to work: the editor, the file on the disk, results at their lines.
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWorkshop } from './support.mjs';

const ADDRESS = '/exercises/001-first-converse-call';

let workshop;
let browser;
let file;
let starter;
before(async () => {
  [workshop, browser] = await Promise.all([startWorkshop(), startBrowser()]);
  file = path.join(workshop.folder, 'exercises/001-first-converse-call/src/lib.rs');
  starter = await readFile(path.join(path.dirname(file), '../starter/lib.rs'), 'utf8');
});
after(async () => { await browser?.close(); await workshop?.stop(); });

const disk = () => readFile(file, 'utf8');

async function until(what, holds) {
  for (let tries = 0; tries < 200; tries += 1) {
    if (await holds()) return;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  assert.fail(`never: ${what}`);
}

/** The exercise's page with the file as the course ships it. */
async function atWork(options) {
  await writeFile(file, starter);
  const opened = await openPage(browser, workshop, options);
  const { page } = opened;
  page.on('dialog', (dialog) => dialog.accept());
  await page.goto(workshop.login);
  await page.goto(workshop.origin + ADDRESS);
  if (options?.javaScriptEnabled !== false) await page.locator('.cm-content').waitFor();
  const text = () => page.locator('.cm-content').evaluate((content) => content.innerText);
  return { ...opened, text };
}

const finished = (more) => ({
  type: 'finished', exercise: '001', outcome: 'not_solved', passed: 0, total: 1, t: Date.now(), ...more,
});

test('what is typed is saved, and nothing else changes', async () => {
  const { context, page, sins } = await atWork();
  await page.keyboard.press('e');
  await page.keyboard.press('Control+End');
  await page.keyboard.type('fn more() {\nlet a = 1;');
  await until('it is saved', async () => (await disk()).includes('let a = 1;'));
  assert.equal(await disk(), `${starter}fn more() {\n    let a = 1;\n}`, 'brackets close, lines are indented');
  await page.locator('[data-state]', { hasText: 'Saved' }).waitFor();
  assert.equal(await page.locator('[data-unsaved]').isVisible(), false);
  assert.deepEqual(sins, []);
  await context.close();
});

test('a save in another editor shows here, and can be undone', async () => {
  const { context, page, text, sins } = await atWork();
  await page.keyboard.press('e');
  await writeFile(file, starter.replace('//! Exercise 001', '//! From elsewhere'));
  await until('it shows', async () => (await text()).includes('From elsewhere'));
  await page.locator('[data-state]', { hasText: 'Changed on the disk' }).waitFor();
  await page.keyboard.press('Control+z');
  await until('the undo is saved', async () => await disk() === starter);
  assert.deepEqual(sins, []);
  await context.close();
});

test('where both changed the student chooses, and nothing is lost', async () => {
  const { context, page, text } = await atWork();
  const both = async (mine, theirs) => {
    // The page hears of the disk only after it has something of its own.
    await page.route('**/file', (route) => (route.request().method() === 'PUT' ? route.abort() : route.continue()));
    await page.keyboard.press('e');
    await page.keyboard.press('Control+Home');
    await page.keyboard.type(`// ${mine}\n`);
    await until('it was tried', () => page.locator('[data-state]', { hasText: 'Not saved' }).isVisible());
    await page.unroute('**/file');
    await writeFile(file, `// ${theirs}\n${starter}`);
    await page.locator('[data-clash]').waitFor();
  };
  await both('mine one', 'theirs one');
  await page.getByRole('button', { name: 'See the difference' }).click();
  const difference = page.locator('[data-difference]');
  await difference.locator('.ins', { hasText: '+ // mine one' }).waitFor();
  await difference.locator('.del', { hasText: '- // theirs one' }).waitFor();
  assert.deepEqual(await axe(page), [], 'axe with the choice open');
  await page.getByRole('button', { name: 'Keep mine' }).click();
  await until('mine is on the disk', async () => (await disk()).startsWith('// mine one\n'));
  await page.locator('[data-clash]').waitFor({ state: 'hidden' });

  await both('mine two', 'theirs two');
  await page.getByRole('button', { name: 'Take the file’s' }).click();
  await until('theirs shows', async () => (await text()).includes('// theirs two'));
  assert.ok((await disk()).startsWith('// theirs two\n'));
  const backups = path.join(workshop.folder, '.workshop/backups/001');
  const kept = await Promise.all((await readdir(backups)).map((at) => readFile(path.join(backups, at, 'src/lib.rs'), 'utf8')));
  for (const line of ['// theirs one', '// mine two']) {
    assert.ok(kept.some((text) => text.startsWith(`${line}\n`)), `${line} is kept`);
  }
  await context.close();
});

test('reset puts the starter back, format puts the text in order, and both can be undone', async () => {
  const { context, page, text, sins } = await atWork();
  await page.keyboard.press('e');
  await page.keyboard.press('Control+End');
  await page.keyboard.type('fn  ugly( ){}');
  await page.getByRole('button', { name: 'Format' }).click();
  await until('it is formatted', async () => (await disk()).endsWith('fn ugly() {}\n'));
  await page.getByRole('button', { name: 'Reset' }).click();
  await until('the starter is there', async () => await disk() === starter);
  await page.locator('[data-state]', { hasText: '.workshop/backups/001/' }).waitFor();
  await page.keyboard.press('Control+z');
  await until('undo brings it back', async () => (await disk()).endsWith('fn ugly() {}\n'));
  await page.keyboard.press('Control+z');
  await until('undo goes on', async () => (await text()).includes('fn  ugly( ){}'));
  await page.keyboard.press('Control+End');
  await page.keyboard.type('\nfn open( {');
  await page.getByRole('button', { name: 'Format' }).click();
  await page.locator('[data-trouble]', { hasText: 'src/lib.rs:' }).waitFor();
  assert.deepEqual(sins.filter((sin) => !sin.includes('422')), []);
  await context.close();
});

test('a message of the compiler stands at its line and is explained offline', async () => {
  const { context, page, sins } = await atWork();
  const place = { file: 'src/lib.rs', line: 6, column: 5, end_line: 6, end_column: 25 };
  await workshop.log({ type: 'started', exercise: '001', t: Date.now() }, finished({
    outcome: 'does_not_compile', total: 0,
    diagnostics: ['error[E0308]: mismatched types\n --> exercises/001/src/lib.rs:6:5'],
    problems: [{ level: 'error', code: 'E0308', message: 'mismatched types', label: 'expected `i32`', place }],
  }));
  const why = page.locator('.ws-why');
  await why.waitFor();
  assert.equal(await why.innerText(), 'error[E0308]: mismatched types: expected `i32`');
  assert.equal(await page.locator('.cm-lintRange-error').innerText(), 'aws_sdk_bedrockruntim'.slice(0, 20));
  await page.getByRole('link', { name: 'Line 6' }).click();
  assert.equal(await page.locator('.cm-activeLineGutter').last().innerText(), '6');
  assert.deepEqual(await axe(page), [], 'axe with an error');
  const [explained] = await Promise.all([
    context.waitForEvent('page'),
    page.getByRole('link', { name: /Explain E0308/ }).click(),
  ]);
  await explained.locator('h1', { hasText: 'E0308' }).waitFor();
  assert.match(await explained.locator('main').innerText(), /Expected type did not match/i);
  assert.deepEqual(sins, []);
  await context.close();
});

test('a failure shows its reason, both values, and leads to its request', async () => {
  const { context, page, sins } = await atWork();
  const message = '001/4 WIRE inferenceConfig.maxTokens\n  saw     nothing\n  wanted  64\n  '
    + 'why     without a limit the model decides what a call costs\n  read    README.md "Limits"';
  const t = Date.now();
  await workshop.log(
    { type: 'started', exercise: '001', t },
    { type: 'request', exercise: '001', test: 'the_answer_is_limited', entry: { seq: 1, t, operation: 'Converse', status: 200, request_id: 'r', trace: [] } },
    {
      type: 'test',
      exercise: '001',
      result: { name: 'the_answer_is_limited', status: 'failed', message, location: 'tests/check.rs:88:11', output: '', ms: 1 },
    },
    finished(),
  );
  await page.locator('.sentence', { hasText: 'Without a limit the model decides what a call costs.' }).waitFor();
  const lines = await page.locator('.sawwanted pre span').allInnerTexts();
  assert.deepEqual(lines.map((line) => line.trim()), ['- saw    nothing', '+ wanted 64']);
  assert.match(await page.getByRole('link', { name: 'Its request' }).getAttribute('href'), /^\/requests\/001\/\d+$/);
  assert.deepEqual(await axe(page), [], 'axe with a failure');
  assert.deepEqual(sins, []);
  await context.close();
});

test('hints open one after the other and are remembered', async () => {
  const { context, page } = await atWork();
  const hints = page.locator('[data-hint]');
  await hints.nth(0).locator('summary').click();
  await hints.nth(1).locator('summary').click();
  const progress = path.join(workshop.folder, '.workshop/progress.json');
  await until('they are written down', async () => {
    const text = await readFile(progress, 'utf8').catch(() => '{}');
    return JSON.parse(text).exercises?.['001']?.hints === 2;
  });
  await page.reload();
  assert.equal(await hints.nth(2).isVisible(), true, 'the next one is at hand');
  await context.close();
});

test('keys go into the editor and out of it, and separators move', async () => {
  const { context, page, sins } = await atWork();
  await page.keyboard.press('e');
  await page.keyboard.type('t');
  await until('it is typed', async () => (await disk()).startsWith('t//!'));
  assert.equal(await page.locator('html').getAttribute('data-theme'), null, 'no shortcut while typing');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.textContent.trim()), 'Reset');
  await page.keyboard.press('3');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'results');
  const rule = page.getByRole('separator', { name: 'Width of the task' });
  const before = Number(await rule.getAttribute('aria-valuenow'));
  await rule.focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(Number(await rule.getAttribute('aria-valuenow')), before + 2);
  await page.reload();
  assert.equal(Number(await rule.getAttribute('aria-valuenow')), before + 2, 'it is remembered');
  assert.deepEqual(sins, []);
  await context.close();
});

test('without scripts there is a text field with buttons', async () => {
  const { context, page } = await atWork({ javaScriptEnabled: false });
  const field = page.locator('textarea');
  assert.equal((await field.inputValue()).trimEnd(), starter.trimEnd());
  await field.fill(`${starter}// by hand\n`);
  await page.getByRole('button', { name: 'Save' }).click();
  await page.waitForURL(/#code$/);
  assert.equal(await disk(), `${starter}// by hand\n`);
  await writeFile(file, '// elsewhere\n');
  await field.fill('// mine\n');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: /Two texts/ }).waitFor();
  await page.getByRole('button', { name: 'Keep this text' }).click();
  await page.waitForURL(/#code$/);
  assert.equal(await disk(), '// mine\n');
  await context.close();
});

for (const colorScheme of ['light', 'dark']) {
  test(`on a phone the panes are stacked, ${colorScheme}`, async () => {
    const { context, page, sins } = await atWork({ width: 390, height: 844, colorScheme });
    for (const [name, id] of [['Code', 'code'], ['Results', 'results'], ['Live', 'trace'], ['Task', 'task']]) {
      await page.locator('nav.jump').getByRole('link', { name, exact: true }).click();
      await until(`${id} is in sight`, () => page.locator(`#${id}`).evaluate((part) => {
        const box = part.getBoundingClientRect();
        return box.top < innerHeight && box.bottom > 0;
      }));
    }
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${over} px too wide`);
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(sins, []);
    await context.close();
  });
}

test('the page with its editor and its fonts stays within 220 KB', async () => {
  await writeFile(file, starter);
  const { context, page } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  let bytes = 0;
  session.on('Network.loadingFinished', ({ encodedDataLength }) => { bytes += encodedDataLength; });
  await page.goto(workshop.origin + ADDRESS);
  await page.locator('.cm-content').waitFor();
  await page.waitForLoadState('load');
  await page.evaluate(() => document.fonts.ready);
  assert.ok(bytes > 150_000, 'the editor and the fonts are counted');
  assert.ok(bytes <= 220 * 1024, `${bytes} bytes`);
  await context.close();
});

test('what stands beside the file is read above the editor, which keeps its text', async () => {
  const { context, page, sins } = await atWork();
  await page.goto(`${workshop.origin}/exercises/002-invoke-model`);
  await page.locator('.cm-content').waitFor();
  await page.locator('[data-beside] summary').click();
  const given = page.getByRole('link', { name: 'src/given.rs' });
  const href = await given.getAttribute('href');
  await given.click();
  const reader = page.getByRole('region', { name: 'src/given.rs' });
  await reader.getByText('pub enum BodyFault').waitFor();
  assert.ok(await page.locator('.cm-content').isVisible(), 'the editor stays below it');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'src/given.rs');
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    assert.deepEqual(await axe(page), [], scheme);
  }
  await page.keyboard.press('Escape');
  assert.equal(await reader.isVisible(), false);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Other files');

  // Without a script they are pages.
  await page.goto(workshop.origin + href);
  await page.getByRole('heading', { name: 'src/given.rs' }).waitFor();
  assert.deepEqual(sins, []);
  await context.close();
});
