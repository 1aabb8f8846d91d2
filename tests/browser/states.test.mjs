// What can happen while somebody works: a save elsewhere, a loop, no Rust, no workshop, real Bedrock.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWithTinyExercise } from './support.mjs';

const RIGHT = 'pub fn two() -> u8 {\n    2\n}\n';
const WRONG = 'pub fn two() -> u8 {\n    3\n}\n';
const LOOP = 'pub fn two() -> u8 {\n    loop {\n        std::hint::spin_loop();\n    }\n}\n';
const COMPILE_MS = 120_000;

let browser;
let workshop;

before(async () => {
  [browser, workshop] = await Promise.all([startBrowser(), startWithTinyExercise({
    // The usual variables, with a stand-in for AWS that nobody listens at.
    env: {
      AWS_REGION: 'eu-central-1', AWS_PROFILE: 'classroom', AWS_SECRET_ACCESS_KEY: 'not-to-be-shown',
      AWS_ACCESS_KEY_ID: null, AWS_BEARER_TOKEN_BEDROCK: null, AWS_ENDPOINT_URL: null,
      AWS_ENDPOINT_URL_BEDROCK_RUNTIME: 'http://127.0.0.1:9', WORKSHOP_MODEL: null,
    },
  })]);
});

after(async () => {
  await browser?.close();
  await workshop?.stop();
});

async function open(at = workshop, options = {}) {
  const opened = await openPage(browser, at, options);
  await opened.page.goto(at.login);
  await opened.page.goto(at.origin + at.tiny);
  if (options.javaScriptEnabled !== false) await opened.page.locator('.cm-content').waitFor();
  return opened;
}

const summary = (page, text) => page.locator('[data-summary]', { hasText: text }).waitFor({ timeout: COMPILE_MS });
const shown = (page, text) => page.locator('.cm-content', { hasText: text }).waitFor();

/** Writes the file as another editor does, and waits until the page has it. */
async function put(page, text) {
  await writeFile(workshop.file, text);
  await shown(page, text.split('\n').find((line) => /spin|\d$|"/.test(line)).trim());
}

/** Processes of the exercise: its path is in their command line. */
function left() {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && Number(pid) !== workshop.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(workshop.folder);
      } catch {
        return false;
      }
    });
}

async function eventually(condition, what) {
  const end = Date.now() + 30_000;
  while (!await condition()) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

test('saving in another editor checks again, and the page shows both', async () => {
  const { context, page, sins } = await open();
  await put(page, WRONG);
  await page.getByLabel('Check on save').check();
  await summary(page, '1 of 2 pass');
  await writeFile(workshop.file, RIGHT);
  await summary(page, 'All 2 checks pass');
  await shown(page, 'u8 {    2}');
  await writeFile(workshop.file, 'pub fn two() -> u8 {\n    "two"\n}\n');
  await summary(page, 'It does not compile');
  await page.locator('.problems', { hasText: 'mismatched types' }).waitFor();
  await page.getByLabel('Check on save').uncheck();
  assert.deepEqual(sins, []);
  await context.close();
});

test('a loop is stopped by the button, and leaves no process behind', async () => {
  const { context, page, sins } = await open();
  await put(page, LOOP);
  await page.getByRole('button', { name: /Run checks/ }).click();
  // The build is over when a test runs.
  await eventually(() => left().length > 0, 'a test was started');
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await summary(page, 'Stopped before the verdict');
  await eventually(() => left().length === 0, 'nothing is left of it');
  assert.equal(await page.getByRole('button', { name: /Run checks/ }).isEnabled(), true);
  assert.deepEqual(sins, []);
  await context.close();
});

test('a loop that nobody stops ends by itself, and the page says what it was', async () => {
  const { context, page, sins } = await open();
  await put(page, LOOP);
  await page.getByRole('button', { name: /Run checks/ }).click();
  await summary(page, '1 of 2 pass');
  const failed = page.locator('.tests .bad');
  assert.match(await failed.innerText(), /Ran too long|loop/);
  await eventually(() => left().length === 0, 'nothing is left of it');
  assert.deepEqual(sins, []);
  await context.close();
});

test('a workshop that ends is missed, and the last result stays', async () => {
  const other = await startWithTinyExercise();
  const { context, page } = await open(other);
  await writeFile(other.file, WRONG);
  await shown(page, 'u8 {    3}');
  await page.getByRole('button', { name: /Run checks/ }).click();
  await summary(page, '1 of 2 pass');
  await other.stop();
  const notice = page.locator('[data-notice]');
  await notice.filter({ hasText: 'Reconnecting. What you see is the last result.' }).waitFor();
  assert.match(await page.locator('[data-summary]').innerText(), /1 of 2 pass/);
  await page.getByRole('button', { name: /Run checks/ }).click();
  await notice.filter({ hasText: 'The workshop does not answer' }).waitFor();
  assert.deepEqual(await axe(page), []);

  // Another start at the same address has another secret.
  const again = await startWithTinyExercise({ args: ['--addr', new URL(other.origin).host] });
  await notice.filter({ hasText: 'Open the link that it printed' }).waitFor({ timeout: 60_000 });
  await context.close();
  await again.stop();
});

test('without Rust the page works and says what to install', async () => {
  const other = await startWithTinyExercise({ env: { PATH: '/nowhere' } });
  const { context, page } = await open(other);
  await page.getByRole('button', { name: /Run checks/ }).click();
  await summary(page, 'The set-up is broken');
  assert.match(await page.locator('pre.why').innerText(), /cargo was not found\. Install Rust from https:\/\/rustup\.rs/);
  await page.getByRole('button', { name: 'Format' }).click();
  await page.locator('[data-trouble]', { hasText: 'rustfmt was not found' }).waitFor();
  await page.locator('.cm-content').click();
  await page.keyboard.type('// still here\n');
  await page.locator('[data-state]', { hasText: 'Saved' }).waitFor();
  assert.match(readFileSync(other.file, 'utf8'), /still here/);
  assert.deepEqual(await axe(page), []);
  await context.close();
  await other.stop();
});

test('a taken emulator port is told before anything starts, with the way around it', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => { taken.once('listening', resolve); });
  const { port } = taken.address();
  let said = '';
  try {
    execFileSync(process.env.WORKSHOP_BIN, ['serve', '--addr', '127.0.0.1:0', '--emulator-addr', `127.0.0.1:${port}`], { stdio: 'pipe' });
  } catch (error) {
    assert.equal(error.status, 4);
    said = String(error.stderr);
  }
  taken.close();
  assert.match(said, new RegExp(`127\\.0\\.0\\.1:${port}`));
  assert.match(said, /--emulator-addr|another port|port 0/);
});

test('real Bedrock asks first, warns on every page, runs there, and leads back', async () => {
  const { context, page, sins } = await open();
  await put(page, RIGHT);
  const second = await context.newPage();
  await second.goto(`${workshop.origin}/posts`);
  await page.getByRole('link', { name: 'Run it against real Bedrock' }).click();
  const told = await page.locator('main').innerText();
  assert.match(told, /the profile classroom \(AWS_PROFILE\)/);
  assert.match(told, /eu-central-1 \(from AWS_REGION\)/);
  assert.match(told, /http:\/\/127\.0\.0\.1:9 \(from AWS_ENDPOINT_URL_BEDROCK_RUNTIME\)/);
  assert.match(told, /can cost my AWS account up to \$\d/);
  assert.doesNotMatch(await page.content(), /not-to-be-shown/);
  const agree = page.getByRole('button', { name: 'Use real Bedrock' });
  await agree.click();
  assert.equal(await page.locator('.real').count(), 0, 'not without the ticked box');
  await page.getByRole('checkbox', { name: /I agree/ }).check();
  await agree.click();
  await page.locator('.real', { hasText: 'Real Bedrock is on.' }).waitFor();
  await second.locator('.real', { hasText: 'Real Bedrock is on.' }).waitFor();

  await page.goto(workshop.origin + workshop.tiny);
  await page.locator('.cm-content').waitFor();
  assert.match(await page.locator('.reach').innerText(), /at most 2 requests of 100 output tokens, at most \$/);
  const progress = path.join(workshop.folder, '.workshop/progress.json');
  const reached = readFileSync(progress, 'utf8');
  await page.getByLabel('Check on save').click();
  await page.locator('[data-notice]', { hasText: 'each save would cost' }).waitFor();
  await page.getByRole('button', { name: /Run checks/ }).click();
  // Its own test looks at the limits and the region that reached it.
  await summary(page, 'All 1 check pass (real Bedrock)');
  assert.equal(readFileSync(progress, 'utf8'), reached, 'it is no progress');

  await page.goto(`${workshop.origin}/exercises/000-preflight`);
  assert.match(await page.locator('.reach').innerText(), /runs on the emulator only/);
  await page.getByRole('button', { name: 'Back to the emulator' }).click();
  await page.locator('.real').waitFor({ state: 'detached' });
  assert.equal(new URL(page.url()).pathname, '/exercises/000-preflight');
  await second.locator('.real').waitFor({ state: 'detached' });
  // 409 is the answer to checking on save.
  assert.deepEqual(sins.filter((sin) => !sin.includes('409')), []);
  await context.close();
});

test('real Bedrock is switched without scripts too', async () => {
  const { context, page } = await open(workshop, { javaScriptEnabled: false });
  await page.getByRole('link', { name: 'Run it against real Bedrock' }).click();
  await page.getByRole('checkbox').check();
  await page.getByRole('button', { name: 'Use real Bedrock' }).click();
  await page.locator('.real').waitFor();
  await page.goto(workshop.origin + workshop.tiny);
  await page.getByRole('button', { name: /Run checks/ }).click();
  await page.locator('[data-summary]', { hasText: '(real Bedrock)' }).waitFor({ timeout: COMPILE_MS });
  await page.getByRole('button', { name: 'Back to the emulator' }).click();
  await page.locator('.real').waitFor({ state: 'detached' });
  await context.close();
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [1440, 390]) {
    test(`real Bedrock has no fault that axe finds: ${colorScheme}, ${width}`, async () => {
      const { context, page, sins } = await open(workshop, { colorScheme, width });
      await page.goto(`${workshop.origin}/bedrock`);
      assert.deepEqual(await axe(page), []);
      await page.getByRole('checkbox').check();
      await page.getByRole('button', { name: 'Use real Bedrock' }).click();
      await page.locator('.real').waitFor();
      assert.deepEqual(await axe(page), []);
      await page.goto(workshop.origin + workshop.tiny);
      await page.locator('.cm-content').waitFor();
      assert.deepEqual(await axe(page), []);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
      assert.equal(wide, false, 'nothing is wider than the window');
      await page.getByRole('button', { name: 'Back to the emulator' }).click();
      await page.locator('.real').waitFor({ state: 'detached' });
      assert.deepEqual(sins, []);
      await context.close();
    });
  }
}
