import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWorkshop } from './support.mjs';

let workshop;
let browser;
before(async () => { [workshop, browser] = await Promise.all([startWorkshop(), startBrowser()]); });
after(async () => { await browser?.close(); await workshop?.stop(); });

async function playground(options) {
  const opened = await openPage(browser, workshop, options);
  await opened.page.goto(workshop.login);
  await opened.page.goto(`${workshop.origin}/playground`);
  return opened;
}

test('messages of a stream arrive one by one, and the diagram lights', async () => {
  const { context, page, sins } = await playground();
  await page.selectOption('#inject', 'slow-stream');
  await page.locator('[data-send]').click();
  await page.locator('.arrivals li').nth(2).waitFor();
  assert.equal(await page.locator('[data-send]').isDisabled(), true, 'it is still being sent');
  assert.equal(await page.getByText('Look at this request').count(), 0, 'it has not ended yet');
  await page.getByText('Look at this request').waitFor();
  assert.ok((await page.locator('.said').innerText()).length > 20);
  assert.match(await page.locator('.arrivals').innerText(), /messageStart[\s\S]*metadata/);
  await page.locator('svg [data-node=HAIKU].ok').first().waitFor();
  await page.locator('summary', { hasText: 'What is sent' }).click();
  assert.match(await page.locator('[aria-label="The request"]').innerText(), /POST \/model\/[\s\S]*Signature=…/);
  assert.deepEqual(await axe(page), []);
  await page.getByRole('link', { name: 'save as a test' }).click();
  await page.locator('dialog.panel #as-test[open]').waitFor();
  assert.match(await page.locator('#as-test code').innerText(), /#\[tokio::test\]/);
  assert.deepEqual(sins, []);
  await context.close();
});

test('throttling, denial and a cut are told in a sentence', async () => {
  const { context, page, sins } = await playground();
  for (const [inject, status, sentence] of [
    ['throttling', '429', /Too much was asked/],
    ['denial', '403', /asking again does not help/],
    ['cut', '200, broken off', /cut before the answer/],
  ]) {
    await page.selectOption('#inject', inject);
    await page.locator('[data-send]').click();
    await page.getByText('Look at this request').waitFor();
    assert.equal(await page.locator('#outcome-title .tag').innerText(), status);
    assert.match(await page.locator('[data-outcome] .why').innerText(), sentence);
  }
  await page.locator('#prompt').fill('');
  await page.locator('[data-send]').click();
  await page.getByText('Write a prompt').waitFor();
  assert.deepEqual(sins, []);
  await context.close();
});

test('a stream can be stopped', async () => {
  const { context, page } = await playground();
  await page.selectOption('#inject', 'slow-stream');
  await page.locator('[data-send]').click();
  await page.locator('.arrivals li').first().waitFor();
  await page.locator('[data-stop]').click();
  await page.getByText('Stopped. What came so far stays.').waitFor();
  assert.equal(await page.locator('[data-send]').isEnabled(), true);
  await context.close();
});

test('without scripts the form is sent and answered with a page', async () => {
  const { context, page } = await playground({ javaScriptEnabled: false });
  await page.locator('#prompt').fill('<b>bold</b>');
  await page.locator('[data-send]').click();
  await page.getByText('Answered with 200').waitFor();
  assert.ok(await page.locator('.arrivals li').count() > 3);
  assert.equal(await page.locator('.outcome b').count(), 0, 'no markup of a model');
  await page.getByRole('link', { name: 'Look at this request' }).click();
  assert.equal(await page.locator('h1').innerText(), 'ConverseStream');
  await page.goto(`${workshop.origin}/dashboards`);
  assert.match(await page.locator('.tiles').innerText(), /Answered\s+\d/);
  await context.close();
});
