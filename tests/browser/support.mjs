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
export function startWorkshop(...more) {
  return startCopy(root, more);
}

/** The same with the small course of the server's own tests, which changes with nobody's text. */
export function startFixture() {
  return startCopy(path.join(root, 'crates/workshop-server/tests/fixture'), []);
}

async function startCopy(from, more) {
  const folder = await copyOfTheCourse(from);
  const stop = () => rm(folder, { recursive: true, force: true });
  return serve(folder, ['--course', folder, ...more], stop);
}

/**
 * The same, with one more exercise, 091: a crate without dependencies, which cargo builds in a moment.
 * `env` is set for the workshop; `null` takes a variable away.
 */
export async function startWithTinyExercise({ env = {}, args = [] } = {}) {
  const folder = await copyOfTheCourse();
  await cp(path.join(root, 'exercises/001-first-converse-call'), path.join(folder, TINY), { recursive: true });
  await rm(path.join(folder, TINY, 'wrong'), { recursive: true });
  await mkdir(path.join(folder, TINY, 'wrong'));
  for (const [name, text] of Object.entries(TINY_FILES)) await writeFile(path.join(folder, TINY, name), text);
  await writeFile(path.join(folder, 'Cargo.toml'), `[workspace]\nresolver = "3"\nmembers = ["${TINY}"]\n`);
  const stop = () => rm(folder, { recursive: true, force: true });
  const own = { CARGO_TARGET_DIR: path.join(folder, 'target'), ...env };
  const workshop = await serve(folder, ['--course', folder, ...args], stop, own);
  return { ...workshop, tiny: '/exercises/091-tiny', file: path.join(folder, TINY, 'src/lib.rs') };
}

const TINY = 'exercises/091-tiny';
const TINY_FILES = {
  'Cargo.toml': '[package]\nname = "ex091"\nversion = "0.1.0"\nedition = "2024"\n\n[lib]\ndoctest = false\ntest = false\n\n[features]\nlive = []\n\n[[test]]\nname = "bedrock"\nrequired-features = ["live"]\n',
  'exercise.toml': 'id = "091"\ntitle = "Tiny"\ntrack = "a"\nminutes = 1\nlevel = 1\ncore = false\nrequires = []\n'
    + 'goal = "Return two."\ndiagram = "bedrock-architecture"\nnodes = ["CC"]\nreal = { max_calls = 2, max_tokens = 100 }\n',
  'wrong/three.rs': '//! dies in: it_is_two\npub fn two() -> u8 {\n    3\n}\n',
  'README.md': '# 091 · Tiny\n\nReturn two.\n',
  'src/lib.rs': 'pub fn two() -> u8 {\n    todo!("091/1: return two")\n}\n',
  'starter/lib.rs': 'pub fn two() -> u8 {\n    todo!("091/1: return two")\n}\n',
  'tests/check.rs': '#[test]\nfn it_is_two() {\n    assert_eq!(ex091::two(), 2);\n}\n\n#[test]\nfn the_neighbour() {}\n',
  'tests/bedrock.rs': '#[test]\nfn real_bedrock_answers() {\n    let set = |name| std::env::var(name).unwrap_or_default();\n    assert_eq!((set("WORKSHOP_MAX_CALLS"), set("WORKSHOP_MAX_TOKENS")), ("2".to_owned(), "100".to_owned()));\n    assert_eq!(set("AWS_REGION"), "eu-central-1");\n}\n',
};

/** Starts it in this checkout, where exercises compile; whoever writes a file puts it back. */
export function startHere() {
  return serve(root, [], () => {});
}

async function copyOfTheCourse(from = root) {
  const folder = await mkdtemp(path.join(tmpdir(), 'workshop-'));
  for (const part of ['content', 'diagrams', 'exercises']) {
    await cp(path.join(from, part), path.join(folder, part), { recursive: true });
  }
  await writeFile(path.join(folder, 'Cargo.toml'), '[workspace]\n');
  return folder;
}

async function serve(folder, more, cleanUp, env = {}) {
  const at = more.includes('--addr') ? [] : ['--addr', '127.0.0.1:0'];
  const args = ['serve', ...at, '--emulator-addr', '127.0.0.1:0', '--json', ...more];
  const variables = Object.entries({ ...process.env, ...env }).filter(([, value]) => value !== null);
  const program = spawn(binary(), args, {
    cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env: Object.fromEntries(variables),
  });
  const { site, login, emulator } = JSON.parse(await firstLine(program));
  return {
    folder,
    pid: program.pid,
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
  const audit = await auditor(page);
  try {
    return await audit();
  } finally {
    await audit.end();
  }
}

/** The same for whoever asks more than once: all rules, or those of that name. */
export async function auditor(page) {
  const session = await page.context().newCDPSession(page);
  const evaluate = async (expression) => {
    const { result, exceptionDetails } = await session.send('Runtime.evaluate', {
      expression, awaitPromise: true, returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
  const audit = async (rules = []) => {
    if (!await evaluate('Boolean(globalThis.axe)')) await evaluate(`${axeSource}\n;0`);
    const options = { runOnly: rules.length > 0 ? rules : tags, resultTypes: ['violations'] };
    return evaluate(`(async () => {
      const { violations } = await axe.run(document, ${JSON.stringify(options)});
      return violations.flatMap((v) => v.nodes.map((n) => v.id + ': ' + n.html.slice(0, 200) + ' ' + (n.any[0]?.message ?? '')));
    })()`);
  };
  audit.end = () => session.detach();
  return audit;
}
