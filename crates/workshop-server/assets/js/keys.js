// Keyboard shortcuts. Single keys can be turned off in the list that `?` opens.

const OFF = 'workshop-single-keys-off';

// The editor is in a shadow root, from where events look as if they came from its host.
function typing(event) {
  const [target] = event.composedPath();
  return target instanceof Element
    && target.closest('input, textarea, select, [contenteditable="true"]') !== null;
}

function focus(id) {
  const element = document.getElementById(id);
  element?.scrollIntoView({ block: 'nearest' });
  element?.focus({ preventScroll: true });
}

function editor() {
  const inside = document.getElementById('editor')?.shadowRoot?.querySelector('[contenteditable]');
  (inside ?? document.getElementById('text'))?.focus();
}

function go(rel) {
  document.querySelector(`a[rel="${rel}"]`)?.click();
}

// On the search page its own field; elsewhere a dialog over the page, or the search page if that fails.
function search() {
  const field = document.querySelector('main input[type="search"]');
  if (field) {
    field.focus();
    return;
  }
  import('./search.js').then(
    ({ open }) => open(),
    () => location.assign(document.querySelector('[data-search]').href),
  );
}

export function keys({ switchTheme }) {
  const sheet = document.getElementById('keys');
  const on = sheet?.querySelector('[data-keys-on]');
  const off = () => localStorage.getItem(OFF) !== null;
  if (on) {
    on.checked = !off();
    on.addEventListener('change', () => {
      if (on.checked) localStorage.removeItem(OFF);
      else localStorage.setItem(OFF, '1');
    });
  }
  document.querySelector('[data-search]')?.addEventListener('click', (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    search();
  });
  document.querySelector('[data-keys]')?.addEventListener('click', () => sheet?.showModal());

  const single = {
    '/': search,
    '?': () => sheet?.showModal(),
    '[': () => go('prev'),
    ']': () => go('next'),
    t: switchTheme,
    e: editor,
    1: () => focus('task'),
    2: () => focus('code'),
    3: () => focus('results'),
  };
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.altKey || sheet?.open) return;
    const held = event.ctrlKey || event.metaKey;
    if (held && event.key === 'Enter') {
      document.querySelector('[data-run] button')?.click();
      return;
    }
    if (held && event.key === 'k') {
      event.preventDefault();
      search();
      return;
    }
    if (held || typing(event) || off()) return;
    const action = single[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
