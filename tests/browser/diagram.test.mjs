// Diagrams come closer and fill the window; their lights, links and text form stay what they are.
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { axe, openPage, startBrowser, startWorkshop } from './support.mjs';

const QUEUE = '/diagrams/queue';
const EXERCISE = '/exercises/012-queue';
// With a drawing each: a diagram's page, a post, the course map, the exercise's live trace.
const PAGES = [QUEUE, '/posts/bedrock-integration-patterns', '/diagrams/course-map', EXERCISE];

let workshop;
let browser;
before(async () => { [workshop, browser] = await Promise.all([startWorkshop(), startBrowser()]); });
after(async () => { await browser?.close(); await workshop?.stop(); });

const named = (page, name) => page.locator('.diagram-tools').first().getByRole('button', { name, exact: true });

/** Without gliding: what a button does has happened when the click is over. */
async function look(address, options = {}) {
  const { context, page, sins } = await openPage(browser, workshop, { reducedMotion: 'reduce', ...options });
  await page.goto(workshop.login);
  await page.goto(workshop.origin + address);
  const frame = page.locator('.diagram-scroll').first();
  await frame.scrollIntoViewIfNeeded();
  await named(page, 'Full view').waitFor();
  const svg = frame.locator('> svg');
  /** What of the drawing is seen: x, y, width, height. */
  const seen = async () => (await svg.getAttribute('viewBox')).split(' ').map(Number);
  const end = async () => {
    assert.deepEqual(sins, []);
    await context.close();
  };
  return { context, page, frame, svg, seen, end };
}

test('buttons and keys bring a diagram closer, move it and show all of it again', async () => {
  const { page, frame, svg, seen, end } = await look(QUEUE);
  const whole = await svg.getAttribute('viewBox');
  const height = (await frame.boundingBox()).height;
  assert.equal(await named(page, 'Fit').getAttribute('aria-disabled'), 'true');
  await named(page, 'Zoom in').click();
  const [, , width] = await seen();
  assert.ok(width < Number(whole.split(' ')[2]) * 0.75, `${width} of ${whole}`);
  assert.equal((await frame.boundingBox()).height, height, 'the text below stays where it is');
  assert.match(await page.locator('.diagram-tools [role=status]').first().innerText(), /^\d+ %$/);
  await named(page, 'Zoom out').click();
  assert.equal(await svg.getAttribute('viewBox'), whole);

  await frame.focus();
  await page.keyboard.press('+');
  await page.keyboard.press('=');
  const [x] = await seen();
  await page.keyboard.press('ArrowRight');
  assert.ok((await seen())[0] > x, 'an arrow moves');
  for (let i = 0; i < 60; i += 1) await page.keyboard.press('ArrowLeft');
  assert.ok(Math.abs((await seen())[0] - Number(whole.split(' ')[0])) < 0.1, 'no further than its edge');
  await page.keyboard.press('-');
  await page.keyboard.press('0');
  assert.equal(await svg.getAttribute('viewBox'), whole);
  for (let i = 0; i < 20; i += 1) await page.keyboard.press('+');
  assert.equal(await named(page, 'Zoom in').getAttribute('aria-disabled'), 'true');
  await frame.dblclick();
  assert.equal(await svg.getAttribute('viewBox'), whole, 'a double click shows all of it');
  await end();
});

test('the wheel scrolls the page; with Ctrl it zooms at the pointer, and dragging moves', async () => {
  const { page, frame, svg, seen, end } = await look(QUEUE);
  const whole = await svg.getAttribute('viewBox');
  const node = svg.locator('[data-node=LAMBDA]');
  const at = async () => {
    const { x, y, width, height } = await node.boundingBox();
    return { x: x + width / 2, y: y + height / 2 };
  };
  const before = await at();
  await page.mouse.move(before.x, before.y);
  await page.mouse.wheel(0, 100);
  await page.waitForFunction(() => scrollY > 0);
  assert.equal(await svg.getAttribute('viewBox'), whole);
  await page.evaluate(() => scrollTo(0, 0));

  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -100);
  await page.keyboard.up('Control');
  await page.waitForFunction((text) => document.querySelector('.diagram-scroll>svg').getAttribute('viewBox') !== text, whole);
  const after = await at();
  assert.ok(Math.abs(after.x - before.x) < 2, `${after.x} was at ${before.x}`);
  assert.equal(await page.evaluate(() => scrollY), 0);
  assert.equal(await page.evaluate(() => visualViewport.scale), 1);

  const [x] = await seen();
  await page.mouse.move(before.x, before.y);
  await page.mouse.down();
  await page.mouse.move(before.x - 80, before.y, { steps: 4 });
  await page.mouse.up();
  assert.ok((await seen())[0] > x, 'what is to the right comes into view');
  assert.ok(Math.abs((await at()).x - (before.x - 80)) < 3, 'the drawing stays below the pointer');
  assert.equal(await frame.evaluate((element) => element.scrollLeft), 0);
  await end();
});

test('the full view fills the window, keys work there, and the focus comes back', async () => {
  const { page, frame, svg, seen, end } = await look(QUEUE);
  const whole = await svg.getAttribute('viewBox');
  const { y } = await page.locator('.diagram-text').first().boundingBox();
  await named(page, 'Full view').focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Queue, worker and table' });
  await dialog.waitFor();
  const { width, height } = await frame.boundingBox();
  assert.ok(width >= 1400 && height >= 700, `${width} × ${height}`);
  const [, , all] = await seen();
  assert.ok(all >= Number(whole.split(' ')[2]), 'all of it is seen');
  await page.keyboard.press('+');
  assert.ok((await seen())[2] < all);
  assert.deepEqual(await axe(page), [], 'axe on the full view');
  await page.keyboard.press('Escape');
  // A closed dialog is gone for its role before its event is heard: the focus is what to wait for.
  await named(page, 'Full view').and(page.locator(':focus')).waitFor();
  assert.equal(await svg.getAttribute('viewBox'), whole);
  assert.equal((await page.locator('.diagram-text').first().boundingBox()).y, y, 'the page is as it was');

  await frame.focus();
  await page.keyboard.press('f');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await page.locator('figure:not(dialog *) > .diagram-scroll:focus').first().waitFor();
  await page.getByText('Diagram as text').first().click();
  assert.ok(await page.locator('.diagram-nodes li').first().isVisible());
  await end();
});

test('on a phone the full view is readable, and two fingers zoom', async () => {
  const { page, svg, seen, context, end } = await look(QUEUE, { width: 390, hasTouch: true });
  await named(page, 'Full view').tap();
  await page.getByRole('dialog').waitFor();
  const client = svg.locator('[data-node=CLIENT] text');
  const box = await client.boundingBox();
  assert.ok(box.height >= 10, `words of ${box.height} px`);
  assert.ok(box.x >= 0 && box.x + box.width <= 390, 'it begins with the first node');
  const [, , width] = await seen();
  const session = await context.newCDPSession(page);
  const touch = (type, apart) => session.send('Input.dispatchTouchEvent', {
    type,
    touchPoints: apart === undefined ? [] : [{ x: 190 - apart, y: 450, id: 0 }, { x: 190 + apart, y: 450, id: 1 }],
  });
  await touch('touchStart', 30);
  for (const apart of [40, 50, 60]) await touch('touchMove', apart);
  await touch('touchEnd');
  const [, , closer] = await seen();
  assert.ok(closer < width * 0.6 && closer > width * 0.4, `${closer} of ${width}`);
  assert.equal(await page.evaluate(() => visualViewport.scale), 1, 'the page itself did not grow');
  await end();
});

test('lights and links go on in what is zoomed and in the full view', async () => {
  const { page, frame, svg, end } = await look(EXERCISE);
  const sent = (t) => ({
    type: 'request',
    exercise: '012',
    test: 'it_works',
    entry: {
      seq: 1, t, method: 'POST', target: '/', operation: 'SendMessage', region: 'us-east-1', headers: [], body: {}, body_bytes: 2,
      status: 200, request_id: `r-${t}`, answer: {},
      trace: [{ node: 'SQS', edge: 'CLIENT-SQS', status: 'ok', request_id: `r-${t}`, t }],
    },
  });
  await named(page, 'Zoom in').click();
  const zoomed = await svg.getAttribute('viewBox');
  const t = Date.now();
  await workshop.log({ type: 'started', exercise: '012', t }, sent(t + 1));
  await svg.locator('text.cnt', { hasText: '×1' }).waitFor({ state: 'attached' });
  assert.equal(await svg.getAttribute('viewBox'), zoomed);
  await named(page, 'Full view').click();
  await workshop.log(sent(t + 2));
  await frame.locator('[data-node=SQS].ok').waitFor();
  await page.locator('dialog text.cnt', { hasText: '×2' }).waitFor();
  await end();

  const map = await look('/diagrams/course-map');
  await named(map.page, 'Full view').click();
  const stop = map.page.locator('dialog a.box').first();
  const href = await stop.getAttribute('href');
  await map.page.keyboard.press('+');
  const { x, y, width, height } = await map.frame.boundingBox();
  const box = await stop.boundingBox();
  assert.ok(box, 'the map has a first stop');
  // The end of a drag is no click, wherever it ends.
  await map.page.mouse.move(x + width / 2, y + height / 2);
  await map.page.mouse.down();
  await map.page.mouse.move(x + width / 2 + 90, y + height / 2 + 40, { steps: 5 });
  await map.page.mouse.up();
  assert.match(map.page.url(), /course-map$/);
  await stop.focus();
  await map.page.keyboard.press('Enter');
  await map.page.waitForURL(new URL(href, workshop.origin).href);
  await map.end();
});

test('no count covers a node, words or another count, whatever is lit', async () => {
  const { page, end } = await look(QUEUE);
  const files = await readdir(path.join(workshop.folder, 'diagrams'));
  const drawn = files.filter((file) => file.endsWith('.md') && file !== 'course-map.md').map((file) => file.slice(0, -3));
  assert.ok(drawn.length > 10);
  for (const slug of drawn) {
    await page.goto(`${workshop.origin}/diagrams/${slug}`);
    const covered = await page.evaluate(async () => {
      const part = (name) => import(document.querySelector('script[src$="site.js"]').src.replace('site.js', name));
      const { light } = await part('diagram.js');
      const marks = (kind) => Object.fromEntries([...document.querySelectorAll(`figure.diagram [data-${kind}]`)]
        .map((part) => [part.dataset[kind], { status: 'ok', count: 12, retried: false }]));
      const all = { nodes: marks('node'), edges: marks('edge') };
      light(all);
      await part('counts.js');
      await new Promise(requestAnimationFrame);
      // The page may have asked meanwhile what is lit, which is nothing.
      light(all);
      const counts = [...document.querySelectorAll('text.cnt')];
      if (!counts.length && document.querySelector('path[data-edge]')) return ['nothing is counted'];
      return counts.flatMap((count) => {
        const a = count.getBoundingClientRect();
        // A line of text is a little higher than its digits.
        const meets = (b, rest = 3) => a.left + 1 < b.right && b.left + 1 < a.right && a.top + rest < b.bottom && b.top + rest < a.bottom;
        const others = [...count.ownerSVGElement.querySelectorAll('.node, .edge-label text, text.cnt')];
        return others.filter((other) => other !== count && meets(other.getBoundingClientRect()))
          .map((other) => `${count.dataset.for} covers ${other.textContent.trim()}`);
      });
    });
    assert.deepEqual(covered, [], slug);
  }
  await end();
});

for (const width of [1440, 390]) {
  for (const colorScheme of ['light', 'dark']) {
    test(`pages with diagrams are accessible and fit: ${width} wide, ${colorScheme}`, async () => {
      const { page, end } = await look(QUEUE, { width, colorScheme });
      for (const address of PAGES) {
        await page.goto(workshop.origin + address);
        await page.locator('.diagram-scroll').first().scrollIntoViewIfNeeded();
        await named(page, 'Zoom in').click();
        const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(over <= 0, `${address} is ${over} px too wide`);
        assert.deepEqual(await axe(page), [], `axe on ${address}`);
      }
      await named(page, 'Full view').click();
      assert.deepEqual(await axe(page), [], 'axe on the full view');
      await end();
    });
  }
}

test('without scripts a diagram is what it was, and pages without one load nothing for it', async () => {
  const { context, page, sins } = await openPage(browser, workshop, { javaScriptEnabled: false });
  await page.goto(workshop.login);
  await page.goto(workshop.origin + QUEUE);
  assert.ok(await page.locator('.diagram svg').isVisible());
  assert.ok(await page.getByText('Diagram as text').isVisible());
  assert.equal(await page.locator('.diagram-tools').count(), 0);
  assert.deepEqual(sins, []);
  await context.close();
  const plain = await openPage(browser, workshop);
  const asked = [];
  plain.page.on('request', (request) => asked.push(request.url()));
  await plain.page.goto(workshop.login);
  await plain.page.goto(`${workshop.origin}/posts`, { waitUntil: 'networkidle' });
  assert.deepEqual(asked.filter((address) => /zoom\.(js|css)$/.test(address)), []);
  await plain.context.close();
});
