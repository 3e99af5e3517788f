// The progress of a running step: a bar if the total is known, the amounts, and a speed for bytes.

import {h} from './dom.js';
import {bytes, quantity} from './format.js';

const BYTES = 'B';
const RATE_S = 5;

/** The report `next`, with the samples of the last few seconds for the speed. */
export function followed(before, next) {
  const known = before?.samples ?? (before ? [[before.at, before.done]] : []);
  const samples = [...known, [next.at, next.done]];
  return {...next, samples: samples.filter(([at], index) => next.at - at <= RATE_S || index >= samples.length - 2)};
}

/** The share that is done, from 0 to 1, or null if the total is unknown. */
export function share({done, total}) {
  return total > 0 ? Math.min(1, Math.max(0, done / total)) : null;
}

export function percent(progress) {
  const part = share(progress);
  return part === null ? amounts(progress) : `${Math.floor(part * 100)} %`;
}

export function progressBar(progress) {
  const part = share(progress);
  const rate = progress.unit === BYTES ? speed(progress) : null;
  return h(
    'span',
    {class: 'progress'},
    part === null
      ? null
      : h('span', {class: 'progress-track', role: 'progressbar', 'aria-label': 'Done', 'aria-valuenow': String(Math.floor(part * 100))}, h('span', {class: 'progress-done', style: {width: `${part * 100}%`}})),
    h('span', {class: 'muted small'}, amounts(progress), rate ? ` · ${bytes(rate)}/s` : ''),
  );
}

function amounts({done, total, unit}) {
  const text = unit === BYTES ? bytes : quantity;
  const word = unit === BYTES || !unit ? '' : ` ${unit}`;
  return total > 0 ? `${text(done)} of ${text(total)}${word}` : `${text(done)}${word}`;
}

function speed({samples = []}) {
  const [[since, before] = [], [until, after] = []] = [samples[0], samples.at(-1)];
  return until > since && after >= before ? (after - before) / (until - since) : null;
}
