// A page of somebody else, in the same browser in which the owner is signed in.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { startWorkshop } from './support.mjs';

let workshop;
let browser;
let foreign;
let server;
before(async () => {
  workshop = await startWorkshop();
  server = createServer((_, answer) => {
    answer.setHeader('content-type', 'text/html');
    answer.end('<!doctype html><title>Elsewhere</title><iframe name="sink"></iframe>');
  });
  await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
  foreign = `http://evil.test:${server.address().port}`;
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    // Names of others that lead to this machine: what DNS rebinding does.
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP *.test 127.0.0.1'],
  });
});
after(async () => {
  await browser?.close();
  server?.close();
  await workshop?.stop();
});

const FILE = 'exercises/001-first-converse-call/src/lib.rs';

async function signedIn() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(workshop.login);
  return { context, page };
}

test('a page of another site reads nothing and triggers nothing', async () => {
  const { context, page } = await signedIn();
  const before = await readFile(path.join(workshop.folder, FILE), 'utf8');
  await page.goto(foreign);
  const told = await page.evaluate(async (origin) => {
    const outcome = async (what) => {
      try {
        const answer = await what();
        return answer.type === 'opaque' ? 'opaque' : `read ${answer.status}`;
      } catch { return 'refused'; }
    };
    const loaded = (name, attribute, url) => new Promise((done) => {
      const element = document.createElement(name);
      element[attribute] = url;
      element.addEventListener('load', () => done('loaded'));
      element.addEventListener('error', () => done('refused'));
      document.body.append(element);
    });
    const json = { 'content-type': 'application/json' };
    const check = `${origin}/api/exercises/001/check`;
    const events = new Promise((done) => {
      const source = new EventSource(`${origin}/events`, { withCredentials: true });
      source.addEventListener('open', () => done('opened'));
      source.addEventListener('error', () => { source.close(); done('refused'); });
    });
    return {
      read: await outcome(() => fetch(`${origin}/`, { credentials: 'include' })),
      blind: await outcome(() => fetch(`${origin}/`, { credentials: 'include', mode: 'no-cors' })),
      file: await outcome(() => fetch(`${origin}/api/exercises/001/file`, { credentials: 'include' })),
      write: await outcome(() => fetch(`${origin}/api/exercises/001/file`, {
        method: 'PUT', credentials: 'include', headers: json, body: '{"text":"stolen"}',
      })),
      run: await outcome(() => fetch(check, { method: 'POST', credentials: 'include', headers: json, body: '{}' })),
      simple: await outcome(() => fetch(check, { method: 'POST', credentials: 'include', mode: 'no-cors', body: '{}' })),
      script: await loaded('script', 'src', `${origin}/search.json`),
      image: await loaded('img', 'src', `${origin}/assets/x/icon.svg`),
      events: await events,
    };
  }, workshop.origin);
  for (const [what, came] of Object.entries(told)) {
    // `no-cors` gives a body nobody can read; that nothing was done is looked at below.
    const allowed = ['blind', 'simple'].includes(what) ? ['refused', 'opaque'] : ['refused'];
    assert.ok(allowed.includes(came), `${what}: ${came}`);
  }
  // A form is a navigation: it needs no script and no permission to be sent.
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url().includes('/check')),
    page.evaluate((origin) => {
      const form = document.createElement('form');
      form.method = 'post';
      form.target = 'sink';
      form.action = `${origin}/exercises/001-first-converse-call/check`;
      document.body.append(form);
      form.submit();
    }, workshop.origin),
  ]);
  assert.equal(answer.status(), 403);
  assert.equal(await readFile(path.join(workshop.folder, FILE), 'utf8'), before, 'the file is as it was');
  await page.goto(`${workshop.origin}/exercises/001-first-converse-call`);
  assert.equal(await page.getByText('Running checks').count(), 0, 'nothing runs');
  await context.close();
});

test('a foreign name that leads to this machine is no way in', async () => {
  const { context, page } = await signedIn();
  const { port } = new URL(workshop.origin);
  const answer = await page.goto(`http://evil.test:${port}/`);
  assert.equal(answer.status(), 421);
  const inside = await page.evaluate(async () => {
    const paths = ['/', '/api/exercises/001/file', '/events', '/search.json'];
    return Promise.all(paths.map(async (at) => (await fetch(at)).status));
  });
  assert.deepEqual(inside, [421, 421, 421, 421]);
  await context.close();
});

test('no page lets itself be shown inside another', async () => {
  const { context, page } = await signedIn();
  await page.goto(foreign);
  await page.evaluate((origin) => { document.querySelector('iframe').src = `${origin}/exercises`; }, workshop.origin);
  await page.waitForTimeout(0);
  const frame = page.frame({ name: 'sink' });
  await frame.waitForLoadState('load').catch(() => {});
  const text = await frame.locator('body').innerText().catch(() => '');
  assert.doesNotMatch(text, /Preflight/);
  await context.close();
});
