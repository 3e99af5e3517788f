// The checks of an asset: what each last found, and what it found before.

import {firstLine} from './ansi.js';
import {address, read, runPage} from './api.js';
import {attemptList} from './attempts.js';
import {h, icon} from './dom.js';
import {runName} from './format.js';
import {when} from './live_times.js';
import {metadataTable} from './metadata.js';
import {toggling} from './opening.js';
import {redraw} from './shell.js';
import {glyph} from './states.js';
import {complain} from './toast.js';

const OUTCOMES = {
  passed: ['fresh', 'passed'],
  warned: ['stale', 'failed, as a warning'],
  failed: ['failed', 'failed'],
  error: ['failed', 'raised an error'],
  never: ['missing', 'never ran'],
};
const BAD = ['failed', 'error'];
const histories = new Map(); // by check, once they are opened

/** A sign beside the state of an asset whose checks failed, or warn. */
export function checkSign({checks = []}) {
  const bad = checks.filter((check) => BAD.includes(check.outcome));
  const shown = bad.length ? bad : checks.filter((check) => check.outcome === 'warned');
  if (!shown.length) return null;
  const state = bad.length ? 'failed' : 'stale';
  const text = `${shown.length === 1 ? 'Check' : 'Checks'} failed: ${shown.map((check) => check.name).join(', ')}`;
  return h('span', {class: 'mark check-sign', data: {state}, title: text, key: 'checks'}, glyph(state), h('span', {class: 'visually-hidden'}, text));
}

/** A card with every check of the asset. */
export function checksCard({checks}) {
  if (!checks.length) return null;
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'checks-title', key: 'checks'},
    h('div', {class: 'card-head'}, h('h2', {id: 'checks-title'}, 'Checks'), h('span', {class: 'muted small'}, String(checks.length))),
    h('ul', {class: 'attempts'}, checks.map(checkLine)),
  );
}

function checkLine(check) {
  const [state, word] = OUTCOMES[check.outcome];
  const found = check.evaluation;
  const isOpen = histories.has(check.key);
  if (isOpen && histories.get(check.key).last !== lastAttempt(check)) begin(check);
  return h(
    'li',
    {key: check.key},
    h(
      'details',
      {class: 'attempt', key: 'details', open: isOpen, ...toggling((open) => toggle(check, open))},
      h(
        'summary',
        {},
        icon('chevron', 'icon-small'),
        h('span', {class: 'mark pill', data: {state}}, glyph(state), word),
        h('span', {class: 'nowrap', dir: 'auto'}, check.name),
        check.blocking ? h('span', {class: 'chip', title: 'What reads the asset waits for it'}, 'blocking') : null,
        h('span', {class: 'cut grow muted attempt-gist', dir: 'auto'}, note(check)),
        found ? when(found.timestamp, 'muted small') : null,
      ),
      isOpen ? details(check, found) : null,
    ),
  );
}

/** Why it must look again, or else what it said. */
function note(check) {
  if (check.reasons.length) return check.reasons[0].text;
  if (check.outcome === 'error') return firstLine(check.failure.error);
  if (check.failed_partitions.length) return `failed for ${check.failed_partitions.slice(0, 3).join(', ')}`;
  return check.evaluation?.description ?? check.description ?? '';
}

function details(check, found) {
  const {attempts, next} = histories.get(check.key);
  return h(
    'div',
    {class: 'attempt-body'},
    check.description ? h('p', {dir: 'auto'}, check.description) : null,
    Object.keys(check.metadata).length ? metadataTable(check.metadata) : null,
    check.reasons.length ? h('ul', {class: 'reasons'}, check.reasons.map((reason) => h('li', {key: reason.text}, reason.text))) : null,
    found ? h('p', {class: 'small'}, found.description ? `${found.description} ` : '', h('a', {class: 'link', href: runPage(found.run_id)}, runName(found.run_id))) : null,
    found && Object.keys(found.metadata).length ? metadataTable(found.metadata) : null,
    attempts.length ? h('div', {'aria-label': `History of ${check.name}`}, h('h3', {}, 'History'), attemptList(attempts, {partitioned: true})) : null,
    next ? h('button', {class: 'button', type: 'button', onclick: () => load(check.key, next)}, 'Earlier evaluations') : null,
  );
}

function toggle(check, open) {
  if (open === histories.has(check.key)) return;
  if (!open) {
    histories.delete(check.key);
    redraw();
    return;
  }
  begin(check);
  redraw();
}

/** Reads the history of a check from its newest attempt on; what is shown stays until it is there. */
function begin(check) {
  histories.set(check.key, {attempts: [], next: null, ...histories.get(check.key), last: lastAttempt(check)});
  load(check.key, 0);
}

function lastAttempt({evaluation, failure}) {
  return `${evaluation?.timestamp} ${failure?.timestamp}`;
}

async function load(key, after) {
  try {
    const {data} = await read(`${address('history', key)}?limit=20&after=${after}`);
    const known = histories.get(key);
    const before = after ? known?.attempts : [];
    if (known) histories.set(key, {...known, attempts: [...before, ...data.attempts], next: data.next});
    redraw();
  } catch (error) {
    complain(error);
  }
}
