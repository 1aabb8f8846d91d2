// Find the bug: choices without loading the page anew. The server's page is the truth; this fetches
// what a click without scripts would have led to, and puts its part in place.
import { coloured, colour } from './code.js';
import { furnish } from './site.js';

const hunt = document.querySelector('[data-hunt]');
const spoken = hunt.querySelector('[data-spoken]');
const notice = document.querySelector('[data-notice]');
const board = () => hunt.querySelector('[data-part="hunt"]');

// Colours the whole snippet, then cuts it at its lines; what is open at a line's end goes on below.
function colourLines(part) {
  const codes = [...part.querySelectorAll('.lines .row > code')];
  const text = codes.map((code) => code.textContent).join('\n');
  const html = coloured(text, part.querySelector('.lines').dataset.language);
  if (html === null) return;
  let open = [];
  html.split('\n').forEach((line, at) => {
    const before = open.join('');
    for (const [tag] of line.matchAll(/<span [^>]*>|<\/span>/g)) {
      if (tag === '</span>') open.pop();
      else open.push(tag);
    }
    codes[at].innerHTML = before + line + '</span>'.repeat(open.length);
  });
}

function say(text) {
  if (!notice) return;
  notice.textContent = text;
  notice.hidden = text === '';
}

async function show(address, body) {
  const response = await fetch(address, body ? { method: 'POST', body } : {}).catch(() => null);
  if (!response?.ok) {
    say(response ? `The workshop answered ${response.status}. Load the page again.` : 'The workshop does not answer. Is it still running?');
    return false;
  }
  say('');
  const fresh = new DOMParser().parseFromString(await response.text(), 'text/html');
  const part = fresh.querySelector('[data-part="hunt"]');
  colourLines(part);
  colour(part);
  furnish(part);
  board().replaceWith(part);
  history.replaceState(null, '', new URL(response.url).pathname + new URL(response.url).search);
  spoken.textContent = part.dataset.say;
  return true;
}

const row = (line) => document.getElementById(`line-${line}`)?.querySelector('.row');

async function choose(form, button) {
  const data = new URLSearchParams(new FormData(form, button));
  const line = data.get('line');
  const closing = button.name === 'line' && button.getAttribute('aria-expanded') === 'true';
  if (closing) data.delete('line');
  const post = form.method === 'post';
  const address = new URL(form.action);
  address.hash = '';
  if (!post) address.search = data;
  if (!await show(address, post ? data : null)) return;
  // The eyes are where the hands were: at the first kind to choose, or at the line that was judged.
  const first = button.name === 'line' && !closing && board().querySelector('.classes button');
  const tried = board().querySelector('.classes .tried');
  (first || tried || row(line))?.focus();
}

hunt.addEventListener('submit', (event) => {
  if (!event.submitter) return;
  event.preventDefault();
  choose(event.target, event.submitter);
});

hunt.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key === 'Escape') {
    const chosen = board().querySelector('.chosen .row');
    if (!chosen) return;
    event.preventDefault();
    chosen.click();
  } else if (event.target.matches('.row') && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
    const rows = [...board().querySelectorAll('button.row')];
    const next = rows[rows.indexOf(event.target) + (event.key === 'ArrowDown' ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }
});

colourLines(board());
