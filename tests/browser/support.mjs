// A workshop on free ports over a copy of the course, and Chromium to look at it.
import { spawn } from 'node:child_process';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const root = path.resolve(import.meta.dirname, '../..');
const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

const FLAGS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];

function binary() {
  const given = process.env.WORKSHOP_BIN;
  if (!given) throw new Error('WORKSHOP_BIN must name the workshop program, e.g. target/debug/workshop');
  return path.resolve(given);
}

/** The first line of the program's output, or its error. */
function firstLine(program) {
  return new Promise((resolve, reject) => {
    let errors = '';
    program.stderr.on('data', (data) => { errors += data; });
    program.on('exit', (code) => reject(new Error(`workshop ended with ${code}: ${errors}`)));
    createInterface({ input: program.stdout }).once('line', resolve);
  });
}

/** Starts the workshop over a copy of the repository's course, which is also its workspace. */
export async function startWorkshop(...more) {
  const folder = await copyOfTheCourse();
  const stop = () => rm(folder, { recursive: true, force: true });
  return serve(folder, ['--course', folder, ...more], stop);
}

/** Starts it in this checkout, where exercises compile; whoever writes a file puts it back. */
export function startHere() {
  return serve(root, [], () => {});
}

async function copyOfTheCourse() {
  const folder = await mkdtemp(path.join(tmpdir(), 'workshop-'));
  for (const part of ['content', 'diagrams', 'exercises']) {
    await cp(path.join(root, part), path.join(folder, part), { recursive: true });
  }
  await writeFile(path.join(folder, 'Cargo.toml'), '[workspace]\n');
  return folder;
}

async function serve(folder, more, cleanUp) {
  const args = ['serve', '--addr', '127.0.0.1:0', '--emulator-addr', '127.0.0.1:0', '--json', ...more];
  const program = spawn(binary(), args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const { site, login, emulator } = JSON.parse(await firstLine(program));
  return {
    folder,
    /** With the token in it. */
    login,
    origin: site,
    emulator,
    /** Appends lines to the event log, as a check or a test does. */
    async log(...events) {
      await mkdir(path.join(folder, '.workshop'), { recursive: true });
      const lines = events.map((event) => `${JSON.stringify(event)}\n`).join('');
      await appendFile(path.join(folder, '.workshop/live.jsonl'), lines);
    },
    async stop() {
      const ended = new Promise((resolve) => { program.once('exit', resolve); });
      program.kill('SIGTERM');
      await ended;
      await cleanUp();
    },
  };
}

export function startBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
}

/**
 * A page that writes down what it must not do: ask another host, break the content security
 * policy, throw, or complain on the console.
 */
export async function openPage(browser, workshop, { width = 1440, height = 900, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, ...options });
  const page = await context.newPage();
  const sins = [];
  page.on('request', (request) => {
    const url = new URL(request.url());
    const local = url.protocol === 'data:' || url.origin === workshop.origin;
    if (!local) sins.push(`asked ${request.url()}`);
  });
  page.on('pageerror', (error) => sins.push(`threw ${error.message}`));
  page.on('console', (message) => {
    // A page that is not there is what some tests ask for.
    const expected = message.text().includes('status of 404');
    if (message.type() === 'error' && !expected) sins.push(`console: ${message.text()}`);
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (event) => {
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
    });
  });
  return { context, page, sins };
}

/**
 * Waits until that is so in the page, also across its being loaded anew. (Playwright's own
 * `waitForFunction` needs `eval`, which the pages' policy forbids.)
 */
export async function until(page, condition, argument, patience = 20_000) {
  const end = Date.now() + patience;
  for (;;) {
    const met = await page.evaluate(condition, argument).catch((error) => {
      if (page.isClosed() || Date.now() > end) throw error;
      return false;
    });
    if (met) return;
    if (Date.now() > end) throw new Error(`not so after ${patience} ms: ${condition}`);
    await new Promise((resolve) => { setTimeout(resolve, 40); });
  }
}

/** What axe finds, as `rule: element` lines; run through the protocol, so the policy stays on. */
export async function axe(page) {
  const session = await page.context().newCDPSession(page);
  const run = `(async () => {
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    const { violations } = await axe.run(document, { runOnly: tags });
    return violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.html.slice(0, 200) + ' ' + (n.any[0]?.message ?? '')));
  })()`;
  const evaluate = (expression) => session.send('Runtime.evaluate', {
    expression, awaitPromise: true, returnByValue: true,
  });
  await evaluate(`${axeSource}\n;0`);
  const { result, exceptionDetails } = await evaluate(run);
  await session.detach();
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result.value;
}
