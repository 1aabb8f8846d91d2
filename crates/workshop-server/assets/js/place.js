// Loads the page anew and leaves the reader where they were: the text at the top of the window, what
// was unfolded, the panes' scrolling, and the focus.
const KEY = 'workshop-place';

const folds = () => {
  const seen = new Map();
  return [...document.querySelectorAll('details')].map((details) => {
    const name = details.querySelector('summary')?.textContent.trim() ?? '';
    const number = seen.get(name) ?? 0;
    seen.set(name, number + 1);
    return [`${name} ${number}`, details];
  });
};

// The last thing with an id above the top of the window: what is written above it may become longer.
function anchor() {
  const above = [...document.querySelectorAll('main [id]')].filter((element) => {
    const { top, height } = element.getBoundingClientRect();
    return top <= 0 && height > 0 && !element.closest('svg, .cm-editor, .pane');
  });
  const last = above.at(-1);
  return last && { id: last.id, top: last.getBoundingClientRect().top };
}

// Among several that look alike, the number says which.
function focused() {
  const element = document.activeElement;
  if (!element || element === document.body || element.closest('[data-editor]')) return null;
  const attribute = ['id', 'href', 'name'].find((name) => element.getAttribute(name));
  const value = attribute && `[${attribute}="${CSS.escape(element.getAttribute(attribute))}"]`;
  const summary = element.matches('summary');
  if (!value && !summary) return null;
  const selector = summary && !value ? 'summary' : `${element.localName}${value}`;
  return { selector, number: [...document.querySelectorAll(selector)].indexOf(element) };
}

// Somebody who has just followed a link is on the way already.
let leaving = false;
addEventListener('beforeunload', () => {
  leaving = true;
  setTimeout(() => { leaving = false; }, 3000);
});

export function loadAnew() {
  if (leaving) return;
  const panes = [...document.querySelectorAll('[id]')].filter((element) => element.scrollTop > 0);
  const place = {
    path: location.pathname,
    y: scrollY,
    anchor: anchor(),
    panes: panes.map((pane) => [pane.id, pane.scrollTop]),
    folds: folds().map(([name, details]) => [name, details.open]),
    focused: focused(),
  };
  try {
    sessionStorage.setItem(KEY, JSON.stringify(place));
    history.scrollRestoration = 'manual';
  } catch {
    // Without storage the browser's own memory of the scroll position has to do.
  }
  location.reload();
}

function scroll({ y, anchor: at, panes }) {
  for (const [id, top] of panes) {
    const pane = document.getElementById(id);
    if (pane) pane.scrollTop = top;
  }
  const same = at && document.getElementById(at.id);
  const to = same ? scrollY + same.getBoundingClientRect().top - at.top : y;
  window.scrollTo({ top: to, behavior: 'instant' });
}

export function restore() {
  let place = null;
  try {
    place = JSON.parse(sessionStorage.getItem(KEY));
    sessionStorage.removeItem(KEY);
  } catch {
    return;
  }
  if (place?.path !== location.pathname) return;
  const open = new Map(place.folds);
  for (const [name, details] of folds()) details.open = open.get(name) ?? details.open;
  scroll(place);
  const { selector, number } = place.focused ?? {};
  if (selector) document.querySelectorAll(selector)[number]?.focus({ preventScroll: true });
  // Once more when pictures and fonts are there; from then on the scroll position is the reader's.
  const settle = () => {
    scroll(place);
    history.scrollRestoration = 'auto';
  };
  if (document.readyState === 'complete') settle();
  else addEventListener('load', settle, { once: true });
}
