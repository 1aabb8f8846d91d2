import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWorkshop } from './support.mjs';

const EXERCISE = '/exercises/004-bedrock-integration';

let workshop;
let browser;
before(async () => { [workshop, browser] = await Promise.all([startWorkshop(), startBrowser()]); });
after(async () => { await browser?.close(); await workshop?.stop(); });

const lit = (node, edge, status = 'ok') => ({ node, edge, status, request_id: 'r', t: 0 });

/** A request of a test, as the testkit writes it. */
function sent(test, t, overrides = {}) {
  return {
    type: 'request',
    exercise: '004',
    test,
    entry: {
      seq: 1, t, method: 'POST', target: '/model/a-model/converse', operation: 'Converse', model: 'a-model',
      region: 'us-east-1', headers: [['content-type', 'application/json'], ['authorization', 'Bearer 5ec7e7']],
      body: { messages: [{ role: 'user', content: [{ text: '<img src=x onerror=alert(1)>' }] }] }, body_bytes: 70,
      status: 200, request_id: 'r-1', usage: { input: 12, output: 40 }, cost_micro_usd: 212,
      latency_ms: 900, first_token_ms: 300, answer: { output: { message: { role: 'assistant', content: [{ text: 'Hello' }] } } },
      trace: [lit('CC'), lit('USER', 'CC-USER'), lit('POLICY', 'USER-POLICY'), lit('BR', 'POLICY-BR'), lit('HAIKU', 'BR-HAIKU')],
      ...overrides,
    },
  };
}

const throttled = (test, t) => sent(test, t, {
  status: 429, error: 'ThrottlingException', message: 'Too many requests', usage: null, cost_micro_usd: null, answer: null, latency_ms: null,
  trace: [lit('BR', 'POLICY-BR', 'throttled')],
});

// The name must be new, so that what is waited for is this run and not the one before.
async function run(page, name = 'it_waits') {
  const t = Date.now();
  await workshop.log(
    { type: 'started', exercise: '004', t },
    throttled(name, t + 1), throttled(name, t + 1001), sent(name, t + 3001),
    sent('it_asks', t + 20),
  );
  await page.getByText(name, { exact: true }).first().waitFor();
  await page.getByText('attempt 3').waitFor();
}

test('requests are a timeline, retries light the diagram, and the table says the same', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  await page.goto(workshop.origin + EXERCISE);
  await run(page);
  const rows = page.locator('.timeline tr:has(a.op)');
  assert.equal(await rows.count(), 4);
  assert.match(await rows.nth(0).innerText(), /ThrottlingException[\s\S]*then waited 1\.0 s/);
  assert.match(await rows.nth(1).innerText(), /attempt 2[\s\S]*then waited 2\.0 s/);
  assert.match(await rows.nth(2).innerText(), /took 900 ms/);
  assert.equal(await page.locator('.timeline line.pause').count(), 2);
  assert.match(await page.locator('[data-part=requests] .head').innerText(), /2 retries, 24 tokens in, 80 out, \$0\.000424/);
  await page.locator('svg [data-edge=POLICY-BR].retried').first().waitFor({ state: 'attached' });
  assert.equal(await page.locator('svg text.cnt[data-for=POLICY-BR]').textContent(), '×4');
  assert.deepEqual(sins, []);
  await context.close();
});

test('a request opens by click and by key, and gives the focus back', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  await page.goto(workshop.origin + EXERCISE);
  await run(page, 'it_waits_too');
  const panel = page.locator('dialog.panel');
  const link = page.locator('a[data-request]').first();
  await link.focus();
  await page.keyboard.press('Enter');
  await panel.getByRole('heading', { name: 'Converse' }).waitFor();
  const text = await panel.innerText();
  assert.match(text, /ThrottlingException/);
  assert.match(text, /Bearer …/);
  assert.doesNotMatch(text, /5ec7e7/, 'no secret');
  assert.match(text, /onerror=alert/, 'what was sent is text');
  assert.deepEqual(await axe(page), [], 'axe with the panel open');
  await page.keyboard.press('Escape');
  await panel.waitFor({ state: 'hidden' });
  const focused = page.locator('a[data-request]:focus');
  await focused.waitFor();
  assert.equal(await focused.getAttribute('href'), await link.getAttribute('href'));
  await page.locator('a[data-request]').nth(2).click();
  await panel.getByText('$0.000212').waitFor();
  await panel.locator('summary', { hasText: 'Script for the emulator' }).click();
  assert.match(await panel.locator('#as-script code').innerText(), /\[\[reply\]\]/);
  await panel.getByRole('link', { name: 'Open as a page' }).click();
  await page.waitForURL(/\/requests\/004\/\d+$/);
  assert.equal(await page.locator('h1').innerText(), 'Converse');
  assert.deepEqual(sins, []);
  await context.close();
});

test('what a test sent is sent again to the emulator, and shows as a new request', async () => {
  const { context, page, sins } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  await page.goto(workshop.origin + EXERCISE);
  await run(page);
  await page.locator('a[data-request]').nth(2).click();
  const panel = page.locator('dialog.panel');
  await panel.getByRole('button', { name: 'Send it again' }).click();
  // The emulator knows no such model: its answer is another one, and says why.
  await panel.getByText('ValidationException').first().waitFor();
  assert.match(await panel.locator('.tools a').getAttribute('href'), /^\/requests\/emulator\/\d+$/);
  assert.deepEqual(sins, []);
  await context.close();
});

for (const width of [1440, 390]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`the pages around requests are accessible and fit: ${width} wide, ${colorScheme}`, async () => {
      const { context, page, sins } = await openPage(browser, workshop, { width, colorScheme });
      await page.goto(workshop.login);
      await page.goto(workshop.origin + EXERCISE);
      await run(page);
      const request = await page.locator('a[data-request]').nth(2).getAttribute('href');
      await fetch(`${workshop.emulator}/model/no-such-model/converse`, { method: 'POST', body: '{}' });
      for (const address of [EXERCISE, request, '/emulator', '/playground', '/dashboards', '/dashboards?exercise=004']) {
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
