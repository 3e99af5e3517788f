// The steps of a run, grouped by state.

import {h, icon} from './dom.js';
import {keyText} from './key_text.js';
import {toggling} from './opening.js';
import {redraw} from './shell.js';
import {progressBar} from './progress.js';
import {spentText, stepGlyph} from './states.js';
import {lasted} from './live_times.js';

const GROUPS = [
  ['failure', 'Failed'],
  ['running', 'Running'],
  ['waiting', 'Preparing'],
  ['not_started', 'Not started'],
  ['skipped', 'Skipped'],
  ['canceled', 'Canceled'],
  ['interrupted', 'Interrupted'],
  ['success', 'Succeeded'],
  ['unchanged', 'Unchanged'],
];
const SHOWN = 100;
const MOST_APART = 20; // partitions of one asset
const opened = new Set(); // groups of partitions
const OPEN = new Set(['failure', 'running', 'success', 'skipped', 'canceled', 'interrupted']);

/** Lists of steps. `chosen(key, adding)` is called when the user clicks one. */
export function stepList(run, selected, chosen) {
  const groups = GROUPS.map(([state, title]) => [state, title, run.steps.filter((step) => step.state === state)]).filter(([, , steps]) => steps.length);
  return h(
    'section',
    {class: 'card steps', key: 'steps', 'aria-label': 'Steps'},
    h('div', {class: 'card-head'}, h('h2', {}, 'Steps'), selected.size ? h('button', {class: 'button button-small button-bare', type: 'button', onclick: () => chosen('')}, 'Show all') : h('span', {class: 'muted small'}, run.step_count.toLocaleString('en'))),
    run.step_count > run.steps.length ? h('p', {class: 'muted small step-rest', key: 'some'}, `${run.steps.length.toLocaleString('en')} are listed: those that failed or run, and the first. The log has all.`) : null,
    groups.map(([state, title, steps]) =>
      h(
        'details',
        {class: 'step-group', open: OPEN.has(state), key: state},
        h('summary', {}, icon('chevron', 'icon-small'), stepGlyph(state), h('span', {class: 'grow'}, title), h('span', {class: 'muted small'}, countOf(run, state, steps).toLocaleString('en'))),
        h(
          'ul',
          {},
          byAsset(steps).map(([asset, own]) => (own.length > MOST_APART ? together(asset, state, own, selected, chosen) : items(own, selected, chosen))),
        ),
      ),
    ),
  );
}

/** How many steps are in a state, of which not all may be listed. */
function countOf(run, state, steps) {
  const recorded = {not_started: 'waiting', interrupted: 'canceled'}[state] ?? state;
  return run.step_count > run.steps.length ? (run.step_counts[recorded] ?? steps.length) : steps.length;
}

/** The steps by their assets, in their order. */
function byAsset(steps) {
  const apart = new Map();
  for (const step of steps) {
    const asset = step.step.split('@', 1)[0];
    const name = step.step.includes('@') ? asset : ''; // those without a partition need no group
    if (!apart.has(name)) apart.set(name, []);
    apart.get(name).push(step);
  }
  const plain = apart.get('') ?? [];
  apart.delete('');
  return [...apart].concat(chunked(plain));
}

/** Steps without partitions stay one by one, up to a limit. */
function chunked(steps) {
  const shown = steps.slice(0, SHOWN).map((step) => ['', [step]]);
  return steps.length > SHOWN ? [...shown, ['', {rest: steps.length - SHOWN, length: 0}]] : shown;
}

/** Many partitions of one asset as a group, which draws them while it is open. */
function together(asset, state, steps, selected, chosen) {
  const name = `${state} ${asset}`;
  const toggled = (open) => {
    if (open === opened.has(name)) return;
    if (open) opened.add(name);
    else opened.delete(name);
    redraw();
  };
  return h(
    'li',
    {key: name},
    h(
      'details',
      {class: 'step-asset', open: opened.has(name), ...toggling(toggled)},
      h('summary', {}, icon('chevron', 'icon-small'), keyText(asset, 'grow'), h('span', {class: 'muted small nowrap'}, `${steps.length.toLocaleString('en')} partitions`)),
      opened.has(name) ? h('ul', {}, items(steps, selected, chosen)) : null,
    ),
  );
}

function items(steps, selected, chosen) {
  if (steps.rest) return rest(steps.rest);
  return [
    steps.slice(0, SHOWN).map((step) => h('li', {key: step.step}, item(step, selected.has(step.step), chosen), step.state === 'running' && step.progress ? h('div', {class: 'step-progress'}, progressBar(step.progress)) : null)),
    steps.length > SHOWN ? rest(steps.length - SHOWN) : null,
  ];
}

function rest(count) {
  return h('li', {class: 'muted small step-rest', key: 'rest'}, `${count} more. Filter the timeline to find them.`);
}

function item(step, selected, chosen) {
  const live = step.state === 'running' ? step.started_at : null;
  return h(
    'button',
    {class: 'step-item', type: 'button', 'aria-pressed': String(selected), title: step.error ? `${step.error.type}: ${step.error.message}` : (step.reason ?? step.step), onclick: (event) => chosen(step.step, event.shiftKey || event.ctrlKey || event.metaKey)},
    keyText(step.step, 'grow'),
    h('span', {class: 'muted small nowrap'}, live ? lasted(null, live) : spentText(step)),
  );
}
