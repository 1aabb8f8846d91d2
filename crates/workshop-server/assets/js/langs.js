// The same code in two languages: tabs over figures that stand next to each other. One choice holds for
// all of them, on every page. Without this script both are shown, one below the other.
const NAMES = { rust: 'Rust', rs: 'Rust', js: 'JavaScript', javascript: 'JavaScript', ts: 'TypeScript', typescript: 'TypeScript' };
const KEY = 'workshop-language';

const groups = [];

function nameOf(figure) {
  return NAMES[figure?.dataset.lang];
}

function remembered() {
  try { return localStorage.getItem(KEY); } catch { return null; }
}

function remember(name) {
  try { localStorage.setItem(KEY, name); } catch { /* a browser that forgets */ }
}

// A group without that language keeps what it shows.
function choose(name) {
  for (const { tabs, panels } of groups) {
    if (!tabs.some((tab) => tab.textContent === name)) continue;
    tabs.forEach((tab, i) => {
      const chosen = tab.textContent === name;
      tab.setAttribute('aria-selected', String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      panels[i].hidden = !chosen;
    });
  }
}

// What was pressed stays where it is, although other groups above it change their height.
function chooseHere(tab) {
  const before = tab.getBoundingClientRect().top;
  choose(tab.textContent);
  remember(tab.textContent);
  scrollBy(0, tab.getBoundingClientRect().top - before);
}

function group(figures) {
  const box = document.createElement('div');
  box.className = 'langs';
  const list = document.createElement('div');
  list.className = 'tablist';
  list.setAttribute('role', 'tablist');
  list.setAttribute('aria-label', 'Language of this code');
  figures[0].before(box);
  // A figure may not be a panel itself.
  const panels = figures.map((figure, i) => {
    const panel = document.createElement('div');
    panel.id = `langs-${groups.length}-${i}`;
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', `${panel.id}-tab`);
    panel.append(figure);
    return panel;
  });
  box.append(list, ...panels);
  const tabs = figures.map((figure, i) => {
    const tab = document.createElement('button');
    tab.type = 'button';
    tab.id = `${panels[i].id}-tab`;
    tab.textContent = nameOf(figure);
    tab.setAttribute('role', 'tab');
    tab.setAttribute('aria-controls', panels[i].id);
    tab.addEventListener('click', () => chooseHere(tab));
    list.append(tab);
    return tab;
  });
  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    next.focus();
    chooseHere(next);
  });
  groups.push({ tabs, panels });
  choose(nameOf(figures[0]));
}

for (const first of document.querySelectorAll('.prose figure.code')) {
  if (!nameOf(first) || first.closest('.langs')) continue;
  const figures = [first];
  for (let next = first.nextElementSibling; next?.matches('figure.code'); next = next.nextElementSibling) {
    const name = nameOf(next);
    if (!name || figures.some((figure) => nameOf(figure) === name)) break;
    figures.push(next);
  }
  if (figures.length > 1) group(figures);
}
const before = remembered();
if (before) choose(before);
