// The search page with scripts: what was found appears while typing, typing errors included.
import { attach } from './search.js';

const input = document.getElementById('q');
const list = document.getElementById('found');
const said = document.querySelector('main [role="status"]');
input.value ||= new URLSearchParams(location.search).get('q') ?? '';
list.replaceChildren();
list.className = 'found';
attach(input, list, said);
