'use strict';
(() => {
const $ = id => document.getElementById(id);
const data = JSON.parse($('data').textContent);
const SVG = 'http://www.w3.org/2000/svg';
const LINE = 17, PAD = 10, MARGIN = 14;

const html = (tag, text, attrs) => set(document.createElement(tag), text, attrs);
const svg = (tag, attrs, text) => set(document.createElementNS(SVG, tag), text, attrs);
function set(node, text, attrs) {
  for (const k in attrs) node.setAttribute(k, attrs[k]);
  if (text !== undefined) node.textContent = text;
  return node;
}

// Every box knows its stage and the box that it lies in.
const boxes = [];
const walk = (d, stage, up, depth) => d.items.forEach(b => {
  Object.assign(b, { stage, up, open: !!b.in && depth < data.depth, id: 'b' + boxes.length });
  boxes.push(b);
  if (b.in) walk(b.in, stage, b, depth + 1);
});
data.stages.forEach((s, i) => walk(s.drawing, i, null, 1));

const shown = new Set([data.first]);
// What is looked at: lines that light boxes, lines that are told beside, the box that was chosen.
let lit = new Set(), too = new Set(), here = null;
const panes = data.stages.map((stage, i) => {
  const root = html('div', undefined, { class: 'pane' });
  const head = html('h2', stage.name);
  head.append(html('span', stage.about));
  const view = svg('g', {});
  const picture = svg('svg', { tabindex: 0, role: 'listbox', 'aria-label': `The stage ${stage.name}` });
  picture.append(view);
  root.append(head, picture);
  const pane = { i, root, picture, view, x: 0, y: 0, k: 1, flat: [], fresh: true };
  hands(pane);
  return pane;
});

// ---- Where things lie: boxes that are opened push away what is behind and beneath them. ----

// Moves `v` by what opened boxes before it have grown; `grown` has their begins, ends and growths.
function stretch(grown) {
  const at = [], by = [];
  const move = v => {
    let m = 0;
    for (let k = 0; k < at.length && at[k] <= v; k++) m = by[k];
    return m;
  };
  for (const [from, to, more] of grown.filter(g => g[2] > 0).sort((a, b) => a[1] - b[1])) {
    const m = Math.max(move(to), move(from) + more);
    at.push(to);
    by.push(m);
  }
  return v => v + move(v);
}

function place(d) {
  const sizes = d.items.map(b => {
    const [, , w, h] = b.r;
    if (!b.open) return { w, h };
    const within = place(b.in);
    const top = PAD * 1.5 + LINE * b.lines.length;
    return { within, w: Math.max(w, within.w + 3 * PAD), h: top + within.h + 1.5 * PAD, top };
  });
  const X = stretch(d.items.map((b, i) => [b.r[0], b.r[0] + b.r[2], sizes[i].w - b.r[2]]));
  const Y = stretch(d.items.map((b, i) => [b.r[1], b.r[1] + b.r[3], sizes[i].h - b.r[3]]));
  const rects = d.items.map((b, i) => ({ ...sizes[i], x: X(b.r[0]), y: Y(b.r[1]) }));
  return { w: X(d.w), h: Y(d.h), X, Y, rects };
}

// The points of an edge: its ends follow its boxes.
function points(e, d, at) {
  const p = [];
  for (let k = 0; k < e.p.length; k += 2) p.push([at.X(e.p[k]), at.Y(e.p[k + 1])]);
  const end = (which, i) => {
    const r = at.rects[i], [x, , w, h] = d.items[i].r;
    const right = e.p[which ? e.p.length - 2 : 0] > x + w / 2;
    return [right ? r.x + r.w : r.x, r.y + h / 2];
  };
  const last = p.length - 1;
  p[0] = end(false, e.from);
  p[last] = end(true, e.to);
  if (e.across) {
    p[1][1] = p[0][1];
    p[last - 1][1] = p[last][1];
  }
  return p;
}

function path(p, across) {
  let out = '';
  p.forEach(([x, y], i) => {
    if (!i) return void (out += `M${x} ${y}`);
    const [px, py] = p[i - 1];
    if (across && i + 1 < p.length) {
      const [nx, ny] = p[i + 1];
      const r = Math.min(5, (Math.abs(x - px) + Math.abs(y - py)) / 2, (Math.abs(nx - x) + Math.abs(ny - y)) / 2);
      const step = (a, b) => r * Math.sign(b - a);
      out += `L${x - step(px, x)} ${y - step(py, y)}Q${x} ${y} ${x + step(x, nx)} ${y + step(y, ny)}`;
    } else if (across || py === y) out += `L${x} ${y}`;
    else out += `C${(px + x) / 2} ${py} ${(px + x) / 2} ${y} ${x} ${y}`;
  });
  return out;
}

// ---- Drawing ----

function draw(pane) {
  pane.flat = [];
  pane.view.textContent = '';
  const drawing = data.stages[pane.i].drawing;
  const at = place(drawing);
  Object.assign(pane, { w: at.w + 2 * MARGIN, h: at.h + 2 * MARGIN });
  inside(pane, pane.view, drawing, at, MARGIN, MARGIN, 0, 0);
  paint(pane);
}

// `dx`, `dy` lead from the corner of `root` to that of the drawing, `rx`, `ry` to the corner of `root`.
function inside(pane, root, d, at, dx, dy, rx, ry) {
  const g = svg('g', { transform: `translate(${dx} ${dy})` });
  root.append(g);
  const [x0, y0] = [rx + dx, ry + dy];
  for (const [name, y] of d.bands) g.append(svg('text', { class: 'band', x: 0, y: at.Y(y) + 11 }, name));
  for (const e of d.edges) {
    const p = points(e, d, at);
    e.path = svg('path', { class: e.across ? 'wire across' : 'wire', d: path(p, e.across), 'marker-end': 'url(#arrow)' });
    g.append(e.path);
    e.text = null;
    if (!e.label) continue;
    const back = p[1][0] < p[0][0];
    e.text = svg('text', { class: back ? 'shape end' : 'shape', x: p[0][0] + (back ? -5 : 5), y: p[0][1] - 5 }, e.label);
  }
  for (const e of d.edges) if (e.text) g.append(e.text);
  d.items.forEach((b, i) => {
    const r = at.rects[i];
    const s = svg('g', { class: `box ${b.class}${b.in ? ' can' : ''}${b.open ? ' open' : ''}`, id: b.id, role: 'option', 'aria-label': b.lines.join(', ') });
    s.append(svg('title', {}, b.about));
    s.append(svg('rect', { x: r.x, y: r.y, width: r.w, height: r.h, rx: b.round }));
    b.lines.forEach((line, k) => {
      s.append(svg('text', { ...(k ? {} : { class: 'name' }), x: r.x + PAD, y: r.y + PAD + LINE * k + 10 }, line));
    });
    if (b.in) {
      const [x, y] = [r.x + r.w - 12, r.y + 12];
      s.append(svg('rect', { class: 'fold', x: x - 12, y: y - 12, width: 24, height: 24 }));
      s.append(svg('path', { class: 'sign', d: `M${x - 4} ${y}h8${b.open ? '' : `M${x} ${y - 4}v8`}` }));
    }
    b.node = s;
    b.at = { x: x0 + r.x, y: y0 + r.y, w: r.w, h: r.h };
    g.append(s);
    pane.flat.push(b);
    if (b.open) inside(pane, g, b.in, r.within, r.x + 1.5 * PAD, r.y + r.top, x0, y0);
  });
}

// ---- What is lit ----

const glows = b => b.own.some(l => lit.has(l));
const holds = b => !!b.in && b.in.items.some(c => glows(c) || holds(c));

function paint(pane) {
  const any = lit.size > 0 || !!here;
  pane.picture.classList.toggle('picked', any);
  pane.picture.removeAttribute('aria-activedescendant');
  for (const b of pane.flat) {
    const on = b === here || glows(b);
    b.node.classList.toggle('lit', any && on);
    b.node.classList.toggle('holds', any && !on && holds(b));
    b.node.classList.toggle('here', b === here);
    b.node.classList.toggle('match', found.includes(b) || (!b.open && found.some(f => above(f).includes(b))));
    b.node.setAttribute('aria-selected', b === here);
    if (b === here) pane.picture.setAttribute('aria-activedescendant', b.id);
  }
  const wires = d => {
    for (const b of d.items) if (b.open) wires(b.in);
    for (const e of d.edges) {
      const on = any && [e.from, e.to].some(i => d.items[i] === here || (!here && glows(d.items[i])));
      e.path.classList.toggle('lit', on);
      if (e.text) e.text.classList.toggle('lit', on);
    }
  };
  wires(data.stages[pane.i].drawing);
}

function above(b) {
  const out = [];
  while ((b = b.up)) out.push(b);
  return out;
}

function choose(lines, beside, box) {
  [lit, too, here] = [new Set(lines), new Set(beside), box];
  for (const pane of panes) if (shown.has(pane.i)) {
    paint(pane);
    const on = pane.flat.filter(b => b === here || (glows(b) && !(b.open && holds(b))));
    if (on.length && !on.some(b => seen(pane, b))) center(pane, box && box.stage === pane.i ? box : on[0]);
  }
  let first = null;
  for (const li of $('source').querySelectorAll('li')) {
    const n = +li.dataset.l, is = lit.has(n);
    li.classList.toggle('lit', is);
    li.classList.toggle('too', !is && too.has(n));
    li.setAttribute('aria-selected', is);
    if (is && !first) first = li;
  }
  if (first && box) first.scrollIntoView({ block: 'nearest' });
  tell();
}

function tell() {
  const about = $('about');
  about.textContent = '';
  if (here) return void about.append(html('pre', here.about));
  if (lit.size) {
    const n = data.stages.map((s, i) => [s.name, boxes.filter(b => b.stage === i && !b.in && glows(b)).length]);
    about.append(html('p', `line ${[...lit].map(l => numbers[l]).join(', ')}: ` + n.filter(x => x[1]).map(x => `${x[1]} in ${x[0]}`).join(', ')));
    return;
  }
  const legend = html('p');
  for (const [name, key] of [['data', 'data'], ['weights', 'weights'], ['gradients', 'back'], ['updates', 'new']]) {
    const span = html('span'), i = html('i');
    i.style.cssText = `background: var(--${key}); border-color: var(--${key}-edge)`;
    span.append(i, name);
    legend.append(span);
  }
  const keys = html('p');
  for (const [key, what] of [['arrows', 'go from box to box'], ['Enter', 'opens and closes'], ['+ − 0', 'zoom'], ['/', 'search'], ['Esc', 'lets go']]) {
    const span = html('span');
    span.append(html('kbd', key), ' ' + what);
    keys.append(span);
  }
  about.append(html('p', 'A click on a box or on a line of the program lights what belongs together, in every stage. A double click opens a layer.'), legend, keys);
}

// ---- The view ----

function move(pane) {
  pane.view.setAttribute('transform', `translate(${pane.x} ${pane.y}) scale(${pane.k})`);
}

function fit(pane) {
  const { width, height } = pane.picture.getBoundingClientRect();
  if (!width || !pane.w) return;
  const top = 26;
  const k = Math.min(width / pane.w, (height - top) / pane.h);
  // What would be too small to read begins at the left.
  pane.k = Math.min(1.5, Math.max(k, 0.5));
  pane.x = Math.max(0, (width - pane.k * pane.w) / 2);
  pane.y = top + Math.max(0, (height - top - pane.k * pane.h) / 2);
  move(pane);
}

function whole(pane) {
  const { width, height } = pane.picture.getBoundingClientRect();
  pane.k = Math.min(1.5, width / pane.w, (height - 26) / pane.h);
  pane.x = (width - pane.k * pane.w) / 2;
  pane.y = 26 + (height - 26 - pane.k * pane.h) / 2;
  move(pane);
}

function zoom(pane, by, x, y) {
  const r = pane.picture.getBoundingClientRect();
  [x, y] = [x ?? r.width / 2, y ?? r.height / 2];
  const k = Math.min(6, Math.max(0.03, pane.k * by));
  pane.x = x - (x - pane.x) * k / pane.k;
  pane.y = y - (y - pane.y) * k / pane.k;
  pane.k = k;
  move(pane);
}

const middle = b => [b.at.x + b.at.w / 2, b.at.y + Math.min(b.at.h, 60) / 2];

function seen(pane, b) {
  const r = pane.picture.getBoundingClientRect(), [x, y] = middle(b);
  const [sx, sy] = [pane.x + x * pane.k, pane.y + y * pane.k];
  return sx > 0 && sy > 0 && sx < r.width && sy < r.height;
}

function center(pane, b) {
  const r = pane.picture.getBoundingClientRect(), [x, y] = middle(b);
  pane.k = Math.max(pane.k, 0.5);
  pane.x = r.width / 2 - x * pane.k;
  pane.y = r.height / 2 - y * pane.k;
  move(pane);
}

// Opens or closes a box; what is under the eye stays where it is.
function toggle(pane, b, open = !b.open) {
  if (!b.in) return;
  const was = b.at && { ...b.at };
  b.open = open;
  draw(pane);
  if (was) {
    pane.x += (was.x - b.at.x) * pane.k;
    pane.y += (was.y - b.at.y) * pane.k;
    move(pane);
  }
}

function all(open) {
  for (const b of boxes) if (b.in) b.open = open;
  for (const pane of panes) shown.has(pane.i) ? (draw(pane), fit(pane)) : (pane.fresh = true);
}

function show() {
  const root = $('panes');
  for (const pane of panes) {
    const on = shown.has(pane.i);
    if (!on) pane.root.remove();
    pane.button.setAttribute('aria-pressed', on);
  }
  for (const pane of panes) if (shown.has(pane.i)) {
    root.append(pane.root);
    if (pane.fresh) draw(pane);
  }
  for (const pane of panes) if (shown.has(pane.i)) {
    fit(pane);
    pane.fresh = false;
    paint(pane);
  }
}

// ---- Hands: pointers and keys ----

function boxOf(pane, target) {
  const g = target.closest && target.closest('.box');
  return g && boxes[+g.id.slice(1)];
}

function pick(b) {
  if (!b || b === here) choose([], [], null);
  else choose(b.own, b.also, b);
}

function hands(pane) {
  const s = pane.picture, down = new Map();
  let moved = false;
  s.addEventListener('pointerdown', e => {
    down.set(e.pointerId, [e.clientX, e.clientY]);
    if (down.size === 1) moved = false;
  });
  s.addEventListener('pointermove', e => {
    const was = down.get(e.pointerId);
    if (!was) return;
    const now = [e.clientX, e.clientY], d = Math.hypot(now[0] - was[0], now[1] - was[1]);
    if (!moved && d < 5) return;
    if (!moved) {
      moved = true;
      for (const id of down.keys()) s.setPointerCapture(id);
      s.classList.add('moved');
    }
    const others = [...down].filter(([id]) => id !== e.pointerId).map(x => x[1]);
    if (others.length) {
      const o = others[0], r = s.getBoundingClientRect();
      zoom(pane, Math.hypot(now[0] - o[0], now[1] - o[1]) / Math.max(1, Math.hypot(was[0] - o[0], was[1] - o[1])), o[0] - r.left, o[1] - r.top);
    } else {
      pane.x += now[0] - was[0];
      pane.y += now[1] - was[1];
      move(pane);
    }
    down.set(e.pointerId, now);
  });
  const up = e => {
    down.delete(e.pointerId);
    s.classList.remove('moved');
  };
  s.addEventListener('pointerup', up);
  s.addEventListener('pointercancel', up);
  s.addEventListener('click', e => {
    if (moved) return void (moved = false);
    const b = boxOf(pane, e.target);
    if (b && e.target.classList.contains('fold')) toggle(pane, b);
    else if (e.detail < 2) pick(b);
  });
  s.addEventListener('dblclick', e => {
    const b = boxOf(pane, e.target);
    if (!b || e.target.classList.contains('fold')) return;
    choose(b.own, b.also, b);
    toggle(pane, b);
  });
  s.addEventListener('wheel', e => {
    e.preventDefault();
    const r = s.getBoundingClientRect();
    zoom(pane, Math.exp(-e.deltaY * (e.deltaMode ? 0.05 : 0.0016)), e.clientX - r.left, e.clientY - r.top);
  }, { passive: false });
  s.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[e.key];
    if (way) go(pane, way);
    else if ((e.key === 'Enter' || e.key === ' ') && here && here.stage === pane.i) toggle(pane, here);
    else return;
    e.preventDefault();
  });
}

// To the nearest box on the same level, in a direction.
function go(pane, [dx, dy]) {
  const from = here && here.stage === pane.i && pane.flat.includes(here) ? here : null;
  let best = null, least = Infinity;
  for (const b of pane.flat.filter(b => b !== from && (!from || b.up === from.up || b.up === from))) {
    if (!from) { best = best || b; continue; }
    const [x, y] = middle(b), [fx, fy] = middle(from);
    const along = (x - fx) * dx + (y - fy) * dy, off = Math.abs((x - fx) * dy) + Math.abs((y - fy) * dx);
    if (along > 1 && along + 2.5 * off < least) [best, least] = [b, along + 2.5 * off];
  }
  if (!best && from && from.up) best = from.up;
  if (!best) return;
  choose(best.own, best.also, best);
  if (!seen(pane, best)) center(pane, best);
}

// ---- Search ----

let found = [], turn = -1;
function find() {
  const words = $('find').value.trim().toLowerCase();
  found = words ? boxes.filter(b => b.about.toLowerCase().includes(words)) : [];
  turn = -1;
  $('found').textContent = words ? (found.length ? `${found.length} found` : 'nothing') : '';
  for (const pane of panes) if (shown.has(pane.i)) paint(pane);
}
function next(by) {
  // Those of the stages that are open come first.
  const list = found.some(b => shown.has(b.stage)) ? found.filter(b => shown.has(b.stage)) : found;
  if (!list.length) return;
  turn = (turn + by + list.length) % list.length;
  const b = list[turn], pane = panes[b.stage];
  if (!shown.has(b.stage)) {
    shown.clear();
    shown.add(b.stage);
  }
  for (const a of above(b)) a.open = true;
  pane.fresh || draw(pane);
  show();
  choose(b.own, b.also, b);
  center(pane, b);
  $('found').textContent = `${turn + 1} of ${list.length}`;
}
$('find').addEventListener('input', find);
$('find').addEventListener('keydown', e => {
  if (e.key === 'Enter') next(e.shiftKey ? -1 : 1);
  if (e.key === 'Escape') {
    $('find').value = '';
    find();
    $('find').blur();
  }
});

// ---- The program ----

const numbers = [];
const used = new Set(boxes.flatMap(b => b.own));
let line = 0;
for (const file of data.files) {
  if (data.files.length > 1) $('source').append(html('h2', file.name));
  const list = html('ol', undefined, { tabindex: 0, role: 'listbox', 'aria-label': `The program ${file.name}` });
  file.text.split('\n').forEach((text, n) => {
    const li = html('li', text || ' ', { 'data-l': line, 'data-n': n + 1, role: 'option' });
    if (used.has(line)) li.classList.add('has');
    numbers[line++] = n + 1;
    list.append(li);
  });
  list.addEventListener('click', e => {
    const li = e.target.closest('li');
    if (li) onLine(+li.dataset.l);
  });
  list.addEventListener('keydown', e => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[e.key];
    if (!by) return;
    e.preventDefault();
    const all = [...list.querySelectorAll('li.has')], at = all.findIndex(li => li.classList.contains('lit'));
    const li = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    if (!li) return;
    choose([+li.dataset.l], [], null);
    li.scrollIntoView({ block: 'nearest' });
  });
  $('source').append(list);
}
function onLine(l) {
  const again = !here && lit.size === 1 && lit.has(l);
  choose(again || !used.has(l) ? [] : [l], [], null);
}

// ---- The frame ----

let beside = false;
function sides() {
  beside = !beside;
  $('beside').setAttribute('aria-pressed', beside);
  if (beside && shown.size === 1) shown.add(shown.has(0) ? panes.length - 1 : 0);
  if (!beside) {
    const last = [...shown].pop();
    shown.clear();
    shown.add(last);
  }
  show();
}
$('beside').addEventListener('click', sides);

data.stages.forEach((stage, i) => {
  const button = html('button', stage.name, { title: `${stage.about} (${i + 1})` });
  button.addEventListener('click', () => {
    if (!beside) shown.clear();
    if (beside && shown.has(i) && shown.size > 1) shown.delete(i);
    else shown.add(i);
    show();
  });
  $('stages').append(button);
  panes[i].button = button;
});
const each = f => () => panes.forEach(p => shown.has(p.i) && f(p));
$('in').addEventListener('click', each(p => zoom(p, 1.25)));
$('out').addEventListener('click', each(p => zoom(p, 0.8)));
$('fit').addEventListener('click', each(whole));
$('fold').addEventListener('click', () => all(false));
$('unfold').addEventListener('click', () => all(true));
addEventListener('keydown', e => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.tagName === 'INPUT') return;
  if (e.key === '/') {
    e.preventDefault();
    $('find').focus();
  } else if (e.key === 'Escape') choose([], [], null);
  else if (e.key === '+' || e.key === '=') each(p => zoom(p, 1.25))();
  else if (e.key === '-') each(p => zoom(p, 0.8))();
  else if (e.key === '0') each(whole)();
  else if (e.key === 'b') sides();
  else if (e.key === 'o') all(true);
  else if (e.key === 'c') all(false);
  else if (e.key >= '1' && +e.key <= panes.length) panes[+e.key - 1].button.click();
});
let width = innerWidth;
addEventListener('resize', () => {
  if (innerWidth !== width) each(fit)();
  width = innerWidth;
});
addEventListener('beforeprint', each(p => {
  p.picture.setAttribute('viewBox', `0 0 ${p.w} ${p.h}`);
  p.view.removeAttribute('transform');
}));
addEventListener('afterprint', each(p => {
  p.picture.removeAttribute('viewBox');
  move(p);
}));

const marks = svg('svg', { width: 0, height: 0, style: 'position: absolute', 'aria-hidden': true });
const marker = svg('marker', { id: 'arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto' });
marker.append(svg('path', { class: 'head', d: 'M0 0 8 4 0 8z' }));
marks.append(marker);
document.body.append(marks);
show();
tell();
if (data.search) {
  $('find').value = data.search;
  find();
  next(1);
}
})();
