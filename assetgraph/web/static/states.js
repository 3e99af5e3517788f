// Each state has a glyph, a word and a colour. Five tones colour all states of assets, runs and
// steps. The words for assets come from the server, which shares them with the command line.

import {h, s} from './dom.js';
import {duration} from './format.js';
import {share} from './partition_share.js';

const {looks: ASSETS, asset_words: ASSET_WORDS, run_words: RUN_WORDS, executors} = JSON.parse(document.querySelector('meta[name="assetgraph-words"]').content);

export const EXECUTORS = executors;

const RUNS = {
  STARTED: ['running', 'running', 'running'],
  SUCCESS: ['fresh', 'fresh', 'succeeded'],
  FAILURE: ['failed', 'failed', 'failed'],
  CANCELED: ['missing', 'canceled', 'canceled'],
  INTERRUPTED: ['stale', 'stale', 'interrupted'],
};

/** The tone, the glyph and the word of each state of a step. */
export const STEPS = {
  waiting: ['missing', 'waiting', 'waiting'],
  not_started: ['missing', 'waiting', 'not started'],
  running: ['running', 'running', 'running'],
  success: ['fresh', 'fresh', 'succeeded'],
  failure: ['failed', 'failed', 'failed'],
  skipped: ['missing', 'skipped', 'skipped'],
  unchanged: ['fresh', 'unchanged', 'unchanged'],
  canceled: ['missing', 'canceled', 'canceled'],
  interrupted: ['stale', 'stale', 'interrupted'],
};

export const ASSET_STATES = ['running', 'failed', 'stale', 'missing', 'fresh', 'external'];

export const RUN_STATUSES = Object.keys(RUNS);

export function word(state) {
  return ASSETS[state]?.word ?? (RUNS[state] ?? STEPS[state] ?? [])[2] ?? state;
}

/** The glyph of an asset's state as a character, for places that cannot show an icon. */
export function sign(state) {
  return ASSETS[state].glyph;
}

/** The tone of a run's or a step's state. */
export function tone(state) {
  return state in ASSETS && !(state in STEPS) ? state : (RUNS[state] ?? STEPS[state])[0];
}

export function glyph(name) {
  return s('svg', {class: 'glyph', 'aria-hidden': 'true'}, s('use', {href: `#g-${name}`}));
}

/** The state that a person's word means: materialized is fresh. Null for no or an unknown word. */
export function assetState(text) {
  return ASSET_WORDS[plain(text)] ?? null;
}

/** The status of a run that a person's word means: failed is FAILURE. */
export function runStatus(text) {
  return RUN_WORDS[plain(text)] ?? null;
}

function plain(text) {
  return (text ?? '').trim().toLowerCase().replace(/[-_]/g, ' ');
}

/** The word for an asset's state. */
export function assetWord({state, materialization, last = materialization, damage}) {
  return state === 'missing' && (last || damage) ? state : word(state);
}

export function assetMark(asset, extra = '') {
  if (share(asset)?.[1] === 0) return mark('missing', 'missing', 'no partitions yet', extra);
  return mark(asset.state, asset.state, assetWord(asset), extra);
}

export function runMark(status, extra = '') {
  return mark(...RUNS[status], extra);
}

export function runGlyph(status) {
  return glyphOf(...RUNS[status]);
}

export function stepGlyph(state) {
  return glyphOf(...STEPS[state]);
}

function glyphOf(colour, shape, text) {
  return h('span', {class: 'mark', data: {state: colour}, title: text}, glyph(shape), h('span', {class: 'visually-hidden'}, text));
}

/** How long a step ran. For an interrupted step, only when the run last recorded something is known. */
export function spentText(step, seconds = step.duration_s) {
  return `${step.state === 'interrupted' && seconds !== null ? '≥ ' : ''}${duration(seconds)}`;
}

function mark(colour, shape, text, extra) {
  return h('span', {class: `mark ${extra}`.trim(), data: {state: colour}}, glyph(shape), text);
}
