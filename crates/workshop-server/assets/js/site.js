// Every page: theme, copy buttons, table of contents, keys, live events.
import { keys } from './keys.js';

document.documentElement.classList.add('scripted');

const root = document.documentElement;
const dark = matchMedia('(prefers-color-scheme: dark)');
const toggle = document.querySelector('[data-theme-toggle]');

function theme() {
  return root.dataset.theme ?? (dark.matches ? 'dark' : 'light');
}

function label() {
  toggle?.setAttribute('aria-label', `Switch to the ${theme() === 'dark' ? 'light' : 'dark'} theme`);
}

// The server reads the cookie, so the next page comes in the right theme at once.
export function switchTheme() {
  const next = theme() === 'dark' ? 'light' : 'dark';
  root.dataset.theme = next;
  document.cookie = `workshop-theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax`;
  label();
}

toggle?.addEventListener('click', switchTheme);
dark.addEventListener('change', label);
label();

async function copy(button, text) {
  const before = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = 'Copied';
  } catch {
    button.textContent = 'Select and copy by hand';
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-copy], .copy-code');
  if (!button) return;
  const code = button.closest('.code')?.querySelector('code');
  copy(button, button.dataset.copy ?? code?.textContent ?? '');
});

export function furnish(part) {
  for (const figure of part.querySelectorAll('.prose figure.code')) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'copy-code';
    button.textContent = 'Copy';
    button.setAttribute('aria-label', 'Copy this code');
    figure.append(button);
  }
  // Code that is wider than its column scrolls; the keyboard must reach it to do so.
  for (const pre of part.querySelectorAll('.prose pre:not([tabindex])')) {
    pre.tabIndex = 0;
  }
}
furnish(document);

// The table of contents starts folded where it would push the text away.
const contents = document.querySelector('[data-toc]');
if (contents && matchMedia('(max-width: 64rem)').matches) contents.open = false;

function follow(links) {
  const byId = new Map(links.map((link) => [decodeURIComponent(link.hash.slice(1)), link]));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links) link.removeAttribute('aria-current');
      byId.get(entry.target.id)?.setAttribute('aria-current', 'location');
    }
  }, { rootMargin: '0px 0px -75% 0px' });
  for (const id of byId.keys()) {
    const heading = document.getElementById(id);
    if (heading) seen.observe(heading);
  }
}
if (contents) follow([...contents.querySelectorAll('a')]);

// A diagram can be zoomed once it comes near.
const near = new IntersectionObserver((entries) => {
  if (!entries.some((entry) => entry.isIntersecting)) return;
  near.disconnect();
  import('./zoom.js');
}, { rootMargin: '10% 0px' });
for (const svg of document.querySelectorAll('figure.diagram svg')) near.observe(svg);

keys({ switchTheme });
// Who only reads has no stream to follow, and does without its scripts.
if (document.body.dataset.live !== undefined) import('./live.js').then(({ live }) => live());
