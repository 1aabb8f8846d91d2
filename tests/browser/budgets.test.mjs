// What a page costs a browser that has nothing of it yet: its bodies as they are sent, right after the start.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, startBrowser, startWorkshop } from './support.mjs';

// The fonts are 73 KB, come once for all pages, and a page can be read before they are there.
const READING = 60 * 1024;
const PAGES = {
  home: '/',
  posts: '/posts',
  post: '/posts/bedrock-integration-patterns',
  'another post': '/posts/at-least-once',
  diagram: '/diagrams/bedrock-architecture',
  'course map': '/diagrams/course-map',
  exercises: '/exercises',
};

let workshop;
let browser;
before(async () => { [workshop, browser] = await Promise.all([startWorkshop(), startBrowser()]); });
after(async () => { await browser?.close(); await workshop?.stop(); });

/** Bytes of the body of every answer that the page asks for, by its address. */
async function weigh(address) {
  const { context, page } = await openPage(browser, workshop);
  const session = await context.newCDPSession(page);
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  const answers = new Map();
  const bytes = new Map();
  session.on('Network.responseReceived', ({ requestId, response }) => { answers.set(requestId, response); });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    // Until then, what had arrived were the headers.
    const { url, encodedDataLength: headers } = answers.get(requestId);
    bytes.set(new URL(url).pathname, encodedDataLength - headers);
  });
  await page.goto(workshop.origin + address, { waitUntil: 'networkidle' });
  await page.evaluate(() => document.fonts.ready);
  await context.close();
  return bytes;
}

// The first test asks first: nothing has been compressed for anybody before.
for (const [name, address] of Object.entries(PAGES)) {
  test(`${name} takes at most 60 KB, without the fonts`, async (t) => {
    const all = [...await weigh(address)];
    const sum = (parts) => parts.reduce((total, [, bytes]) => total + bytes, 0);
    assert.ok(all.length > 5, 'the page asks for its parts');
    const text = sum(all.filter(([path]) => !path.endsWith('.woff2')));
    t.diagnostic(`${name}: ${text} bytes, ${sum(all)} with the fonts`);
    assert.ok(text <= READING, `${text} bytes: ${all.map((part) => part.join(' ')).join(', ')}`);
  });
}
