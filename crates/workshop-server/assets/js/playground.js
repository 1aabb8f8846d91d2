// The playground: sends the form, and shows each piece of the answer as it arrives.
import { light } from './diagram.js';
import { colour } from './code.js';

const form = document.querySelector('[data-play]');
const outcome = document.querySelector('[data-outcome]');
const send = form.querySelector('[data-send]');
const stop = form.querySelector('[data-stop]');
let running;

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const took = (ms) => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

function block(label, text, language) {
  const pre = make('pre', language ? '' : 'wrap');
  pre.tabIndex = 0;
  pre.setAttribute('role', 'group');
  pre.setAttribute('aria-label', label);
  pre.append(make('code', language && `language-${language}`, text));
  return pre;
}

function fold(summary, content, open) {
  const details = make('details');
  details.open = open;
  details.append(make('summary', '', summary), content);
  return details;
}

// What one message of a stream adds to the text, in the forms of Converse, Claude and Titan.
function delta(payload) {
  return payload?.delta?.text ?? payload?.outputText ?? payload?.delta?.partial_json ?? payload?.delta?.toolUse?.input ?? '';
}

function stage() {
  const heading = make('h2');
  const state = make('span', 'state');
  heading.id = 'outcome-title';
  heading.append(state);
  const tag = make('span', 'tag now', 'sending');
  const title = make('span', '', 'Waiting for the first byte');
  state.setAttribute('role', 'status');
  state.append(tag, ' ', title);
  const why = make('p', 'why');
  why.hidden = true;
  const said = make('p', 'said card');
  const body = make('div');
  const links = make('p');
  const arrivals = make('ol', 'arrivals');
  arrivals.tabIndex = 0;
  arrivals.setAttribute('aria-label', 'Messages as they arrived');
  const messages = fold('Messages', arrivals, true);
  messages.hidden = true;
  const sent = make('div');
  outcome.replaceChildren(heading, why, said, body, links, messages, sent);
  return { tag, title, why, said, body, links, arrivals, messages, sent, count: 0, status: 0 };
}

function link(address, text, className) {
  const a = make('a', className, text);
  a.href = address;
  return a;
}

function mark(on, name, word) {
  on.tag.className = `tag ${name}`;
  on.tag.textContent = word;
}

const SHOW = {
  request(on, piece) {
    on.sent.replaceChildren(fold('What is sent', block('The request', piece.text), false));
  },
  head(on, piece) {
    on.status = piece.status;
    const name = piece.status === 429 || piece.status === 503 ? 'wait' : piece.status >= 400 ? 'bad' : 'now';
    mark(on, name, String(piece.status));
    on.title.textContent = `First byte after ${took(piece.ms)}`;
  },
  frame(on, piece) {
    on.count += 1;
    on.messages.hidden = false;
    on.messages.querySelector('summary').textContent = `${on.count} messages`;
    const item = make('li');
    item.append(
      make('span', 'at', took(piece.ms)), ' ',
      make('span', 'op', piece.event || 'bytes that are no message'), ' ',
      make('code', '', JSON.stringify(piece.payload)),
    );
    on.arrivals.append(item);
    on.arrivals.scrollTop = on.arrivals.scrollHeight;
    on.said.append(delta(piece.payload));
  },
  body(on, piece) {
    const text = typeof piece.value === 'string' ? piece.value : JSON.stringify(piece.value, null, 2);
    const answer = piece.value?.output?.message?.content ?? piece.value?.content;
    const texts = Array.isArray(answer) ? answer.map((part) => part.text ?? '').join('') : '';
    on.said.append(texts);
    on.body.append(block('Body of the answer', text, 'json'));
    colour(on.body);
  },
  end(on, piece) {
    const good = piece.complete && on.status < 400 && !piece.sentence;
    if (good) mark(on, 'ok', String(on.status));
    else if (on.status < 400) mark(on, 'bad', on.status ? `${on.status}, broken off` : 'no answer');
    on.title.textContent = `${good ? 'Answered' : 'Ended'} after ${took(piece.ms)}`;
    on.why.hidden = !piece.sentence;
    on.why.textContent = piece.sentence;
    on.why.className = `why ${on.tag.classList.contains('wait') ? 'wait' : good ? '' : 'bad'}`;
    if (!piece.seq) return;
    const page = `/requests/emulator/${piece.seq}`;
    const look = link(page, 'Look at this request', 'btn');
    look.dataset.request = '';
    const script = link(`${page}#as-script`, 'Save as a script');
    script.dataset.request = '';
    const test = link(`${page}#as-test`, 'save as a test');
    test.dataset.request = '';
    on.links.append(look, ' ', script, ', ', test);
    lightUp(piece.seq);
  },
  refused(on, piece) {
    mark(on, 'bad', 'not sent');
    on.title.textContent = 'One field needs a change';
    on.why.hidden = false;
    on.why.className = 'why bad';
    on.why.textContent = piece.sentence;
  },
};

// What this request lights; everything else stays dark.
async function lightUp(seq) {
  const response = await fetch(`/requests/emulator/${seq}/lit`).catch(() => null);
  if (response?.ok) light(await response.json());
}

async function* lines(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (rest + value).split('\n');
    rest = parts.pop();
    for (const part of parts) if (part) yield JSON.parse(part);
  }
}

function busy(on) {
  send.disabled = on;
  send.textContent = on ? 'Sending' : 'Send';
  stop.hidden = !on;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const on = stage();
  light({ nodes: {}, edges: {} });
  running = new AbortController();
  busy(true);
  try {
    const response = await fetch('/api/playground', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(Object.fromEntries(new FormData(form))),
      signal: running.signal,
    });
    if (!response.ok) {
      const answer = await response.json().catch(() => null);
      SHOW.refused(on, { sentence: answer?.message ?? `The site answered ${response.status}.` });
      return;
    }
    for await (const piece of lines(response)) SHOW[piece.kind]?.(on, piece);
  } catch (error) {
    const sentence = error.name === 'AbortError'
      ? 'Stopped. What came so far stays.'
      : 'The workshop does not answer. Is it still running?';
    SHOW.end(on, { sentence, complete: false, ms: 0 });
    on.title.textContent = 'Ended';
  } finally {
    busy(false);
  }
});

stop.addEventListener('click', () => running?.abort());
form.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
form.addEventListener('click', (event) => {
  const button = event.target.closest('[data-fill]');
  if (!button) return;
  const field = form.elements[button.dataset.fill];
  field.value = JSON.stringify(JSON.parse(button.dataset.with), null, 2);
});
import('./trace.js');
