// Files to read beside one's own: the menu's links, and a failed check's, open them above the editor.
import { colour } from './rust.js';

const reader = document.querySelector('[data-reader]');
const menu = document.querySelector('[data-beside]');
const name = reader.querySelector('h3');
const place = reader.querySelector('[data-place]');
const bar = document.createElement('div');
bar.className = 'here';
let opener = null;

reader.querySelector('[data-close]').addEventListener('click', close);
reader.addEventListener('keydown', (event) => { if (event.key === 'Escape') close(); });

function close() {
  reader.hidden = true;
  (opener?.isConnected ? opener : menu.querySelector('summary')).focus();
}

/** Opens what the link leads to; its `data-read` is the line to look at. */
export async function read(link) {
  const response = await fetch(link.href).catch(() => null);
  if (!response?.ok) { location.assign(link.href); return; }
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const text = page.querySelector('[data-text]');
  colour(text.querySelector('code'));
  name.textContent = page.querySelector('h1').textContent;
  place.replaceChildren(text);
  opener = menu.contains(link) ? null : link;
  menu.open = false;
  reader.hidden = false;
  place.scrollTop = 0;
  const line = Number(link.dataset.read ?? 0);
  if (line > 0) {
    const { lineHeight, paddingTop } = getComputedStyle(text);
    const top = parseFloat(paddingTop) + (line - 1) * parseFloat(lineHeight);
    text.prepend(bar);
    bar.style.top = `${top}px`;
    bar.style.height = lineHeight;
    place.scrollTop = top - place.clientHeight / 3;
  }
  name.focus({ preventScroll: true });
  reader.scrollIntoView({ block: 'nearest' });
}
