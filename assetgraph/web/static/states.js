// States as glyph, word and colour together. Five tones colour every state of an asset, a run or a
// step; the words of assets come from the server, which shares them with the command line.

import {h, s} from './dom.js';
import {duration} from './format.js';

const ASSETS = JSON.parse(document.querySelector('meta[name="assetgraph-states"]').content);

const RUNS = {
  STARTED: ['running', 'running', 'running'],
  SUCCESS: ['fresh', 'fresh', 'succeeded'],
  FAILURE: ['failed', 'failed', 'failed'],
  CANCELED: ['missing', 'canceled', 'canceled'],
  INTERRUPTED: ['stale', 'stale', 'interrupted'],
};

const STEPS = {
  waiting: ['missing', 'waiting', 'waiting'],
  running: ['running', 'running', 'running'],
  success: ['fresh', 'fresh', 'succeeded'],
  failure: ['failed', 'failed', 'failed'],
  skipped: ['missing', 'skipped', 'skipped'],
  unchanged: ['fresh', 'unchanged', 'unchanged'],
  canceled: ['missing', 'canceled', 'canceled'],
  interrupted: ['stale', 'stale', 'interrupted'],
};

export const ASSET_STATES = ['running', 'failed', 'stale', 'missing', 'fresh'];

export const RUN_STATUSES = Object.keys(RUNS);

export function word(state) {
  return ASSETS[state]?.word ?? (RUNS[state] ?? STEPS[state] ?? [])[2] ?? state;
}

/** The glyph of an asset's state as a letter, for where no picture can stand. */
export function sign(state) {
  return ASSETS[state].glyph;
}

/** Which of the five tones colours a state of a run or a step. */
export function tone(state) {
  return state in ASSETS && !(state in STEPS) ? state : (RUNS[state] ?? STEPS[state])[0];
}

export function glyph(name) {
  return s('svg', {class: 'glyph', 'aria-hidden': 'true'}, s('use', {href: `#g-${name}`}));
}

/** The word for the state of an asset: what was made once and is gone is missing. */
export function assetWord({state, materialization, last = materialization}) {
  return state === 'missing' && last ? state : word(state);
}

export function assetMark(asset, extra = '') {
  return mark(asset.state, asset.state, assetWord(asset), extra);
}

export function runMark(status, extra = '') {
  return mark(...RUNS[status], extra);
}

export function stepGlyph(state) {
  const [colour, shape, text] = STEPS[state];
  return h('span', {class: 'mark', data: {state: colour}, title: text}, glyph(shape), h('span', {class: 'visually-hidden'}, text));
}

/** How long a step ran; of one that was interrupted nobody knows more than when it was last heard of. */
export function spentText(step, seconds = step.duration_s) {
  return `${step.state === 'interrupted' && seconds !== null ? '≥ ' : ''}${duration(seconds)}`;
}

function mark(colour, shape, text, extra) {
  return h('span', {class: `mark ${extra}`.trim(), data: {state: colour}}, glyph(shape), text);
}
