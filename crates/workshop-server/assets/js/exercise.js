// The exercise page: panes that can be resized, the editor, the checks. Results and requests
// arrive by `live.js`, which tells of them by the events `live` and `parts`.
import { checks } from './checks.js';
import { onDisk, open } from './desk.js';
import { panes } from './panes.js';
import { colour } from './rust.js';

for (const code of document.querySelectorAll('.ex .prose code.language-rust')) colour(code);
panes();
const { run, shown } = checks();
document.addEventListener('parts', shown);
document.addEventListener('live', ({ detail: { name, event } }) => {
  if (name === 'file' && event.exercise === document.body.dataset.exercise) onDisk(event.version);
});
if (document.querySelector('[data-editor]')) open(run).then(shown);
