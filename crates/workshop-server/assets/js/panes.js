// Three panes and two separators between them. Sizes are kept in the browser, in per cent.

const KEY = 'workshop-panes';
const STEP = 2;
const REM = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
const LEAST = { task: 19, code: 26, out: 22 };

function kept() {
  try {
    const { task, out } = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return { task: Number(task) || 25, out: Number(out) || 31 };
  } catch {
    return { task: 25, out: 31 };
  }
}

export function panes() {
  const split = document.querySelector('.split');
  const rules = [...document.querySelectorAll('[data-rule]')];
  if (!split || rules.length === 0) return;
  const sizes = kept();

  const least = (name) => (LEAST[name] * REM * 100) / split.clientWidth;
  const show = () => {
    for (const rule of rules) {
      const name = rule.dataset.rule;
      const other = name === 'task' ? 'out' : 'task';
      const most = Math.max(least(name), 100 - least('code') - Math.max(sizes[other], least(other)));
      const size = Math.min(Math.max(sizes[name], least(name)), most);
      split.style.setProperty(`--${name}`, `${size}%`);
      rule.setAttribute('aria-valuemin', Math.round(least(name)));
      rule.setAttribute('aria-valuemax', Math.round(most));
      rule.setAttribute('aria-valuenow', Math.round(size));
    }
  };
  const set = (name, size) => {
    const other = name === 'task' ? 'out' : 'task';
    const most = 100 - least('code') - Math.max(sizes[other], least(other));
    sizes[name] = Math.min(Math.max(size, least(name)), Math.max(most, least(name)));
    show();
    localStorage.setItem(KEY, JSON.stringify(sizes));
  };

  for (const rule of rules) {
    const name = rule.dataset.rule;
    // To the right makes what is left of it larger.
    const sign = name === 'task' ? 1 : -1;
    rule.addEventListener('keydown', (event) => {
      const now = Number(rule.getAttribute('aria-valuenow'));
      const next = {
        ArrowLeft: now - sign * STEP,
        ArrowRight: now + sign * STEP,
        Home: 0,
        End: 100,
      }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      set(name, next);
    });
    rule.addEventListener('dblclick', () => set(name, name === 'task' ? 25 : 31));
    rule.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      rule.setPointerCapture(event.pointerId);
      const box = split.getBoundingClientRect();
      const move = ({ clientX }) => {
        const part = ((clientX - box.left) * 100) / box.width;
        set(name, name === 'task' ? part : 100 - part);
      };
      rule.addEventListener('pointermove', move);
      rule.addEventListener('lostpointercapture', () => rule.removeEventListener('pointermove', move), { once: true });
    });
  }
  show();
  addEventListener('resize', show);
}
