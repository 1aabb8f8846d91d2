// Ten pages beside what they looked like when somebody looked at them last: `reference/*.png`.
//
// They show the small course of the server's own tests, at half size. Two pictures are alike when hardly any
// of their blocks, 16 pixels of the page wide, differ in colour: letters that another machine smooths in
// another way do not count, a part that is missing or elsewhere does. Chromium itself reads and compares them.
//
// `LOOKS_BLESS=1 npm test looks.test.mjs` writes them anew; look at them before they are committed.
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startFixture } from './support.mjs';

const REFERENCE = path.join(import.meta.dirname, 'reference');
const SCALE = 0.5;
/** Pixels of the picture that make a block's side. */
const BLOCK = 8;
/** How far a block's mean colour may be away, of 255. */
const COLOUR_MAX = 24;
/** How many blocks of a hundred may be further away. */
const BLOCKS_MAX = 0.8;

const WIDE = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const EXERCISE = '/exercises/001-one-call';
const LOOKS = {
  home: { path: '/', ...WIDE },
  'home-phone-dark': { path: '/', ...PHONE, colorScheme: 'dark' },
  post: { path: '/posts/integration-patterns', ...WIDE },
  'post-phone-dark': { path: '/posts/integration-patterns', ...PHONE, colorScheme: 'dark' },
  diagram: { path: '/diagrams/small', ...WIDE },
  'exercise-dark': { path: EXERCISE, ...WIDE, colorScheme: 'dark' },
  'exercise-phone': { path: EXERCISE, ...PHONE },
  bug: { path: '/bugs/a-proxy?line=2', ...WIDE },
  'request-dark': { path: '/requests/001/1', ...WIDE, colorScheme: 'dark' },
  dashboards: { path: '/dashboards?exercise=001', ...WIDE },
};

const PROGRESS = {
  version: 1,
  exercises: { '001': { state: 'started', last: { at: '2026-01-02T00:00:00Z', passed: 1, total: 2, failing: ['a_throttle_is_waited_out'] } } },
};

let workshop;
let browser;
/** A page that nobody serves, for comparing. */
let table;
before(async () => {
  [workshop, browser] = await Promise.all([startFixture(), startBrowser()]);
  await mkdir(path.join(workshop.folder, '.workshop'), { recursive: true });
  await writeFile(path.join(workshop.folder, '.workshop/progress.json'), JSON.stringify(PROGRESS));
  table = await browser.newPage();
  await aFailedRun();
});
after(async () => { await browser?.close(); await workshop?.stop(); });

/** One run of the checks as the log tells it, always at the same moment of the past. */
async function aFailedRun() {
  const at = (ms) => 1_760_000_000_000 + ms;
  const lit = (status) => [
    { node: 'CC', status: 'ok', request_id: 'r', t: at(250) },
    { node: 'BR', edge: 'CC-BR', status, request_id: 'r', t: at(250) },
  ];
  const request = (seq, more) => ({
    type: 'request', exercise: '001', test: 'a_throttle_is_waited_out',
    entry: {
      seq, t: at(seq * 400), method: 'POST', target: '/model/a-model/converse', region: 'us-east-1', operation: 'Converse',
      model: 'a model', status: 200, request_id: `r${seq}`, latency_ms: 120, first_token_ms: 40, cost_micro_usd: 126,
      headers: [['host', 'localhost']], body: { messages: [] }, body_bytes: 15, usage: { input: 12, output: 40 }, trace: lit('ok'), ...more,
    },
  });
  const result = { message: '', location: null, output: '', ms: 3, status: 'passed' };
  const message = '001/2 WIRE  the retry\n  saw     1 request\n  wanted  2 requests\n  why     a throttle passes';
  await workshop.log(
    { type: 'started', exercise: '001', t: at(0) },
    request(1, { status: 429, error: 'ThrottlingException', message: 'Too many requests', usage: null, latency_ms: null, first_token_ms: null, cost_micro_usd: null, trace: lit('throttled') }),
    request(2, {}),
    { type: 'test', exercise: '001', result: { ...result, name: 'a_call_is_signed' } },
    { type: 'test', exercise: '001', result: { ...result, name: 'a_throttle_is_waited_out', status: 'failed', message, location: 'src/lib.rs:4:5' } },
    { type: 'finished', exercise: '001', outcome: 'not_solved', passed: 1, total: 2, t: at(1500) },
  );
  const { context, page } = await openPage(browser, workshop);
  await page.goto(workshop.login);
  await page.goto(workshop.origin + EXERCISE);
  await page.getByText('1 of 2 pass').first().waitFor();
  await context.close();
}

/** The page as it is shown, at rest. `change` does something to it before its picture is taken. */
async function picture({ path: address, width, height, colorScheme = 'light' }, { scale = SCALE, change } = {}) {
  const { context, page, sins } = await openPage(browser, workshop, {
    width, height, colorScheme, deviceScaleFactor: scale, reducedMotion: 'reduce', timezoneId: 'UTC', locale: 'en-GB',
  });
  await page.goto(workshop.login);
  await page.goto(workshop.origin + address, { waitUntil: 'load' });
  if (address === EXERCISE) await page.locator('.cm-content').waitFor();
  if (await page.locator('code[class^=language-]').count() > 0) await page.locator('code.hljs').first().waitFor();
  await page.evaluate(async () => {
    await document.fonts.ready;
    // The port of this run.
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(/(127\.0\.0\.1|localhost):\d+/g, '$1:4566');
  });
  await change?.(page);
  const png = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  assert.deepEqual(sins, []);
  await context.close();
  return png;
}

/** Blocks of a hundred that differ, and a picture in which they are red. */
function compare(reference, seen) {
  const images = [reference, seen].map((png) => `data:image/png;base64,${png.toString('base64')}`);
  return table.evaluate(async ({ images, block, most }) => {
    const [a, b] = await Promise.all(images.map(async (src) => {
      const image = new Image();
      image.src = src;
      await image.decode();
      return image;
    }));
    if (Math.abs(a.width / b.width - a.height / b.height) > 0.01) {
      return { blocks: 100, why: `${b.width} × ${b.height} instead of ${a.width} × ${a.height}` };
    }
    const [columns, rows] = [Math.ceil(a.width / block), Math.ceil(a.height / block)];
    const drawn = (image, width, height) => {
      const context = Object.assign(document.createElement('canvas'), { width, height }).getContext('2d');
      context.imageSmoothingQuality = 'high';
      context.drawImage(image, 0, 0, width, height);
      return context;
    };
    // Drawn at the same size first, then block by block: the mean of each.
    const means = (image) => {
      const { data } = drawn(image, a.width, a.height).getImageData(0, 0, a.width, a.height);
      const sums = Array.from({ length: columns * rows }, () => [0, 0, 0, 0]);
      for (let at = 0; at < data.length; at += 4) {
        const pixel = at / 4;
        const sum = sums[Math.floor(pixel / a.width / block) * columns + Math.floor((pixel % a.width) / block)];
        for (let channel = 0; channel < 3; channel += 1) sum[channel] += data[at + channel];
        sum[3] += 1;
      }
      return sums.map(([red, green, blue, count]) => [red / count, green / count, blue / count]);
    };
    const [before, now] = [means(a), means(b)];
    const marked = drawn(b, a.width, a.height);
    marked.fillStyle = 'rgb(255 0 0 / 0.5)';
    let count = 0;
    before.forEach((mean, at) => {
      if (Math.max(...mean.map((value, channel) => Math.abs(value - now[at][channel]))) <= most) return;
      count += 1;
      marked.fillRect((at % columns) * block, Math.floor(at / columns) * block, block, block);
    });
    return { blocks: (100 * count) / before.length, marked: marked.canvas.toDataURL().split(',')[1] };
  }, { images, block: BLOCK, most: COLOUR_MAX });
}

const referenceOf = (name) => path.join(REFERENCE, `${name}.png`);

for (const [name, look] of Object.entries(LOOKS)) {
  test(`${name} looks as it did`, async (t) => {
    const seen = await picture(look);
    if (process.env.LOOKS_BLESS) {
      await mkdir(REFERENCE, { recursive: true });
      await writeFile(referenceOf(name), seen);
      return;
    }
    const { blocks, why, marked } = await compare(await readFile(referenceOf(name)), seen);
    t.diagnostic(`${blocks.toFixed(2)} % of the blocks differ`);
    if (blocks <= BLOCKS_MAX) return;
    const folder = await mkdtemp(path.join(tmpdir(), 'looks-'));
    await writeFile(path.join(folder, `${name}.png`), seen);
    if (marked) await writeFile(path.join(folder, `${name}-difference.png`), Buffer.from(marked, 'base64'));
    assert.fail(`${name} has changed: ${why ?? `${blocks.toFixed(1)} % of it`}. See ${folder}; if it is meant, LOOKS_BLESS=1.`);
  });
}

test('letters that are smoothed in another way are no difference, a broken page is', async (t) => {
  const reference = async (name) => compare(await readFile(referenceOf(name)), await picture(LOOKS[name], changes));
  let changes;
  // Twice as many pixels, and made smaller afterwards: another rasterizer's letters.
  for (const name of ['home', 'post', 'exercise-dark']) {
    changes = { scale: 2 * SCALE };
    const { blocks } = await reference(name);
    t.diagnostic(`${name}, drawn larger: ${blocks.toFixed(2)} %`);
    assert.ok(blocks <= BLOCKS_MAX, `${name}: ${blocks} % of the blocks`);
  }
  const broken = {
    'without its style sheet': (page) => page.evaluate(() => document.querySelector('link[href$="style.css"]').remove()),
    'a part is missing': (page) => page.evaluate(() => document.querySelector('.resume').remove()),
    'a part has moved': (page) => page.evaluate(() => document.querySelector('.lead').style.setProperty('margin-top', '24px')),
    'in the other theme': (page) => page.emulateMedia({ colorScheme: 'dark' }),
  };
  for (const [how, change] of Object.entries(broken)) {
    changes = { change };
    const { blocks } = await reference('home');
    t.diagnostic(`${how}: ${blocks.toFixed(2)} %`);
    assert.ok(blocks > 2 * BLOCKS_MAX, `${how} is not seen: ${blocks} % of the blocks`);
  }
});
