// Diagrams come closer: by buttons, keys, Ctrl and the wheel, two fingers; and fill the window on request.
// A closer look is another `viewBox` of the same drawing, so that lights and links stay what they are.

const STEP = 1.4;
const PAN_PX = 60;
const FEW_PX = 4;
const GLIDE_MS = 140;
// In full view, words of a drawing start no smaller than this, though it may be larger than the window.
const READABLE_PX = 11;

const style = document.createElement('link');
style.rel = 'stylesheet';
style.href = new URL('../css/zoom.css', import.meta.url);
const styled = new Promise((done) => { style.onload = done; style.onerror = done; });
document.head.append(style);

const still = matchMedia('(prefers-reduced-motion: reduce)');

function button(words, action, label) {
  const made = document.createElement('button');
  made.type = 'button';
  made.textContent = words;
  if (label) made.setAttribute('aria-label', label);
  // Not `disabled`: the focus would be lost where a button has done all it can.
  made.addEventListener('click', () => { if (made.getAttribute('aria-disabled') !== 'true') action(); });
  return made;
}

const between = (low, value, high) => Math.min(Math.max(value, low), high);

/** One drawing in its frame. `x`, `y`: what is at the frame's corner; `k`: pixels for one unit of the drawing. */
class Drawing {
  #frame;
  #svg;
  #whole;
  #tools;
  #level;
  #at = null;
  #gliding = 0;
  #fingers = new Map();
  #moved = false;
  #full = null;

  constructor(frame) {
    this.#frame = frame;
    this.#svg = frame.querySelector('svg');
    this.#whole = { ...this.#box(this.#svg.viewBox.baseVal), text: this.#svg.getAttribute('viewBox') };
    this.#frame.setAttribute('aria-keyshortcuts', '+ - 0 F');
    // What flows downwards and is wider than its frame is seen from the middle, where its way begins.
    if (this.#whole.height > this.#whole.width && !frame.scrollLeft) {
      frame.scrollLeft = (frame.scrollWidth - frame.clientWidth) / 2;
    }
    this.#tools = this.#build();
    this.#listen();
    this.#tell();
  }

  get tools() { return this.#tools.row; }

  #box({ x, y, width, height }) { return { x, y, width, height }; }

  #build() {
    const row = document.createElement('div');
    row.className = 'diagram-tools';
    row.setAttribute('role', 'group');
    row.setAttribute('aria-label', 'Size of the diagram');
    this.#level = document.createElement('span');
    this.#level.className = 'level';
    this.#level.setAttribute('role', 'status');
    const out = button('−', () => this.#by(1 / STEP), 'Zoom out');
    const closer = button('+', () => this.#by(STEP), 'Zoom in');
    const fit = button('Fit', () => this.#fit(true));
    const full = button('Full view', () => (this.#full ? this.#full.close() : this.#open()));
    row.append(this.#level, out, closer, fit, full);
    return { row, out, closer, fit, full };
  }

  #listen() {
    const frame = this.#frame;
    frame.addEventListener('wheel', (event) => this.#wheel(event), { passive: false });
    frame.addEventListener('keydown', (event) => this.#key(event));
    frame.addEventListener('dblclick', () => this.#fit(true));
    frame.addEventListener('pointerdown', (event) => this.#down(event));
    frame.addEventListener('pointermove', (event) => this.#move(event));
    for (const end of ['pointerup', 'pointercancel']) frame.addEventListener(end, (event) => this.#up(event));
    // Two fingers are for the diagram; one scrolls the page as ever.
    frame.addEventListener('touchstart', (event) => {
      if (event.touches.length > 1 && event.cancelable) event.preventDefault();
    }, { passive: false });
    // The end of a drag is no click on the box below it; Enter is (without a button, `detail` is 0).
    frame.addEventListener('click', (event) => {
      if (!this.#moved || event.detail === 0) return;
      event.preventDefault();
      event.stopPropagation();
    }, { capture: true });
    frame.addEventListener('dragstart', (event) => { if (this.#at) event.preventDefault(); });
    frame.addEventListener('focusin', (event) => this.#reveal(event.target));
    new ResizeObserver(() => { if (this.#at) this.#show(this.#at); }).observe(frame);
    addEventListener('beforeprint', () => this.#leave());
  }

  // The frame's corner in units of the drawing, and its scale, as they are on the screen.
  #seen() {
    const { a, e, f } = this.#svg.getScreenCTM();
    const { left, top } = this.#inside();
    return { x: (left - e) / a, y: (top - f) / a, k: a };
  }

  #inside() {
    const { left, top } = this.#frame.getBoundingClientRect();
    const { paddingLeft, paddingTop, borderLeftWidth, borderTopWidth } = getComputedStyle(this.#frame);
    return {
      left: left + parseFloat(paddingLeft) + parseFloat(borderLeftWidth),
      top: top + parseFloat(paddingTop) + parseFloat(borderTopWidth),
    };
  }

  // From now on the drawing fills its frame, which keeps its height, and the viewBox says what of it is seen.
  #enter() {
    if (this.#at) return;
    const seen = this.#seen();
    if (!this.#full) this.#frame.style.height = `${this.#frame.getBoundingClientRect().height}px`;
    this.#frame.classList.add('zoomed');
    this.#frame.scrollTo(0, 0);
    this.#at = seen;
  }

  /** As it was drawn on the page. */
  #leave() {
    cancelAnimationFrame(this.#gliding);
    this.#at = null;
    this.#frame.classList.remove('zoomed', 'pans');
    this.#frame.style.height = '';
    this.#svg.setAttribute('viewBox', this.#whole.text);
    this.#tell();
  }

  #size() {
    const { width, height } = this.#svg.getBoundingClientRect();
    return { width, height };
  }

  #limits() {
    const { width, height } = this.#size();
    const least = Math.min(width / this.#whole.width, height / this.#whole.height);
    return { least, most: Math.max(4, 4 * least) };
  }

  // No further than the drawing goes; what is smaller than the frame stays in its middle.
  #bounded({ x, y, k }) {
    const { width, height } = this.#size();
    const { least, most } = this.#limits();
    const scale = between(least, k, most);
    const along = (start, from, all, seen) => (
      seen >= all ? from - (seen - all) / 2 : between(from, start, from + all - seen)
    );
    return {
      x: along(x, this.#whole.x, this.#whole.width, width / scale),
      y: along(y, this.#whole.y, this.#whole.height, height / scale),
      k: scale,
    };
  }

  #show(wanted) {
    const { width, height } = this.#size();
    if (!width || !height) return;
    const at = this.#bounded(wanted);
    this.#at = at;
    this.#svg.setAttribute('viewBox', [at.x, at.y, width / at.k, height / at.k].map((n) => n.toFixed(2)).join(' '));
    this.#frame.classList.toggle('pans', at.k > this.#limits().least * 1.001);
    this.#tell();
  }

  #glide(wanted, then) {
    cancelAnimationFrame(this.#gliding);
    if (still.matches) {
      this.#show(wanted);
      then?.();
      return;
    }
    const from = this.#at;
    const to = this.#bounded(wanted);
    const begin = performance.now();
    const step = (now) => {
      const part = between(0, (now - begin) / GLIDE_MS, 1);
      const eased = 1 - (1 - part) ** 2;
      const mix = (name) => from[name] + (to[name] - from[name]) * eased;
      this.#show(part < 1 ? { x: mix('x'), y: mix('y'), k: mix('k') } : to);
      if (part < 1) this.#gliding = requestAnimationFrame(step);
      else then?.();
    };
    this.#gliding = requestAnimationFrame(step);
  }

  // What is at that place of the screen stays there.
  #closer(factor, { clientX, clientY }) {
    const { left, top } = this.#svg.getBoundingClientRect();
    const { x, y, k } = this.#at;
    const { least, most } = this.#limits();
    const scale = between(least, k * factor, most);
    const across = clientX - left;
    const down = clientY - top;
    return { x: x + across / k - across / scale, y: y + down / k - down / scale, k: scale };
  }

  #middle() {
    const { left, top, width, height } = this.#svg.getBoundingClientRect();
    return { clientX: left + width / 2, clientY: top + height / 2 };
  }

  #by(factor) {
    this.#enter();
    const to = this.#closer(factor, this.#middle());
    if (to.k <= this.#limits().least * 1.001) this.#fit(true);
    else this.#glide(to);
  }

  /** All of it; on the page without a trace of zooming, if all of it is seen then. */
  #fit(glides = false) {
    this.#enter();
    const rest = () => { if (!this.#full && this.#all()) this.#leave(); };
    const to = { ...this.#whole, k: 0 };
    if (glides) this.#glide(to, rest);
    else { this.#show(to); rest(); }
  }

  // Whether the drawing, as the page has it, needs no scrolling.
  #all() {
    const at = this.#at;
    this.#leave();
    const { scrollWidth, clientWidth, scrollHeight, clientHeight } = this.#frame;
    const all = scrollWidth <= clientWidth + 1 && scrollHeight <= clientHeight + 1;
    if (!all) { this.#enter(); this.#show(at); }
    return all;
  }

  #tell() {
    const { closer, out, fit } = this.#tools;
    const least = this.#at && this.#limits();
    const small = this.#at ? this.#at.k <= least.least * 1.001 : !this.#overflows();
    const large = Boolean(this.#at) && this.#at.k >= least.most * 0.999;
    closer.setAttribute('aria-disabled', String(large));
    for (const less of [out, fit]) less.setAttribute('aria-disabled', String(small));
    const words = this.#at ? `${Math.round(this.#at.k * 100)} %` : '';
    if (this.#level.textContent !== words) this.#level.textContent = words;
  }

  #overflows() {
    return this.#frame.scrollWidth > this.#frame.clientWidth + 1;
  }

  #pan(across, down, glides = false) {
    const to = { ...this.#at, x: this.#at.x + across / this.#at.k, y: this.#at.y + down / this.#at.k };
    if (glides) this.#glide(to);
    else this.#show(to);
  }

  #wheel(event) {
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    if (event.ctrlKey || event.metaKey) {
      // Over a diagram the page itself must not grow.
      event.preventDefault();
      cancelAnimationFrame(this.#gliding);
      this.#enter();
      const turn = between(-60, event.deltaY * lines, 60);
      this.#show(this.#closer(Math.exp(-turn / 150), event));
      if (!this.#frame.classList.contains('pans')) this.#fit();
      return;
    }
    if (!this.#full) return;
    event.preventDefault();
    const [across, down] = event.shiftKey && !event.deltaX ? [event.deltaY, 0] : [event.deltaX, event.deltaY];
    this.#pan(across * lines, down * lines);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = {
      '+': () => this.#by(STEP),
      '=': () => this.#by(STEP),
      '-': () => this.#by(1 / STEP),
      _: () => this.#by(1 / STEP),
      0: () => this.#fit(true),
      f: () => this.#tools.full.click(),
    }[event.key];
    const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!act && !(arrow && this.#at)) return;
    event.preventDefault();
    if (act) act();
    else this.#pan(arrow[0] * PAN_PX, arrow[1] * PAN_PX, true);
  }

  #down(event) {
    if (event.pointerType !== 'touch' && event.button !== 0) return;
    if (this.#fingers.size === 0) this.#moved = false;
    this.#fingers.set(event.pointerId, event);
    cancelAnimationFrame(this.#gliding);
  }

  #move(event) {
    const before = this.#fingers.get(event.pointerId);
    if (!before) return;
    // The button was let go outside the window.
    if (event.buttons === 0) { this.#up(event); return; }
    const other = [...this.#fingers.values()].find((finger) => finger.pointerId !== event.pointerId);
    const across = event.clientX - before.clientX;
    const down = event.clientY - before.clientY;
    if (!this.#moved && Math.hypot(across, down) < FEW_PX) return;
    if (!other && !this.#frame.classList.contains('pans')) return;
    this.#fingers.set(event.pointerId, event);
    if (!this.#moved) {
      this.#moved = true;
      for (const id of this.#fingers.keys()) this.#frame.setPointerCapture(id);
    }
    if (!other) { this.#pan(-across, -down); return; }
    this.#enter();
    const apart = (one) => Math.max(1, Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY));
    const middle = { clientX: (event.clientX + other.clientX) / 2, clientY: (event.clientY + other.clientY) / 2 };
    this.#show(this.#closer(apart(event) / apart(before), middle));
    this.#pan(-across / 2, -down / 2);
  }

  #up(event) {
    this.#fingers.delete(event.pointerId);
    if (this.#moved && this.#at && !this.#full && !this.#frame.classList.contains('pans')) this.#fit();
  }

  // A box that gets the focus by Tab comes into view.
  #reveal(target) {
    if (!this.#at || !this.#svg.contains(target) || !target.matches(':focus-visible')) return;
    const box = target.getBoundingClientRect();
    const frame = this.#svg.getBoundingClientRect();
    this.#frame.scrollTo(0, 0);
    const inside = box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom;
    if (!inside) this.#centre(target, true);
  }

  // The drawing itself moves into the dialog: lights go on, and no id is there twice.
  #open() {
    const focused = document.activeElement;
    const place = document.createElement('div');
    this.#frame.before(place);
    place.style.height = `${this.#frame.getBoundingClientRect().height}px`;
    this.#leave();

    const dialog = document.createElement('dialog');
    dialog.className = 'diagram-full';
    const title = document.createElement('h2');
    title.id = 'diagram-full-title';
    title.textContent = this.#svg.querySelector('title')?.textContent ?? 'Diagram';
    dialog.setAttribute('aria-labelledby', title.id);
    const bar = document.createElement('div');
    bar.className = 'diagram-bar';
    const figure = document.createElement('figure');
    figure.className = 'diagram';
    const home = document.createComment('');
    this.#tools.row.before(home);
    this.#tools.full.textContent = 'Close';
    bar.append(title, this.#tools.row);
    figure.append(this.#frame);
    dialog.append(bar, figure);
    document.body.append(dialog);
    dialog.showModal();
    this.#full = dialog;
    this.#fit();
    this.#readable();
    this.#frame.focus({ preventScroll: true });

    dialog.addEventListener('close', () => {
      this.#full = null;
      this.#leave();
      place.replaceWith(this.#frame);
      this.#tools.full.textContent = 'Full view';
      home.replaceWith(this.#tools.row);
      dialog.remove();
      this.#tell();
      focused?.focus({ preventScroll: true });
    }, { once: true });
  }

  // What does not fit begins with its first node.
  #readable() {
    const words = Number(this.#svg.getAttribute('font-size')) || 16;
    const k = READABLE_PX / words;
    if (this.#limits().least >= k) return;
    this.#enter();
    this.#show({ ...this.#whole, k });
    const first = this.#svg.querySelector('.node');
    if (first) this.#centre(first);
  }

  #centre(part, glides = false) {
    const box = part.getBoundingClientRect();
    const { clientX, clientY } = this.#middle();
    this.#pan((box.left + box.right) / 2 - clientX, (box.top + box.bottom) / 2 - clientY, glides);
  }
}

const frames = [...document.querySelectorAll('figure.diagram .diagram-scroll')].filter((frame) => (
  frame.querySelector(':scope > svg[viewBox]')
));
await styled;
for (const frame of frames) {
  const { tools } = new Drawing(frame);
  // On the line of the text form where there is one; else above, so that they stay where they are if the frame grows.
  if (frame.parentElement.querySelector(':scope > .diagram-text')) frame.after(tools);
  else frame.before(tools);
}
