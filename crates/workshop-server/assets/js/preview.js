// For authors: what is wrong with the course's files, on top of whatever page is open. It comes and
// goes with the files; who hid it sees it again when it says something else.
const KEY = 'workshop-hidden-findings';
const spoken = document.querySelector('[data-findings-spoken]');
const panel = () => document.querySelector('[data-part="findings"]');

function remembered() {
  try { return sessionStorage.getItem(KEY); } catch { return null; }
}

function remember(text) {
  try { sessionStorage.setItem(KEY, text); } catch { /* Then it is hidden on this page alone. */ }
}

let before = null;

function shown() {
  const now = panel();
  if (!now) return;
  const none = !now.hasAttribute('data-findings');
  now.hidden = none || remembered() === now.textContent;
  const summary = none ? '' : now.querySelector('h2').textContent;
  if (spoken && !now.hidden) spoken.textContent = summary;
  else if (spoken && none && before) spoken.textContent = 'Nothing is wrong with the course’s files any more';
  before = summary;
}

document.addEventListener('click', (event) => {
  if (!event.target.closest('[data-hide-findings]')) return;
  remember(panel().textContent);
  panel().hidden = true;
  // The focus goes back to the page, not to nowhere.
  const main = document.getElementById('main');
  main?.setAttribute('tabindex', '-1');
  main?.focus({ preventScroll: true });
});
document.addEventListener('findings', shown);
// A moment later: what a live region holds when the page comes is not announced.
setTimeout(shown, 100);
