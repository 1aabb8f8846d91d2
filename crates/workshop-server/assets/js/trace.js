// One request beside the page: a click on a request opens what its own page shows.

const WIDE = matchMedia('(min-width: 48rem)');

let panel;
let content;
let pageLink;
let opener;

// The table may have been drawn anew behind the panel: then the link that opened it is another element.
function giveFocusBack() {
  const at = document.activeElement;
  if (at && at !== document.body && !panel.contains(at)) return;
  const links = [...document.querySelectorAll('a[data-request]')];
  const same = links.find((link) => link.getAttribute('href') === opener);
  // A new run has other requests.
  const to = same ?? document.getElementById('trace-title');
  if (!same && to) to.tabIndex = -1;
  to?.focus();
}

function build() {
  panel = document.createElement('dialog');
  panel.className = 'panel';
  panel.setAttribute('aria-labelledby', 'request-title');
  const tools = document.createElement('div');
  tools.className = 'tools';
  pageLink = document.createElement('a');
  pageLink.textContent = 'Open as a page';
  const close = document.createElement('button');
  close.type = 'button';
  close.textContent = 'Close';
  close.addEventListener('click', () => panel.close());
  tools.append(pageLink, close);
  content = document.createElement('div');
  content.setAttribute('aria-live', 'polite');
  panel.append(tools, content);
  // A click beside the panel closes it, as Escape does.
  panel.addEventListener('click', (event) => { if (event.target === panel) panel.close(); });
  panel.addEventListener('submit', replay);
  panel.addEventListener('close', giveFocusBack);
  document.body.append(panel);
}

async function show(response) {
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const detail = page.querySelector('[data-detail]');
  if (!detail) {
    const sentence = page.querySelector('.intro')?.textContent ?? 'This request cannot be shown.';
    const failed = document.createElement('p');
    failed.className = 'failed';
    failed.id = 'request-title';
    failed.textContent = sentence;
    content.replaceChildren(failed);
    return;
  }
  pageLink.href = new URL(response.url).pathname;
  content.replaceChildren(document.importNode(detail, true));
  panel.scrollTop = 0;
  content.querySelector('h1')?.focus({ preventScroll: true });
  const { colour } = await import('./code.js');
  colour(content);
}

async function open(address) {
  if (!panel) build();
  const response = await fetch(address).catch(() => null);
  if (!response) { location.href = address; return; }
  if (!panel.open) panel.showModal();
  await show(response);
  const { hash } = new URL(address, location.href);
  const part = hash && content.querySelector(hash);
  if (!part) return;
  part.open = true;
  part.scrollIntoView();
  part.querySelector('summary')?.focus({ preventScroll: true });
}

// A page that was opened at one of its parts shows it.
const here = location.hash && document.querySelector(`[data-detail] details${location.hash}`);
if (here) here.open = true;

// The new request shows in place of the old one.
async function replay(event) {
  if (!event.target.matches('[data-replay]')) return;
  event.preventDefault();
  const button = event.target.querySelector('button');
  button.disabled = true;
  button.textContent = 'Sending it again';
  const response = await fetch(event.target.action, { method: 'POST' }).catch(() => null);
  if (response) { await show(response); return; }
  button.disabled = false;
  button.textContent = 'Send it again';
}

document.addEventListener('click', (event) => {
  const link = event.target.closest?.('a[data-request]');
  if (!link || !WIDE.matches) return;
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  opener = link.getAttribute('href');
  open(link.href);
});
