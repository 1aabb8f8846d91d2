// Lights the nodes and edges of the diagram that requests really reached.

const CLASSES = ['on', 'ok', 'throttled', 'denied', 'retried'];
const SVG = 'http://www.w3.org/2000/svg';

// How long a part keeps moving after a request passed it.
const PASSING_MS = 2500;

const counts = new Map();
const passing = new Map();

function mark(kind, marks, first) {
  for (const element of document.querySelectorAll(`figure.diagram [data-${kind}]`)) {
    const id = element.dataset[kind];
    const found = marks[id];
    element.classList.remove(...CLASSES);
    if (!found) continue;
    element.classList.add(found.status);
    if (found.retried && found.status === 'ok') element.classList.add('retried');
    const key = `${kind} ${id}`;
    if (!first && found.count > (counts.get(key) ?? 0)) passing.set(key, Date.now() + PASSING_MS);
    if ((passing.get(key) ?? 0) > Date.now()) element.classList.add('on');
  }
}

function remember(kind, marks) {
  for (const key of counts.keys()) {
    if (key.startsWith(`${kind} `) && !marks[key.slice(kind.length + 1)]) counts.delete(key);
  }
  for (const [id, { count }] of Object.entries(marks)) counts.set(`${kind} ${id}`, count);
}

let place;

// How often an edge was passed, beside it.
function count(edges) {
  if (!place) {
    if (Object.keys(edges).length === 0) return;
    import('./counts.js').then((counts) => { place = counts.place; count(last.edges); });
    return;
  }
  for (const path of document.querySelectorAll('figure.diagram path[data-edge]')) {
    const id = path.dataset.edge;
    let text = path.ownerSVGElement.querySelector(`text.cnt[data-for="${CSS.escape(id)}"]`);
    if (!edges[id]) { text?.remove(); continue; }
    if (!text) {
      text = document.createElementNS(SVG, 'text');
      text.setAttribute('class', 'cnt');
      text.dataset.for = id;
      path.ownerSVGElement.append(text);
    }
    const words = `×${edges[id].count}`;
    if (text.textContent === words) continue;
    const grew = text.textContent.length !== words.length;
    text.textContent = words;
    if (grew) place(text, path);
  }
}

let settle;
let last;

export function light(lit) {
  const first = last === undefined;
  last = lit;
  mark('node', lit.nodes, first);
  mark('edge', lit.edges, first);
  remember('node', lit.nodes);
  remember('edge', lit.edges);
  count(lit.edges);
  clearTimeout(settle);
  const moving = [...passing.values()].some((until) => until > Date.now());
  if (moving) settle = setTimeout(() => light(last), PASSING_MS + 50);
}
