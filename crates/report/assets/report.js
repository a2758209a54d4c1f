// What a line says where the pointer is. Everything else is there without a script.
for (const chart of document.querySelectorAll('svg.chart')) {
  const lines = [...chart.querySelectorAll('polyline.line')].map(l => [l.dataset.name, [...l.points]]);
  if (!lines.length) continue;
  const cursor = document.createElementNS(chart.namespaceURI, 'path'), read = document.createElement('p');
  cursor.setAttribute('class', 'cursor');
  read.className = 'read';
  chart.append(cursor);
  chart.after(read);
  const scale = (text, from, to) => {
    const [low, high, log] = text.split(' ').map(Number);
    return at => {
      const v = low + (at - from) / (to - from) * (high - low);
      return log ? 10 ** v : v;
    };
  };
  const x = scale(chart.dataset.x, 52, 368), y = scale(chart.dataset.y, 212, 10);
  const short = v => String(+v.toPrecision(4));
  chart.addEventListener('pointermove', e => {
    const at = new DOMPoint(e.clientX, e.clientY).matrixTransform(chart.getScreenCTM().inverse()).x;
    let px = at, first = true;
    const said = new Map();
    for (const [name, points] of lines) {
      const p = points.reduce((a, b) => Math.abs(b.x - at) < Math.abs(a.x - at) ? b : a);
      if (first) px = p.x;
      first = false;
      if (!said.has(name) || Math.abs(p.x - at) < Math.abs(said.get(name).x - at)) said.set(name, p);
    }
    cursor.setAttribute('d', `M${px} 10V212`);
    const label = chart.dataset.label;
    read.textContent = `${label} ${label === 'epoch' ? Math.round(x(px)) : short(x(px))}: ` +
      [...said].map(([name, p]) => `${name} ${short(y(p.y))}`).join('  ');
  });
  chart.addEventListener('pointerleave', () => {
    cursor.removeAttribute('d');
    read.textContent = '';
  });
}
// The plane after some epochs: a slider, and a button that runs through them.
for (const film of document.querySelectorAll('.film')) {
  const image = film.parentElement.querySelector('image'), last = image.getAttribute('href');
  const frames = [...film.querySelectorAll('template')].map(t => t.content.textContent).concat(last);
  const names = film.dataset.epochs.trim().split(' ').map(e => `after epoch ${e}`).concat('as it was kept');
  const slider = document.createElement('input'), play = document.createElement('button'), said = document.createElement('output');
  Object.assign(slider, { type: 'range', min: 0, max: frames.length - 1, value: frames.length - 1 });
  slider.setAttribute('aria-label', 'epoch');
  play.textContent = 'play';
  film.append(play, slider, said);
  let timer;
  const show = at => {
    slider.value = at;
    image.setAttribute('href', frames[at]);
    said.textContent = names[at];
  };
  const stop = () => {
    clearInterval(timer);
    play.textContent = 'play';
  };
  slider.addEventListener('input', () => (stop(), show(+slider.value)));
  play.addEventListener('click', () => {
    if (play.textContent === 'stop') return stop();
    play.textContent = 'stop';
    let at = 0;
    show(at);
    timer = setInterval(() => {
      if (at + 1 >= frames.length) stop();
      else show(++at);
    }, 350);
  });
  addEventListener('beforeprint', () => (stop(), show(frames.length - 1)));
  show(frames.length - 1);
}
