// A small chart of one number over time.

import {h, s} from './dom.js';
import {exact, quantity} from './format.js';

const WIDTH = 220;
const HEIGHT = 64;
const EDGE = 5;

/** `points` are `{value, at, href}`, oldest first. */
export function lineChart(name, points, format = quantity) {
  const values = points.map((point) => point.value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (index) => EDGE + (index / (points.length - 1)) * (WIDTH - 2 * EDGE);
  const y = (value) => (high === low ? HEIGHT / 2 : HEIGHT - EDGE - ((value - low) / (high - low)) * (HEIGHT - 2 * EDGE));
  const line = points.map((point, index) => `${index ? 'L' : 'M'}${x(index).toFixed(1)} ${y(point.value).toFixed(1)}`).join('');
  const last = points.at(-1);
  return h(
    'figure',
    {class: 'chart card', key: name},
    h('figcaption', {class: 'row'}, h('span', {class: 'muted small cut grow', dir: 'auto'}, name), h('span', {class: 'strong'}, format(last.value))),
    s(
      'svg',
      {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'group', 'aria-label': `${name}: ${points.length} values from ${format(low)} to ${format(high)}, the last ${format(last.value)}`},
      s('path', {class: 'chart-area', d: `${line}L${x(points.length - 1)} ${HEIGHT}L${x(0)} ${HEIGHT}Z`}),
      s('path', {class: 'chart-line', d: line}),
      points.map((point, index) =>
        s('a', {href: point.href, class: 'chart-point', tabindex: '-1'}, s('circle', {cx: x(index), cy: y(point.value), r: points.length > 40 ? 1.6 : 2.6}), s('title', {}, `${format(point.value)} · ${exact(point.at)}`)),
      ),
    ),
    h('div', {class: 'row chart-range muted small'}, h('span', {class: 'grow'}, high === low ? 'unchanged' : `${format(low)} – ${format(high)}`), h('span', {}, `${points.length} values`)),
  );
}
