// Where a count stands: beside its edge, and on nothing that is to be read.

const HEIGHT = 15;
const DIGIT = 8;
const GAP = 4;
// What lies around a label's words, and around the whole drawing.
const ROOM = 3;
const MARGIN = 8;
// Farther away where the edge's own words are in between.
const FARTHER = [0, 5, 12, 20];
// Along an edge: near its start first, where it is told from edges that end at the same node.
const PLACES = [0.2, 0.3, 0.5, 0.7, 0.8, 0.1, 0.9, 0.4, 0.6];

// What lies where, in units of the drawing, whatever part of it is in view; nothing of it ever moves.
const drawings = new WeakMap();

const meet = (a, b) => (
  a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
);

function boxOf(element, svg) {
  const { x, y, width, height } = element.getBBox();
  const m = svg.getScreenCTM().inverse().multiply(element.getScreenCTM());
  const [a, b] = [[x, y], [x + width, y + height]].map(([px, py]) => new DOMPoint(px, py).matrixTransform(m));
  return { left: a.x, top: a.y, right: b.x, bottom: b.y };
}

function around(boxes) {
  const least = (side) => Math.min(...boxes.map((box) => box[side]));
  const most = (side) => Math.max(...boxes.map((box) => box[side]));
  return {
    left: least('left') - MARGIN, top: least('top') - MARGIN, right: most('right') + MARGIN, bottom: most('bottom') + MARGIN,
  };
}

function pointsOf(path) {
  const length = path.getTotalLength();
  const steps = Math.max(2, Math.round(length / 8));
  return Array.from({ length: steps + 1 }, (_, i) => path.getPointAtLength((length * i) / steps));
}

function drawing(svg) {
  let known = drawings.get(svg);
  if (!known) {
    const boxes = (selector) => [...svg.querySelectorAll(selector)].map((element) => boxOf(element, svg));
    const lines = new Map([...svg.querySelectorAll('path.edge')].map((path) => [path, pointsOf(path)]));
    const points = [...lines.values()].flat().map(({ x, y }) => ({ left: x, right: x, top: y, bottom: y }));
    const labels = boxes('.edge-label').map((box) => ({ ...box, top: box.top + ROOM, bottom: box.bottom - ROOM }));
    known = {
      boxes: [...boxes('.node, .cluster text, .remark'), ...labels],
      lines,
      whole: around([...boxes('.node, .edge-label, .cluster'), ...points]),
    };
    drawings.set(svg, known);
  }
  return known;
}

// How bad a place is: on words worse than on a line.
function cost(box, path, { boxes, lines, whole }, counts) {
  let sum = 0;
  for (const other of boxes) if (meet(box, other)) sum += 100;
  for (const other of counts) if (meet(box, other)) sum += 100;
  if (box.left < whole.left || box.right > whole.right || box.top < whole.top || box.bottom > whole.bottom) sum += 60;
  for (const [line, points] of lines) {
    const crossed = points.some(({ x, y }) => x > box.left && x < box.right && y > box.top && y < box.bottom);
    if (crossed) sum += line === path ? 10 : 15;
  }
  return sum;
}

/** Puts the count beside the edge, where it covers no node and no words if there is such a place. */
export function place(text, path) {
  const svg = path.ownerSVGElement;
  const known = drawing(svg);
  const half = (text.textContent.length * DIGIT) / 2 + 2;
  const length = path.getTotalLength();
  const counts = [...svg.querySelectorAll('text.cnt')].filter((other) => other !== text).map((other) => boxOf(other, svg));
  let best;
  for (const part of PLACES) {
    const { x, y } = path.getPointAtLength(length * part);
    const ahead = path.getPointAtLength(Math.min(length, length * part + 2));
    const behind = path.getPointAtLength(Math.max(0, length * part - 2));
    const across = Math.hypot(ahead.x - behind.x, ahead.y - behind.y) || 1;
    const normal = [(ahead.y - behind.y) / across, -(ahead.x - behind.x) / across];
    const beside = Math.abs(normal[0]) * half + Math.abs(normal[1]) * (HEIGHT / 2) + GAP;
    for (const [away, side] of FARTHER.flatMap((more) => [[beside + more, 1], [beside + more, -1]])) {
      const middle = { x: x + side * normal[0] * away, y: y + side * normal[1] * away };
      const box = {
        left: middle.x - half, right: middle.x + half, top: middle.y - HEIGHT / 2, bottom: middle.y + HEIGHT / 2,
      };
      // Far from its edge only where nothing nearer is free.
      const price = cost(box, path, known, counts) + away - beside;
      if (!best || price < best.price) best = { ...middle, price };
    }
    if (best.price === 0) break;
  }
  text.setAttribute('x', best.x.toFixed(1));
  // The baseline: digits stand on it, and their middle is a third of the size above.
  text.setAttribute('y', (best.y + 4.5).toFixed(1));
}
