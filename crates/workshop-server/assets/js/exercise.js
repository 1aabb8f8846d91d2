// The exercise page: panes that can be resized, the editor, the checks. Results and requests
// arrive by `live.js`, which tells of them by the events `live` and `parts`.
import { checks } from './checks.js';
import { onDisk, open } from './desk.js';
import { panes } from './panes.js';
import { colour } from './rust.js';

for (const code of document.querySelectorAll('.ex .prose code.language-rust')) colour(code);
panes();
// Files beside one's own; what shows them is fetched when it is needed.
const menu = document.querySelector('[data-beside]');
document.addEventListener('click', async (event) => {
  if (menu && !menu.contains(event.target)) menu.open = false;
  const link = event.target.closest('[data-beside] a, a[data-read]');
  if (!link || !menu || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const { read } = await import('./beside.js');
  read(link);
});
menu?.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !menu.open) return;
  menu.open = false;
  menu.querySelector('summary').focus();
});
const { run, shown } = checks();
document.addEventListener('parts', shown);
document.addEventListener('live', ({ detail: { name, event } }) => {
  if (name === 'file' && event.exercise === document.body.dataset.exercise) onDisk(event.version);
});
if (document.querySelector('[data-editor]')) open(run).then(shown);
