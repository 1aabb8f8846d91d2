import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWorkshop } from './support.mjs';

let workshop;
let browser;
before(async () => { [workshop, browser] = await Promise.all([startWorkshop(), startBrowser()]); });
after(async () => { await browser?.close(); await workshop?.stop(); });

test('search opens by key, forgives a typing error, and Enter leads to the place', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.origin + '/posts');
  await page.keyboard.press('/');
  const input = page.getByRole('combobox');
  await input.fill('trotling quota');
  const options = page.getByRole('option');
  await options.first().waitFor();
  assert.match(await options.first().innerText(), /throttling/i);
  const chosen = () => page.locator('[role=option][aria-selected=true]').getAttribute('href');
  const first = await chosen();
  await page.keyboard.press('ArrowDown');
  const second = await chosen();
  assert.notEqual(second, first);
  await Promise.all([page.waitForURL((url) => url.pathname + url.hash === second), page.keyboard.press('Enter')]);
  if (second.includes('#')) {
    const at = decodeURIComponent(second.split('#')[1]);
    assert.equal(await page.locator(`[id="${at}"]`).count(), 1, 'the place is on the page');
  }
  assert.deepEqual(sins, []);
  await context.close();
});

for (const [width, colorScheme] of [[1440, 'light'], [1440, 'dark'], [390, 'light'], [390, 'dark']]) {
  test(`the search dialog is accessible: ${width} wide, ${colorScheme}`, async () => {
    const { context, page, sins } = await openPage(browser, workshop, { width, colorScheme });
    await page.goto(workshop.origin + '/');
    await page.keyboard.press('Control+k');
    assert.deepEqual(await axe(page), [], 'empty');
    await page.getByRole('combobox').fill('lease');
    await page.getByRole('option').first().waitFor();
    assert.deepEqual(await axe(page), [], 'with results');
    await page.getByRole('combobox').fill('xyzzyplugh');
    await page.getByText('Nothing has all of these words').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('#find').waitFor({ state: 'hidden' });
    assert.deepEqual(sins, []);
    await context.close();
  });
}

test('without scripts the search page searches', async () => {
  const { context, page } = await openPage(browser, workshop, { javaScriptEnabled: false });
  await page.goto(workshop.origin + '/');
  await page.getByRole('link', { name: 'Search' }).click();
  await page.getByRole('searchbox').fill('lease');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.waitForURL(/\/search\?q=lease/);
  assert.ok(await page.locator('.cards .card').count() > 1);
  await context.close();
});
