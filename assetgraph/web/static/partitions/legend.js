// What the colours and patterns of a strip of partitions mean.

import {h} from '../dom.js';
import {word} from '../states.js';
import {lookOf, paintGlyph, penOf} from './looks.js';
import {paintStrip} from './strip.js';

const [WIDTH, HEIGHT] = [18, 12];
const LESS = 3; // pixels above and below a state that is taller than others

/** The states, each with a small picture. `looks` gives the tone, the glyph and the word of each. */
export function legend(states, look = (state) => ({tone: state, sign: state, text: word(state)})) {
  const theme = document.documentElement.dataset.theme;
  return h('ul', {class: 'partition-legend', 'aria-label': 'Legend', key: 'legend'}, states.map((state) => h('li', {key: `${state} ${theme}`}, swatch(state, look(state)), look(state).text)));
}

function swatch(state, {tone, sign}) {
  const canvas = h('canvas', {class: 'partition-swatch', 'aria-hidden': 'true'});
  const pen = penOf(canvas, WIDTH, HEIGHT);
  const look = lookOf(sign, tone);
  const less = look.tall ? LESS : 0;
  paintStrip(pen, [[0, 1, sign]], {at: (number) => number * (WIDTH + 1), top: less, height: HEIGHT - 2 * less, from: 0, until: 1, toned: () => tone});
  paintGlyph(pen, sign, look.ink, WIDTH / 2, HEIGHT / 2, 10);
  return canvas;
}
