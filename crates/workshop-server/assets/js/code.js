// Colours code on pages that have some; without it, the code is there in one colour.
import hljs from '../vendor/highlight.js';

const NAMES = { rs: 'rust', ts: 'typescript', js: 'typescript', javascript: 'typescript', yml: 'yaml', sh: 'bash', shell: 'bash' };

/** The code as HTML, or null for a language that is not known here. */
export function coloured(text, named) {
  const language = NAMES[named] ?? named;
  return hljs.getLanguage(language) ? hljs.highlight(text, { language, ignoreIllegals: true }).value : null;
}

export function colour(part) {
  for (const code of part.querySelectorAll('pre code[class^="language-"]:not(.hljs)')) {
    const html = coloured(code.textContent, code.className.slice('language-'.length).split(' ')[0]);
    if (html === null) continue;
    code.innerHTML = html;
    code.classList.add('hljs');
  }
}

colour(document);
