// How a state looks in a strip of partitions: a colour, and a pattern or a height beside it, so that
// nobody has to tell colours apart.

const SIZE = 8; // pixels of a pattern's tile
const GLYPH = 16; // units of a glyph's own picture
const HATCHES = {
  stale: (pen) => line(pen, [[-2, 6], [6, -2]], [[2, 10], [10, 2]]),
  running: (pen) => line(pen, [[-2, 2], [6, 10]], [[2, -2], [10, 6]]),
  missing: (pen) => dots(pen, [2, 2], [6, 6]),
  skipped: (pen) => line(pen, [[0, 4], [8, 4]]),
  external: (pen) => line(pen, [[4, 0], [4, 8]]),
};
const STRONG = new Set(['failed', 'running']); // full colour: they are to be found at once
const drawn = new Map();
document.addEventListener('themechange', () => drawn.clear());

/** The look of a state: `fill` and `hatch` to paint with, `ink` for its glyph, and whether it is tall. */
export function lookOf(state, tone = state) {
  const name = `${state} ${tone}`;
  if (!drawn.has(name)) drawn.set(name, made(state, tone));
  return drawn.get(name);
}

function made(state, tone) {
  const colour = (given) => getComputedStyle(document.documentElement).getPropertyValue(`--${given}`).trim();
  const [full, tint, surface] = [colour(tone), colour(`${tone}-tint`), colour('surface')];
  const dark = document.documentElement.dataset.theme === 'dark';
  const strong = STRONG.has(state);
  const solid = strong || state === 'fresh';
  return {
    fill: strong ? full : state === 'fresh' ? mixed(full, surface, dark ? 0.52 : 0.7) : state === 'stale' ? mixed(full, tint, 0.1) : tint,
    hatch: HATCHES[state] ? pattern(HATCHES[state], strong ? mixed(full, surface, 0.62) : mixed(full, surface, state === 'missing' ? 0.5 : 0.8)) : null,
    ink: state === 'fresh' && dark ? colour('text') : solid ? surface : full,
    edge: mixed(full, surface, state === 'missing' ? 0.4 : 0.75),
    tall: state === 'failed',
    solid,
  };
}

/** `share` of one colour and the rest of another, both as #rrggbb. */
export function mixed(one, other, share) {
  const parts = (text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16));
  const [a, b] = [parts(one), parts(other)];
  return `rgb(${a.map((value, at) => Math.round(value * share + b[at] * (1 - share))).join(' ')})`;
}

function pattern(draw, colour) {
  const ratio = pixelRatio();
  const tile = document.createElement('canvas');
  tile.width = tile.height = SIZE * ratio;
  const pen = tile.getContext('2d');
  pen.scale(ratio, ratio);
  pen.strokeStyle = pen.fillStyle = colour;
  pen.lineWidth = 1.5;
  draw(pen);
  const found = pen.createPattern(tile, 'repeat');
  found.setTransform(new DOMMatrix().scale(1 / ratio));
  return found;
}

function line(pen, ...lines) {
  for (const [from, to] of lines) {
    pen.beginPath();
    pen.moveTo(...from);
    pen.lineTo(...to);
    pen.stroke();
  }
}

function dots(pen, ...places) {
  for (const [x, y] of places) {
    pen.beginPath();
    pen.arc(x, y, 0.9, 0, 2 * Math.PI);
    pen.fill();
  }
}

/** Paints the glyph of a state in the middle of a place. */
export function paintGlyph(pen, name, ink, x, y, size) {
  const path = document.querySelector(`#g-${name} path`);
  if (!path) return;
  pen.save();
  pen.translate(x - size / 2, y - size / 2);
  pen.scale(size / GLYPH, size / GLYPH);
  const shape = new Path2D(path.getAttribute('d'));
  pen.lineWidth = Number(path.getAttribute('stroke-width') ?? 2);
  pen.lineCap = pen.lineJoin = 'round';
  pen.strokeStyle = pen.fillStyle = ink;
  if (path.getAttribute('fill') === 'currentColor') pen.fill(shape);
  else pen.stroke(shape);
  pen.restore();
}

/** A canvas of this size in pixels of the page, cleared, and its pen. */
export function penOf(canvas, width, height) {
  const ratio = pixelRatio();
  canvas.width = Math.max(1, Math.round(width * ratio));
  canvas.height = Math.max(1, Math.round(height * ratio));
  const pen = canvas.getContext('2d');
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  return pen;
}

function pixelRatio() {
  return Math.min(devicePixelRatio || 1, 2);
}
