// A small chart of one number over the materializations, with axes.

import {h, s} from './dom.js';
import {dayAndTime, exact, hourAndMinute, quantity} from './format.js';

const WIDTH = 240;
const HEIGHT = 104;
const LEFT = 44; // for the numbers of the axis
const BELOW = 18; // for its times
const ABOVE = 8;
const BESIDE = 6;
const STEPS = [1, 2, 2.5, 5, 10];
const LONGEST_TICK = 8; // characters that have room
const SHORT = new Intl.NumberFormat('en-US', {notation: 'compact', maximumSignificantDigits: 3});

/** `points` are `{value, at, href}`, oldest first. */
export function lineChart(name, points, format = quantity) {
  const values = points.map((point) => point.value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const ticks = ticksOf(low, high);
  const [bottom, top] = [Math.min(low, ticks[0]), Math.max(high, ticks.at(-1))];
  const x = (index) => LEFT + BESIDE + (index / (points.length - 1)) * (WIDTH - LEFT - 2 * BESIDE);
  const y = (value) => (top === bottom ? (HEIGHT - BELOW + ABOVE) / 2 : HEIGHT - BELOW - ((value - bottom) / (top - bottom)) * (HEIGHT - BELOW - ABOVE));
  const line = points.map((point, index) => `${index ? 'L' : 'M'}${x(index).toFixed(1)} ${y(point.value).toFixed(1)}`).join('');
  const ground = HEIGHT - BELOW;
  return h(
    'figure',
    {class: 'chart card', key: name},
    h('figcaption', {class: 'row'}, h('span', {class: 'muted small cut grow', dir: 'auto', title: name}, name), h('span', {class: 'strong nowrap'}, format(points.at(-1).value))),
    s(
      'svg',
      {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'group', 'aria-label': `${name}: ${points.length} values from ${format(low)} to ${format(high)}, the last ${format(points.at(-1).value)}`},
      ticks.map((tick) => [s('path', {class: 'chart-grid', d: `M${LEFT} ${y(tick)}H${WIDTH}`}), s('text', {class: 'chart-tick', x: LEFT - 5, y: y(tick) + 3, 'text-anchor': 'end'}, tickText(tick, format))]),
      ends(points).map(([text, anchor]) => s('text', {class: 'chart-tick', x: anchor === 'start' ? LEFT : WIDTH, y: HEIGHT - 4, 'text-anchor': anchor}, text)),
      s('path', {class: 'chart-area', d: `${line}L${x(points.length - 1)} ${ground}L${x(0)} ${ground}Z`}),
      s('path', {class: 'chart-line', d: line}),
      points.map((point, index) =>
        s('a', {href: point.href, class: 'chart-point', tabindex: '-1'}, s('circle', {cx: x(index), cy: y(point.value), r: points.length > 40 ? 1.6 : 2.6}), s('title', {}, `${format(point.value)} · ${exact(point.at)}`)),
      ),
    ),
    h('div', {class: 'row chart-range muted small'}, h('span', {class: 'grow'}, high === low ? 'unchanged' : `${format(low)} – ${format(high)}`), h('span', {}, `${points.length} values`)),
  );
}

/** Two or three round numbers within or around these, from the lowest up. */
function ticksOf(low, high) {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const rough = span / 2;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = STEPS.find((one) => one * power >= rough * 0.999) * power;
  if (!(step > 0)) return [low, high];
  const first = Math.floor(low / step + 1e-9);
  const ticks = Array.from({length: 4}, (_, index) => (first + index) * step);
  return ticks.filter((tick, index) => index === 0 || tick - step < high - step * 1e-6);
}

function tickText(tick, format) {
  const text = format(+tick.toPrecision(12));
  return text.length <= LONGEST_TICK ? text : SHORT.format(tick);
}

/** The times of the first and the last value, as short as they can be told apart. */
function ends(points) {
  const [first, last] = [points[0].at, points.at(-1).at].map((at) => new Date(at));
  const oneDay = first.toDateString() === last.toDateString();
  const text = (at) => (oneDay ? hourAndMinute(at) : dayAndTime(at, false));
  return text(first) === text(last) ? [[text(last), 'end']] : [[text(first), 'start'], [text(last), 'end']];
}
