// The ticks below the bar of partitions. A text that has no room is left out; its line stays.

import {h, patch} from '../dom.js';

const CENTERED = 30; // pixels of a partition from which on its text is in the middle of it
const GAP = 10;
const INSIDE = 4; // between a line and its text
const pen = document.createElement('canvas').getContext('2d');

/** Draws the ticks of `data` that are in view. The first of them says what the others leave out. */
export function drawAxis(element, data, scale) {
  const {fontSize, fontFamily} = getComputedStyle(element);
  pen.font = `500 ${fontSize} ${fontFamily}`;
  const ticks = data.ticks.filter(([number]) => number >= scale.first && number < scale.end);
  const centered = !data.is_time || scale.each >= CENTERED;
  const slot = ticks.length > 1 ? (ticks[1][0] - ticks[0][0]) * scale.each - GAP : Infinity;
  let free = -Infinity;
  patch(
    element,
    ticks.map(([number, text, major, whole], index) => {
      const said = index ? text : whole;
      const wide = Math.ceil(pen.measureText(said).width);
      const most = data.is_time ? wide : Math.min(wide, Math.max(slot, CENTERED));
      const x = scale.at(number) + (centered ? scale.each / 2 : 0);
      const left = centered ? Math.max(0, Math.min(x - most / 2, scale.width - most)) : x + INSIDE;
      const fits = left >= free && left + most <= scale.width;
      if (fits) free = left + most + GAP;
      return [
        centered ? null : h('span', {class: 'partition-line', data: {major: major || !index ? '' : null}, style: {left: `${x}px`}}),
        fits ? h('span', {class: 'partition-tick', data: {major: data.is_time && (major || !index) ? '' : null}, style: {left: `${left}px`, 'max-width': `${most + 1}px`}}, said) : null,
      ];
    }),
  );
}
