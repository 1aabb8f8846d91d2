// Search in the browser: typing errors and beginnings of words are found, arrows choose, Enter opens.
import MiniSearch from '../vendor/minisearch.js';

const ROOT = document.body.dataset.root ?? '/';
const SHOWN = 20;
const AROUND = 150;

// Only pages on which somebody searches need its style.
const style = document.createElement('link');
style.rel = 'stylesheet';
style.href = new URL('../css/search.css', import.meta.url);
const styled = new Promise((done) => {
  style.addEventListener('load', done);
  style.addEventListener('error', done);
});
document.head.append(style);

let index;

async function load() {
  index ??= fetch(`${ROOT}search.json`).then(async (answer) => {
    if (!answer.ok) throw new Error(`the index answers ${answer.status}`);
    const parts = await answer.json();
    const search = new MiniSearch({
      fields: ['title', 'heading', 'text'],
      storeFields: ['kind', 'title', 'heading', 'href', 'text'],
      searchOptions: {
        boost: { title: 4, heading: 3 },
        combineWith: 'AND',
        prefix: true,
        fuzzy: (term) => (term.length > 3 ? 0.2 : false),
      },
    });
    search.addAll(parts);
    return search;
  });
  try {
    return await index;
  } catch (error) {
    index = undefined;
    throw error;
  }
}

// The text around the first word that was found, with all of them marked.
function excerpt(text, terms) {
  const lower = text.toLowerCase();
  const places = terms.map((term) => lower.indexOf(term)).filter((at) => at >= 0);
  const first = places.length ? Math.min(...places) : 0;
  let from = Math.max(0, first - AROUND / 3);
  if (from > 0) from = text.indexOf(' ', from) + 1;
  const piece = text.slice(from, from + AROUND);
  const out = document.createElement('span');
  out.className = 'sub';
  if (from > 0) out.append('… ');
  let rest = piece;
  while (rest) {
    const low = rest.toLowerCase();
    const next = terms
      .map((term) => [low.indexOf(term), term.length])
      .filter(([at]) => at >= 0)
      .sort((a, b) => a[0] - b[0] || b[1] - a[1])[0];
    if (!next) break;
    const [at, length] = next;
    const mark = document.createElement('mark');
    mark.textContent = rest.slice(at, at + length);
    out.append(rest.slice(0, at), mark);
    rest = rest.slice(at + length);
  }
  out.append(rest);
  if (from + AROUND < text.length) out.append(' …');
  return out;
}

function option(found, at) {
  const item = document.createElement('li');
  item.role = 'presentation';
  const link = document.createElement('a');
  link.role = 'option';
  link.id = `found-${at}`;
  link.setAttribute('aria-selected', 'false');
  link.href = ROOT + found.href;
  link.tabIndex = -1;
  const kind = document.createElement('span');
  kind.className = 'meta';
  kind.textContent = found.kind;
  const title = document.createElement('strong');
  title.textContent = found.heading ? `${found.title} › ${found.heading}` : found.title;
  link.append(kind, ' ', title, excerpt(found.text, found.terms));
  item.append(link);
  return item;
}

// Searches as `input` changes, and shows in `list` what was found; `said` tells how many.
export function attach(input, list, said) {
  let chosen = -1;
  let asked = 0;

  function choose(at) {
    const items = [...list.querySelectorAll('a')];
    items[chosen]?.setAttribute('aria-selected', 'false');
    chosen = items.length ? (at + items.length) % items.length : -1;
    const item = items[chosen];
    item?.setAttribute('aria-selected', 'true');
    item?.scrollIntoView({ block: 'nearest' });
    if (item) input.setAttribute('aria-activedescendant', item.id);
    else input.removeAttribute('aria-activedescendant');
  }

  async function search() {
    const words = input.value.trim();
    const mine = ++asked;
    if (!words) {
      list.replaceChildren();
      said.textContent = '';
      choose(-1);
      return;
    }
    let all;
    try {
      all = (await load()).search(words);
    } catch (error) {
      said.textContent = `Searching does not work right now: ${error.message}.`;
      return;
    }
    if (mine !== asked) return;
    list.replaceChildren(...all.slice(0, SHOWN).map(option));
    input.setAttribute('aria-expanded', String(all.length > 0));
    said.textContent = all.length === 0
      ? 'Nothing has all of these words, or words like them. Try fewer.'
      : `${all.length} ${all.length === 1 ? 'place' : 'places'}${all.length > SHOWN ? `, the best ${SHOWN} shown` : ''}`;
    chosen = -1;
    choose(0);
  }

  input.role = 'combobox';
  input.setAttribute('aria-expanded', 'false');
  input.setAttribute('aria-autocomplete', 'list');
  input.setAttribute('aria-controls', list.id);
  list.role = 'listbox';
  list.setAttribute('aria-label', 'Found');
  input.addEventListener('input', search);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') choose(chosen + 1);
    else if (event.key === 'ArrowUp') choose(chosen - 1);
    else if (event.key === 'Enter' && list.children[chosen]) list.children[chosen].firstChild.click();
    else return;
    event.preventDefault();
  });
  if (input.value) search();
}

let dialog;

function build() {
  dialog = document.createElement('dialog');
  dialog.id = 'find';
  dialog.setAttribute('aria-label', 'Search');
  dialog.innerHTML = `
    <form method="dialog"><label for="find-words" class="vh">Words to look for</label>
    <input id="find-words" type="search" placeholder="Search exercises, posts, diagrams, errors" autocomplete="off" spellcheck="false">
    <button>Close <kbd>Esc</kbd></button></form>
    <p class="meta" role="status"></p>
    <ul id="find-list"></ul>`;
  document.body.append(dialog);
  const input = dialog.querySelector('input');
  attach(input, dialog.querySelector('ul'), dialog.querySelector('[role="status"]'));
  // A search field takes the first Escape to empty itself.
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    event.preventDefault();
    dialog.close();
  });
  // A click beside the dialog, or on a place on this very page, closes it.
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog || event.target.closest('a')) dialog.close();
  });
}

// Opens the search; the page stays where it is.
export async function open() {
  await styled;
  if (!dialog) build();
  if (dialog.open) return;
  dialog.showModal();
  dialog.querySelector('input').select();
  load().catch(() => {});
}
