// The checks: run, stop, check on save, the clock, and what leads from a result to its line.
import { goto, mark, save } from './desk.js';

const notice = document.querySelector('[data-notice]');
const holder = document.querySelector('[data-run]');
let started = false;
let clock;

const part = () => document.querySelector('[data-part="checks"]');
const running = () => part()?.hasAttribute('data-running') ?? false;

function say(text) {
  if (!notice) return;
  notice.textContent = text;
  notice.hidden = text === '';
}

async function post(address, body = {}) {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => null);
  if (response?.ok) { say(''); return true; }
  const answer = await response?.json().catch(() => null);
  say(answer?.message ?? 'The workshop does not answer. Is it still running?');
  return false;
}

function busy(yes) {
  const button = holder?.querySelector('button');
  if (button) button.disabled = yes;
}

async function run() {
  if (!holder || holder.querySelector('button').disabled) return;
  busy(true);
  started = await save() && await post(holder.dataset.run, { target: holder.dataset.target });
  if (!started) busy(running());
}

// Counts on from when the run began; a first compile takes minutes, and a number that moves says
// that it goes on.
function tick() {
  clearTimeout(clock);
  const place = part()?.querySelector('[data-clock]');
  const since = Number(part()?.dataset.started);
  if (!place || !since) return;
  const seconds = Math.max(0, Math.round((Date.now() - since) / 1000));
  place.textContent = seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  clock = setTimeout(tick, 1000);
}

// What results say about lines of the file, as marks in the editor.
function shown() {
  const problems = [...document.querySelectorAll('[data-part="checks"] [data-line][data-level]')];
  mark(problems.map(({ dataset }) => ({
    level: dataset.level,
    line: Number(dataset.line),
    column: Number(dataset.column ?? 1),
    endLine: dataset.endLine && Number(dataset.endLine),
    endColumn: dataset.endColumn && Number(dataset.endColumn),
    text: dataset.text,
  })));
  tick();
  if (!started || running()) return;
  started = false;
  // Whoever pressed the button and is done goes on from here.
  if (part()?.hasAttribute('data-solved')) {
    const next = document.querySelector('[data-next]');
    next?.focus({ preventScroll: true });
    next?.closest('section').scrollIntoView({ block: 'start' });
  }
}

function click(event) {
  const place = event.target.closest('[data-goto]');
  if (place) {
    event.preventDefault();
    const [line, column] = place.dataset.goto.split(':').map(Number);
    goto(line, column);
  }
}

function hints() {
  const section = document.querySelector('[data-hints]');
  for (const hint of section?.querySelectorAll('[data-hint]') ?? []) {
    hint.addEventListener('toggle', () => {
      if (!hint.open || hint.classList.contains('seen')) return;
      hint.classList.add('seen');
      if (holder) post(section.dataset.hints, { step: Number(hint.dataset.hint) });
    });
  }
}

export function checks() {
  const results = document.getElementById('results');
  results?.addEventListener('click', click);
  results?.addEventListener('submit', (event) => {
    const stop = event.target.closest('[data-stop]');
    if (!stop) return;
    event.preventDefault();
    post(stop.dataset.stop);
  });
  const onSave = document.querySelector('[data-watch]');
  onSave?.addEventListener('change', async () => {
    const on = onSave.checked;
    if (on) await save();
    if (!await post(onSave.dataset.watch, { on })) onSave.checked = !on;
  });
  hints();
  tick();
  return { run, shown };
}
