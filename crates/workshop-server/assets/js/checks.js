// The button, and what leads from a result to its line.
import { goto, mark, save } from './desk.js';

const notice = document.querySelector('[data-notice]');
const holder = document.querySelector('[data-run]');

function say(text) {
  if (!notice) return;
  notice.textContent = text;
  notice.hidden = text === '';
}

async function post(address) {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  }).catch(() => null);
  if (response?.ok) { say(''); return true; }
  const answer = await response?.json().catch(() => null);
  say(answer?.message ?? 'The workshop does not answer. Is it still running?');
  return false;
}

function busy(running) {
  const button = holder?.querySelector('button');
  if (button) button.disabled = running;
}

async function run() {
  if (!holder || holder.querySelector('button').disabled) return;
  busy(true);
  const started = await save() && await post(holder.dataset.run);
  if (!started) busy(document.querySelector('[data-part="checks"]')?.hasAttribute('data-running') ?? false);
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
}

export function checks() {
  document.getElementById('results')?.addEventListener('click', (event) => {
    const place = event.target.closest('[data-goto]');
    if (!place) return;
    event.preventDefault();
    const [line, column] = place.dataset.goto.split(':').map(Number);
    goto(line, column);
  });
  return { run, shown };
}
