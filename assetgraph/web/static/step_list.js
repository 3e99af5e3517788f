// The steps of a run, grouped by state.

import {h, icon} from './dom.js';
import {keyText} from './key_text.js';
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
const OPEN = new Set(['failure', 'running', 'success', 'skipped', 'canceled', 'interrupted']);

/** Lists of steps. `chosen(key, adding)` is called when the user clicks one. */
export function stepList(run, selected, chosen) {
  const groups = GROUPS.map(([state, title]) => [state, title, run.steps.filter((step) => step.state === state)]).filter(([, , steps]) => steps.length);
  return h(
    'section',
    {class: 'card steps', key: 'steps', 'aria-label': 'Steps'},
    h('div', {class: 'card-head'}, h('h2', {}, 'Steps'), selected.size ? h('button', {class: 'button button-small button-bare', type: 'button', onclick: () => chosen('')}, 'Show all') : h('span', {class: 'muted small'}, String(run.steps.length))),
    groups.map(([state, title, steps]) =>
      h(
        'details',
        {class: 'step-group', open: OPEN.has(state), key: state},
        h('summary', {}, icon('chevron', 'icon-small'), stepGlyph(state), h('span', {class: 'grow'}, title), h('span', {class: 'muted small'}, String(steps.length))),
        h(
          'ul',
          {},
          steps.slice(0, SHOWN).map((step) => h('li', {key: step.step}, item(step, selected.has(step.step), chosen), step.state === 'running' && step.progress ? h('div', {class: 'step-progress'}, progressBar(step.progress)) : null)),
          steps.length > SHOWN ? h('li', {class: 'muted small step-rest'}, `${steps.length - SHOWN} more. Filter the timeline to find them.`) : null,
        ),
      ),
    ),
  );
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
