import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWorkshop } from './support.mjs';

// A piece of the test's own, so that it knows where the bugs are.
const SNIPPET = `export const handler = async (event) => {
  const text = \`asked:
    \${JSON.parse(event.body).text}\`;
  console.log(text);
  return { statusCode: 200 };
};
`;
const MANIFEST = `title = "A piece for this test"
summary = "One answer for everything."
order = 1000
file = "handler.mjs"
post = "reading-a-request"
context = "It runs behind \`POST /ask\`."

[[bug]]
id = "T-01"
lines = [2, 3]
class = "reliability"
severity = 3
wrong = "The body may be absent.[^null]\\n\\n[^null]: Or null."
right = '''
Check it:

\`\`\`js
if (event.body === null) return answer(400);
\`\`\`
'''
exercise = "010"
read = "/posts/at-least-once"

[[bug]]
id = "T-02"
lines = [3, 4]
class = "security"
severity = 2
wrong = "What people write is logged."
right = "Log its length."
exercise = "018"
[bug.record]
file = "converse-request.http"
says = "What the log holds now."
`;
const PIECE = '/bugs/a-piece-for-this-test';

let workshop;
let browser;
before(async () => {
  [workshop, browser] = await Promise.all([startWorkshop(), startBrowser()]);
  const folder = path.join(workshop.folder, 'content', PIECE);
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'handler.mjs'), SNIPPET);
  await writeFile(path.join(folder, 'bug.toml'), MANIFEST);
  // The site reads the course again when its files change.
  for (let tries = 0; tries < 500; tries += 1) {
    const answer = await fetch(workshop.origin + PIECE);
    await answer.text();
    if (answer.ok) return;
  }
  throw new Error('the new piece did not appear');
});
after(async () => { await browser?.close(); await workshop?.stop(); });

const row = (page, line) => page.locator(`#line-${line} > .row`);
const score = (page) => page.locator('.score').innerText();
const choose = (page, name) => page.locator('.classes button', { hasText: name }).click();

for (const width of [1440, 390]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`find the bug is accessible and fits: ${width} wide, ${colorScheme}`, async () => {
      const { context, page, sins } = await openPage(browser, workshop, { width, colorScheme });
      const addresses = ['/bugs', PIECE, `${PIECE}?line=3&class=cost`, `${PIECE}?line=3&class=security`, `${PIECE}?line=6&class=cost`, `${PIECE}/all?found=T-01`];
      for (const address of addresses) {
        await page.goto(workshop.origin + address);
        assert.equal(await page.locator('h1').count(), 1, address);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${address} is ${over} px too wide`);
        assert.deepEqual(await axe(page), [], `axe on ${address}`);
      }
      assert.deepEqual(sins, []);
      await context.close();
    });
  }
}

test('a line, a kind, a verdict, without loading the page anew', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.origin + PIECE);
  await page.evaluate(() => { window.same = true; });
  await page.locator('#line-2 .hljs-string').waitFor();
  assert.equal(await page.locator('#line-3 > .row .hljs-string').count() > 0, true, 'the string goes on below');
  assert.equal(await row(page, 3).locator('code').textContent(), '    ${JSON.parse(event.body).text}`;');

  await row(page, 6).click();
  await page.getByText('What is wrong with line 6?').waitFor();
  await choose(page, 'Not true');
  const spoken = page.locator('[data-spoken]');
  await page.locator('.verdict', { hasText: 'Nothing is wrong with line 6 that we know of.' }).waitFor();
  assert.equal(await spoken.textContent(), 'Nothing is wrong with line 6 that we know of. 0 of 2 found.');

  await row(page, 3).click();
  await choose(page, 'Costs too much');
  await page.locator('.verdict', { hasText: 'Something is wrong with line 3, but it is not “costs too much”.' }).waitFor();
  await page.locator('.classes .tried', { hasText: 'not this' }).waitFor();
  await choose(page, 'Not safe');
  await page.locator('.verdict', { hasText: 'Found: line 3. There is something else wrong with it, too.' }).waitFor();
  assert.equal(await score(page), '1 of 2 found');
  const told = page.locator('#T-02');
  assert.match(await told.innerText(), /What people write is logged[\s\S]*What the log holds now[\s\S]*Instead[\s\S]*Log its length/);
  assert.match(await told.locator('.record code').textContent(), /POST \/model/);
  await choose(page, 'Breaks');
  await page.getByText('all of them').waitFor();
  assert.equal(await score(page), '2 of 2 found all of them');
  await page.locator('#T-01 .hljs-keyword').first().waitFor();
  await page.locator('#T-01').getByRole('button', { name: 'Copy this code' }).waitFor();
  assert.equal(await page.evaluate(() => window.same), true, 'it is the same page all the time');
  assert.equal(new URL(page.url()).searchParams.get('found'), 'T-02');
  await page.reload();
  assert.equal(await score(page), '2 of 2 found all of them', 'the address keeps what was found');
  assert.deepEqual(sins, []);
  await context.close();
});

test('the keyboard alone finds a bug', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.origin + PIECE);
  await page.locator('#line-2 .hljs-string').waitFor();
  await row(page, 1).focus();
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowDown', 'ArrowUp', 'Enter']) await page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  await page.locator('.ask').waitFor();
  await page.waitForSelector('.classes button:focus');
  assert.match(await focused(), /^Not true/);
  await page.keyboard.press('Escape');
  await page.locator('.ask').waitFor({ state: 'detached' });
  await page.waitForSelector('#line-3 > .row:focus');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.classes button:focus');
  for (const key of ['Tab', 'Tab', 'Enter']) await page.keyboard.press(key);
  await page.locator('.verdict.ok').waitFor();
  assert.equal(await score(page), '1 of 2 found');
  await page.waitForSelector('#line-3 > .row:focus');
  assert.deepEqual(sins, []);
  await context.close();
});

test('without scripts it is the same, one page after the other', async () => {
  const { context, page, sins } = await openPage(browser, workshop, { javaScriptEnabled: false });
  await page.goto(`${workshop.origin}/posts/reading-a-request`);
  await page.getByRole('link', { name: 'A piece for this test' }).click();
  assert.equal(new URL(page.url()).pathname, PIECE);
  await row(page, 4).click();
  assert.equal(new URL(page.url()).hash, '#line-4');
  await choose(page, 'Breaks');
  assert.equal(await page.locator('.verdict').innerText(), 'Something is wrong with line 4, but it is not “breaks”.');
  await choose(page, 'Not safe');
  assert.equal(await score(page), '1 of 2 found');
  await row(page, 2).click();
  assert.equal(await score(page), '1 of 2 found', 'what was found goes along');
  await page.getByRole('link', { name: 'Show all' }).click();
  assert.equal(await page.locator('.told-bug').count(), 2);
  assert.equal(await page.locator('.told-bug', { hasText: 'not found yet' }).count(), 1);
  await page.getByRole('link', { name: 'Back to looking' }).click();
  assert.equal(await score(page), '1 of 2 found');
  await page.goto(`${workshop.origin}/exercises/010`);
  assert.equal(await page.getByRole('link', { name: 'A piece for this test' }).count(), 1);
  assert.deepEqual(sins, []);
  await context.close();
});

test('what the owner finds is kept in the checkout', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  await page.goto(workshop.origin + PIECE);
  await row(page, 4).click();
  await choose(page, 'Not safe');
  await page.locator('.verdict.ok').waitFor();
  assert.ok(!page.url().includes('found='), 'the address carries nothing');
  const kept = JSON.parse(await readFile(path.join(workshop.folder, '.workshop/progress.json'), 'utf8'));
  assert.deepEqual(Object.keys(kept.bugs), ['T-02']);
  await page.goto(`${workshop.origin}/bugs`);
  await page.locator('.card', { hasText: 'A piece for this test' }).getByText('1 of 2 found').waitFor();
  assert.deepEqual(sins, []);
  await context.close();
});
