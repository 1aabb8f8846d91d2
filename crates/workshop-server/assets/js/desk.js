// What is on the desk: the student's file in the editor, and the same file on the disk. Typing is
// saved after a pause and before a run; a change on the disk shows here; where both changed, the
// student chooses, and nothing is lost.

const PAUSE_MS = 900;
const form = document.querySelector('[data-editor]');
const api = form?.dataset.editor;
const name = form?.dataset.name;
const textarea = form?.querySelector('textarea');
const stateLine = form?.querySelector('[data-state]');
const trouble = document.querySelector('[data-trouble]');
const unsavedTag = document.querySelector('[data-unsaved]');
const clash = form?.querySelector('[data-clash]');
const different = form?.querySelector('[data-difference]');

let editor = null;
// What the disk holds as far as we know; the version is '' when there is no file.
let disk = { text: '', version: '' };
let ends = '\n';
let conflict = null;
let saving = null;
let timer;

const unix = (text) => text.replaceAll('\r\n', '\n');
const current = () => (ends === '\n' ? editor.text() : editor.text().replaceAll('\n', ends));
const dirty = () => editor !== null && unix(disk.text) !== editor.text();

function state(text) {
  if (stateLine && stateLine.textContent !== text) stateLine.textContent = text;
}

function complain(text) {
  if (!trouble) return;
  trouble.textContent = text;
  trouble.hidden = text === '';
}

function show() {
  unsavedTag.hidden = !dirty();
  clash.hidden = conflict === null;
}

async function ask(method, path, body, headers = {}) {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: 'no-store',
  }).catch(() => null);
  if (response === null) return { status: 0, message: 'The workshop does not answer. Is it still running? Your text is kept in this page.' };
  const answer = await response.json().catch(() => ({}));
  return { ...answer, status: response.status };
}

const precondition = (version) => (version === '' ? { 'if-none-match': '*' } : { 'if-match': `"${version}"` });

function learn(text, version) {
  disk = { text, version };
  ends = text.includes('\r\n') ? '\r\n' : '\n';
}

async function put(text, version, keepCopy) {
  state('Saving');
  const answer = await ask('PUT', '/file', { text, keep_copy: keepCopy }, precondition(version));
  if (answer.status === 200) {
    learn(text, answer.version);
    complain('');
    state('Saved');
    return true;
  }
  if (answer.status === 412) {
    const found = answer.text ?? '';
    if (unix(found) === editor.text()) {
      learn(found, answer.version ?? '');
      state('Saved');
      return true;
    }
    meet({ text: found, version: answer.version ?? '' });
    return false;
  }
  state('Not saved');
  complain(answer.message ?? `The file could not be saved (${answer.status}).`);
  return false;
}

/** Saves what is not saved; the answer is whether the disk holds what the editor shows. */
export async function save() {
  clearTimeout(timer);
  if (saving) await saving;
  if (editor === null) return true;
  if (conflict) return false;
  if (!dirty()) return true;
  saving = put(current(), disk.version, false);
  const saved = await saving.finally(() => { saving = null; });
  show();
  return saved;
}

function changed() {
  show();
  if (conflict) return;
  state(dirty() ? '' : 'Saved');
  clearTimeout(timer);
  timer = setTimeout(save, PAUSE_MS);
}

// Both changed.
function meet(found) {
  conflict = found;
  different.hidden = true;
  clash.querySelector('[data-see]').setAttribute('aria-expanded', 'false');
  state('Not saved: choose above');
  show();
  clash.querySelector('h3').focus();
}

/** The event stream says that the disk holds that version now. */
export async function onDisk(version) {
  if (saving) await saving;
  if (editor === null) {
    // A file that could not be shown can be now. Otherwise the editor is on its way, and asks itself.
    if (textarea.disabled && version !== null) location.reload();
    return;
  }
  if (version === disk.version) return;
  if (version === null) {
    const answer = await ask('GET', '/file');
    if (answer.status === 200) return onDisk(answer.version);
    if (answer.status === 404) disk = { text: '', version: '' };
    complain(answer.message ?? '');
    show();
    return;
  }
  const answer = await ask('GET', '/file');
  if (answer.status !== 200) { complain(answer.message ?? ''); return; }
  if (saving || answer.version === disk.version) return;
  complain('');
  if (dirty() && unix(answer.text) !== editor.text()) {
    meet({ text: answer.text, version: answer.version });
    return;
  }
  const news = unix(answer.text) !== editor.text();
  learn(answer.text, answer.version);
  editor.replace(unix(answer.text));
  if (news) state('Changed on the disk: read anew');
  show();
}

async function keepMine() {
  const found = conflict;
  conflict = null;
  saving = put(current(), found.version, true);
  await saving.finally(() => { saving = null; });
  show();
  editor.focus();
}

async function takeTheirs() {
  const found = conflict;
  const kept = await ask('POST', '/file/copy', { text: current() });
  if (kept.status !== 200) { complain(kept.message ?? 'Your text could not be copied, so nothing was changed.'); return; }
  conflict = null;
  learn(found.text, found.version);
  editor.replace(unix(found.text));
  state(`The file’s text. Yours is in ${kept.path}`);
  show();
  editor.focus();
}

async function see(button) {
  const open = button.getAttribute('aria-expanded') !== 'true';
  button.setAttribute('aria-expanded', String(open));
  different.hidden = !open;
  if (!open) return;
  const response = await fetch(`${api}/file/difference`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ text: current() }),
  }).catch(() => null);
  if (!response?.ok) { different.textContent = 'The difference cannot be shown now.'; return; }
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  different.replaceChildren(...fresh.body.childNodes);
}

async function reset() {
  if (!confirm(`Put the starter back? Your ${name} is copied to .workshop/backups first, and undo brings it back too.`)) return;
  if (!await save() && conflict) return;
  const answer = await ask('POST', '/reset', {});
  if (answer.status !== 200) { complain(answer.message ?? 'The starter could not be put back.'); return; }
  complain('');
  learn(answer.text, answer.version);
  if (editor === null) { location.reload(); return; }
  editor.replace(unix(answer.text));
  state(answer.backup ? `The starter. Yours is in ${answer.backup}` : 'This is the starter already');
  show();
  editor.focus();
}

async function format() {
  const before = editor.text();
  state('Formatting');
  const answer = await ask('POST', '/format', { text: before });
  if (answer.status !== 200) {
    state('Not formatted');
    complain(answer.message ?? 'The text could not be formatted.');
    return;
  }
  complain('');
  // Whoever typed meanwhile goes first.
  if (editor.text() !== before) { state('You typed meanwhile; not formatted'); return; }
  editor.replace(answer.text);
  if (await save()) state(answer.text === before ? 'Formatted already' : 'Formatted and saved');
}

export const focusEditor = () => editor?.focus();
export const goto = (line, column) => editor?.goto(line, column);
export const mark = (problems) => editor?.mark(problems);

/** Puts the editor in the textarea's place; `run` is what Ctrl+Enter does. */
export async function open(run) {
  const button = (which) => form.querySelector(`[data-${which}]`);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const act = event.submitter?.value ?? 'check';
    if (act === 'reset') reset();
    else if (act === 'format') format();
    else run();
  });
  button('keep').addEventListener('click', keepMine);
  button('take').addEventListener('click', takeTheirs);
  button('see').addEventListener('click', (event) => see(event.currentTarget));
  if (textarea.disabled) return;
  const { mount } = await import('./editor.js');
  learn(textarea.value, form.dataset.version);
  const host = document.createElement('div');
  host.className = 'editor';
  host.id = 'editor';
  textarea.before(host);
  editor = mount({
    textarea,
    host,
    label: `Your code, ${name}. Escape leaves the editor.`,
    onChange: changed,
    onRun: run,
    onLeave: () => form.querySelector('[data-acts]').focus(),
  });
  form.classList.add('mounted');
  // The textarea's ends of lines are always LF; what the disk really has comes with the file.
  const answer = await ask('GET', '/file');
  if (answer.status === 200 && !dirty()) {
    learn(answer.text, answer.version);
    editor.replace(unix(answer.text));
  }
  addEventListener('beforeunload', (event) => { if (dirty()) event.preventDefault(); });
  addEventListener('visibilitychange', () => { if (document.hidden) save(); });
  show();
}
