// The live stream: results and requests as they come, and pages that changed.
import { light } from './diagram.js';
import { loadAnew, restore } from './place.js';

const body = document.body;
const notice = document.querySelector('[data-notice]');

function say(text) {
  if (!notice) return;
  notice.textContent = text;
  notice.hidden = text === '';
}

// Several events come at once; one request for the page's parts is enough for all of them.
function gather(action) {
  let planned = false;
  let busy = false;
  let again = false;
  const run = async () => {
    planned = false;
    busy = true;
    again = false;
    try {
      await action();
    } finally {
      busy = false;
      if (again) plan();
    }
  };
  const plan = () => {
    if (busy) { again = true; return; }
    if (planned) return;
    planned = true;
    setTimeout(run, 60);
  };
  return plan;
}

async function get(address) {
  const response = await fetch(address, { cache: 'no-cache' });
  if (!response.ok) throw new Error(`${address} answered ${response.status}`);
  return response;
}

// Replaces each part of the page by its new form, and leaves open what was open.
function replace(html) {
  const fresh = new DOMParser().parseFromString(html, 'text/html');
  for (const part of fresh.querySelectorAll('[data-part]')) {
    const old = document.querySelector(`[data-part="${part.dataset.part}"]`);
    if (!old || old.isEqualNode(part)) continue;
    const open = new Set([...old.querySelectorAll('details[open]')].map(place));
    const focused = old.contains(document.activeElement);
    const link = focused ? document.activeElement.getAttribute('href') : null;
    for (const details of part.querySelectorAll('details')) {
      if (open.has(place(details))) details.open = true;
    }
    old.replaceWith(part);
    if (part.dataset.part === 'findings') document.dispatchEvent(new Event('findings'));
    if (!focused) continue;
    const same = link && part.querySelector(`a[href="${CSS.escape(link)}"]`);
    (same ?? document.getElementById(part.getAttribute('aria-labelledby')))?.focus();
  }
}

function place(details) {
  if (details.dataset.key) return details.dataset.key;
  return details.closest('li, tr')?.querySelector('.vh, td')?.nextSibling?.textContent?.trim() ?? '';
}

function announce() {
  const spoken = document.querySelector('[data-spoken]');
  const summary = document.querySelector('[data-summary]');
  if (spoken && summary && spoken.textContent !== summary.textContent) {
    spoken.textContent = summary.textContent;
  }
}

function litNow() {
  const part = document.querySelector('[data-lit]');
  if (part) light(JSON.parse(part.dataset.lit));
}

function button(running) {
  const run = document.querySelector('[data-run] button');
  const label = run?.querySelector('[data-run-label]');
  if (!run || !label) return;
  run.disabled = running;
  label.textContent = running ? 'Running checks' : 'Run checks';
}

function exercisePage() {
  const parts = document.querySelector('[data-parts]');
  if (!parts) return null;
  litNow();
  return gather(async () => {
    replace(await (await get(parts.dataset.parts)).text());
    litNow();
    const checks = document.querySelector('[data-part="checks"]');
    button(checks?.hasAttribute('data-running') ?? false);
    if (!checks?.hasAttribute('data-running')) announce();
    document.dispatchEvent(new Event('parts'));
  });
}

// Shows crates as they are compiled, without asking the server for each.
function building({ done, total }) {
  const bar = document.querySelector('[data-build]');
  const summary = document.querySelector('[data-summary]');
  if (bar) {
    bar.className = 'build';
    bar.max = total;
    bar.value = done;
    bar.textContent = `${done} of ${total}`;
    bar.setAttribute('aria-label', 'Crates compiled');
  }
  if (summary) summary.textContent = `Compiling ${done} of ${total}`;
  button(true);
}

function diagramPage() {
  const page = document.querySelector('[data-lit-from]');
  if (!page) return null;
  const refresh = gather(async () => light(await (await get(page.dataset.litFrom)).json()));
  refresh();
  return refresh;
}

function refetchedPage() {
  if (!document.querySelector('[data-refetch]')) return null;
  litNow();
  return gather(async () => {
    replace(await (await get(location.href)).text());
    litNow();
  });
}

// What is wrong with the course's files, which authors see on every page.
function findings() {
  if (!document.querySelector('[data-part="findings"]')) return null;
  return gather(async () => {
    // The answer for an address that is gone has them too.
    const answer = await fetch(location.href, { cache: 'no-cache' });
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const [old, part] = [document, fresh].map((page) => page.querySelector('[data-part="findings"]'));
    if (!old || !part) return;
    old.replaceWith(part);
    document.dispatchEvent(new Event('findings'));
  });
}

export function live() {
  restore();
  // Without the token's cookie the stream is refused; the page says how to get it.
  if (body.dataset.live === undefined) return;
  const mine = body.dataset.exercise;
  const exercise = exercisePage();
  const any = [diagramPage(), refetchedPage()].filter(Boolean);
  const wrong = findings();
  if (document.querySelector('[data-part="requests"]')) import('./trace.js');

  const from = new URLSearchParams({ after: body.dataset.live, ...(mine && { exercise: mine }) });
  const source = new EventSource(`/events?${from}`);
  let lost = false;
  source.onopen = () => {
    if (lost) { exercise?.(); for (const refresh of any) refresh(); }
    lost = false;
    say('');
  };
  source.onerror = () => {
    lost = true;
    say(source.readyState === EventSource.CLOSED
      ? 'The workshop was started anew. Open the link that it printed in its terminal.'
      : 'Reconnecting. What you see is the last result.');
  };
  const listen = (name, action) => {
    source.addEventListener(name, (event) => action(JSON.parse(event.data)));
  };
  for (const name of ['file']) {
    listen(name, (event) => document.dispatchEvent(new CustomEvent('live', { detail: { name, event } })));
  }
  for (const name of ['started', 'bedrock', 'note', 'test', 'finished', 'stopped']) {
    listen(name, (event) => { if (event.exercise === mine) exercise?.(); });
  }
  listen('building', (event) => { if (event.exercise === mine) building(event); });
  listen('request', (event) => {
    // Requests sent to the emulator by hand belong to whatever page is open.
    if (event.exercise === mine || event.exercise === '') exercise?.();
    for (const refresh of any) refresh();
  });
  listen('reload', ({ paths }) => {
    // `*`: every page looks different now.
    if (paths.includes('*') || paths.includes(decodeURIComponent(location.pathname))) loadAnew();
    else wrong?.();
  });
  listen('reset', loadAnew);
  addEventListener('pagehide', () => source.close());
  // A page that comes back from the browser's memory has lost its stream.
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
}
