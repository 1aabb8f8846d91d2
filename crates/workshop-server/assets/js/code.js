// Colours code on pages that have some; without it, the code is there in one colour.
import hljs from '../vendor/highlight.js';

const NAMES = { rs: 'rust', ts: 'typescript', js: 'typescript', javascript: 'typescript', yml: 'yaml', sh: 'bash', shell: 'bash' };

for (const code of document.querySelectorAll('pre code[class^="language-"]')) {
  const named = code.className.slice('language-'.length).split(' ')[0];
  const language = NAMES[named] ?? named;
  if (!hljs.getLanguage(language)) continue;
  code.innerHTML = hljs.highlight(code.textContent, { language, ignoreIllegals: true }).value;
  code.classList.add('hljs');
}
