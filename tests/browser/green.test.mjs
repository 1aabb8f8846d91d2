// One exercise from its starter to green, with the keyboard alone and the real compiler.
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { openPage, startBrowser, startHere } from './support.mjs';

const ADDRESS = '/exercises/001-first-converse-call';
const FIRST_COMPILE_MS = 600_000;

test('an exercise goes from its starter to green with the keyboard alone', async () => {
  const [workshop, browser] = await Promise.all([startHere(), startBrowser()]);
  const folder = path.join(workshop.folder, 'exercises/001-first-converse-call');
  const file = path.join(folder, 'src/lib.rs');
  const before = await readFile(file, 'utf8');
  try {
    const solution = await readFile(path.join(folder, 'solution/lib.rs'), 'utf8');
    await writeFile(file, await readFile(path.join(folder, 'starter/lib.rs'), 'utf8'));
    const { page, sins } = await openPage(browser, workshop, { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(workshop.login);
    await page.goto(workshop.origin + ADDRESS);
    await page.locator('.cm-content').waitFor();
    const verdict = (text) => page.locator('[data-summary]', { hasText: text })
      .waitFor({ timeout: FIRST_COMPILE_MS });

    // The editor draws only the lines in sight.
    await page.keyboard.press('e');
    await page.keyboard.press('Control+End');
    await page.keyboard.press('Control+Enter');
    await verdict('0 of 10 pass');
    assert.match(await page.locator('.ws-why').first().innerText(), /Not written yet/);

    await page.keyboard.type('fn wrong() -> u8 {\n"text"');
    await page.keyboard.press('Control+Enter');
    await verdict('It does not compile');
    await page.locator('.ws-why', { hasText: 'error[E0308]: mismatched types' }).waitFor();

    await page.keyboard.press('Control+a');
    await page.evaluate((text) => navigator.clipboard.writeText(text), solution);
    await page.keyboard.press('Control+v');
    await page.keyboard.press('Control+Enter');
    await verdict('All 10 checks pass');
    const next = page.locator('[data-next]');
    await next.waitFor();
    assert.equal(await next.evaluate((link) => link === document.activeElement), true, 'the next step has the focus');
    assert.equal(await page.locator('.squares [aria-current]').first().evaluate((link) => link.parentElement.className), 'done');
    assert.equal(await page.locator('.history tbody tr').count() >= 3, true, 'the runs are kept');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/exercises\/002-/);
    assert.deepEqual(sins, []);
  } finally {
    await writeFile(file, before);
    await browser.close();
    await workshop.stop();
  }
});
