// Paints a row of partitions as a strip: runs of equal states, single cells where there is room for
// them, and what is worst on top.

import {lookOf, paintGlyph} from './looks.js';

const APART = 5; // pixels of a partition from which on it is a cell of its own
const GAP = 1;
const GLYPH_FROM = 18; // pixels
const GLYPH_SIZE = 13;
const LEAST = {failed: 3, running: 3, stale: 2, missing: 1}; // pixels: what must be found is never thinner
const RADIUS = 3;
const TALL = 3; // pixels that a failed partition is taller

/**
 * Paints `cells`, each `[first, size, state]`, at `top` in a row of this height. `at(number)` is the
 * place of a partition along the strip, in pixels, and `toned(state)` its tone.
 */
export function paintStrip(pen, cells, {at, top, height, from, until, toned = (state) => state}) {
  const apart = at(1) - at(0) >= APART;
  for (const [wanted, tall] of [[(look) => !look.tall, 0], [(look) => look.tall, TALL]]) {
    for (const [first, size, state] of cells) {
      const look = lookOf(state, toned(state));
      if (!wanted(look)) continue;
      const begin = Math.max(first, Math.floor(from));
      const end = Math.min(first + size, Math.ceil(until));
      if (begin >= end) continue;
      const box = {top: top - tall, height: height + 2 * tall};
      if (!apart) run(pen, look, state, at(first), at(first + size), box);
      else for (let number = begin; number < end; number += 1) cell(pen, look, state, at(number), at(number + 1) - GAP, box);
    }
  }
}

function run(pen, look, state, left, right, {top, height}) {
  const least = LEAST[state] ?? 0;
  const width = Math.max(right - left, least);
  const x = Math.round((left + right - width) / 2 * 2) / 2;
  fill(pen, look, () => pen.rect(x, top, width, height));
  glyphIn(pen, look, state, x, width, top, height);
}

function cell(pen, look, state, left, right, {top, height}) {
  const width = right - left;
  fill(pen, look, () => pen.roundRect(left, top, width, height, Math.min(RADIUS, width / 3)));
  if (!look.solid && width >= 8) {
    pen.strokeStyle = look.edge;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.roundRect(left + 0.5, top + 0.5, width - 1, height - 1, RADIUS - 0.5);
    pen.stroke();
  }
  glyphIn(pen, look, state, left, width, top, height);
}

function fill(pen, look, shape) {
  for (const paint of [look.fill, look.hatch]) {
    if (!paint) continue;
    pen.fillStyle = paint;
    pen.beginPath();
    shape();
    pen.fill();
  }
}

/** The glyph of a state, on a plain ground so that no pattern runs through it. */
function glyphIn(pen, look, state, left, width, top, height) {
  if (width < GLYPH_FROM || height < GLYPH_SIZE) return;
  const [x, y] = [left + width / 2, top + height / 2];
  if (look.hatch) {
    pen.fillStyle = look.fill;
    pen.beginPath();
    pen.arc(x, y, GLYPH_SIZE / 2 + 1.5, 0, 2 * Math.PI);
    pen.fill();
  }
  paintGlyph(pen, state, look.ink, x, y, GLYPH_SIZE);
}
