// The table of runs, one page at a time.

import {address, assetPage, read, runPage} from '../api.js';
import {h, icon} from '../dom.js';
import {noRuns} from '../first_steps.js';
import {plural, runName} from '../format.js';
import {loadPage, redraw, setActions, start} from '../shell.js';
import {cancelRuns, deleteRuns, inProgress} from '../run_actions.js';
import {shortcut} from '../shortcuts.js';
import {RUN_STATUSES, runMark, runStatus, tone, word} from '../states.js';
import {Ticked} from '../ticked.js';
import {lasted, when} from '../live_times.js';
import {onStep, parameters, remember} from '../address_state.js';

const PAGE = 25;
const NAMED = 2;
const PAUSE_MS = 200;

const filters = filtersInAddress();
const ticked = new Ticked(() => redraw());
let pages = [parameters().get('before')];
let runs = [];
let damaged = [];
let next = null;
let timer = 0;

function filtersInAddress() {
  const of = (name) => parameters().get(name) ?? '';
  return {text: of('text'), status: runStatus(of('status')) ?? '', asset: of('asset'), tag: of('tag'), since: of('since'), until: of('until')};
}

async function load() {
  const query = new URLSearchParams({limit: PAGE});
  for (const [name, value] of Object.entries({...filters, before: pages.at(-1)})) {
    if (value) query.set(name, value);
  }
  const {data, position} = await read(`${address('runs')}?${query}`);
  ({runs, damaged, next} = data);
  return position;
}

function hear(change) {
  let touched = false;
  for (const run of change.runs ?? []) {
    const at = runs.findIndex((one) => one.run_id === run.run_id);
    if (at >= 0) runs[at] = run;
    else if (filters.since || filters.until) loadSoon(); // the server knows what they mean
    else if (pages.length === 1 && !pages[0] && takes(run)) runs = [run, ...runs].slice(0, PAGE);
    touched = true;
  }
  const gone = new Set(change.gone_runs ?? []);
  if (gone.size) runs = runs.filter((run) => !gone.has(run.run_id));
  return touched || gone.size > 0;
}

function loadSoon() {
  clearTimeout(timer);
  timer = setTimeout(() => loadPage().then(redraw), PAUSE_MS);
}

/** Whether a new run belongs on this page. The server filters all others. */
function takes(run) {
  const {text, status, asset, tag} = filters;
  if (status && run.status !== status) return false;
  return !text && !tag && (!asset || run.assets.includes(asset));
}

function isFiltered() {
  return Object.values(filters).some(Boolean);
}

function draw() {
  ticked.keep(runs.map((run) => run.run_id));
  drawActions();
  if (!runs.length && !isFiltered() && !pages.at(-1)) return noRuns();
  return [
    toolbar(),
    damaged.map((text) => h('div', {class: 'problem-note', key: text}, text)),
    h(
      'div',
      {class: 'table runs-table', role: 'table', 'aria-label': 'Runs', key: 'table'},
      h(
        'div',
        {class: 'table-head', role: 'row', key: 'head'},
        h('span', {role: 'columnheader'}, ticked.boxOfAll('Select all runs that are shown', runs.map((run) => run.run_id))),
        ['Run', 'Status', 'Assets', 'Steps', 'Launched by', 'Started', 'Duration'].map((text) => h('span', {role: 'columnheader'}, text)),
      ),
      runs.length
        ? h('div', {class: 'table-body', role: 'rowgroup', key: 'rows'}, runs.map(row))
        : h('div', {class: 'empty', key: 'none'}, h('h2', {}, 'No run matches'), h('p', {}, 'Clear the search or the filters.')),
    ),
    paging(),
  ];
}

/** What can be done with the ticked runs. */
function drawActions() {
  const chosen = runs.filter((run) => ticked.has(run.run_id));
  const living = chosen.filter(inProgress).length;
  const ended = chosen.length - living;
  setActions(
    chosen.length ? h('button', {class: 'button wide', type: 'button', key: 'clear', onclick: () => ticked.all(false, [...ticked])}, 'Clear selection') : null,
    living ? h('button', {class: 'button button-danger', type: 'button', id: 'cancel-runs', key: 'cancel', onclick: () => act(cancelRuns)}, icon('stop', 'icon-small'), `Cancel ${plural(living, 'run')}`) : null,
    ended ? h('button', {class: 'button button-danger', type: 'button', id: 'delete-runs', key: 'delete', onclick: () => act(deleteRuns)}, icon('bin', 'icon-small'), `Delete ${plural(ended, 'run')}`) : null,
  );
}

async function act(withRuns) {
  const done = await withRuns(runs.filter((run) => ticked.has(run.run_id)));
  if (!done.length) return;
  for (const run of done) ticked.delete(run.run_id); // others may have been ticked since
  await loadPage();
  if (!runs.length && pages.length > 1) turn(null);
  else redraw();
  document.getElementById('main').focus();
}

function toolbar() {
  return h(
    'div',
    {class: 'toolbar runs-tools', key: 'toolbar'},
    h(
      'div',
      {class: 'search'},
      icon('search'),
      h('input', {
        class: 'field',
        type: 'search',
        placeholder: 'Search by id, asset, tag or launcher',
        'aria-label': 'Search runs',
        'data-search': '',
        value: filters.text,
        oninput: (event) => change('text', event.target.value),
      }),
    ),
    h(
      'div',
      {class: 'switch state-filter', role: 'group', 'aria-label': 'Status'},
      ['', ...RUN_STATUSES].map((status) =>
        h('button', {type: 'button', 'aria-pressed': String(filters.status === status), onclick: () => change('status', filters.status === status ? '' : status), key: status || 'all'}, status ? runMark(status) : 'All'),
      ),
    ),
    dates(),
    ['asset', 'tag'].map((name) =>
      filters[name]
        ? h('button', {class: 'button button-small', type: 'button', title: 'Remove this filter', onclick: () => change(name, ''), key: name}, `${name}: ${filters[name]}`, icon('close', 'icon-small'))
        : null,
    ),
  );
}

/** The days between which runs started; the address may name them in other words, such as 3d. */
function dates() {
  const isDay = (text) => /^(\d{4}-\d\d-\d\d)?$/.test(text);
  const day = (name, text) =>
    isDay(filters[name])
      ? h('label', {class: 'row small muted', key: name}, text, h('input', {class: 'field field-day', type: 'date', value: filters[name], max: (name === 'since' && filters.until) || null, min: (name === 'until' && filters.since) || null, onchange: (event) => change(name, event.target.value)}))
      : h('button', {class: 'button button-small', type: 'button', title: 'Remove this filter', onclick: () => change(name, ''), key: name}, `${text.toLowerCase()}: ${filters[name]}`, icon('close', 'icon-small'));
  return h('div', {class: 'row run-days', role: 'group', 'aria-label': 'Started', key: 'days'}, day('since', 'From'), day('until', 'To'));
}

function change(name, value) {
  filters[name] = value;
  pages = [null];
  clearTimeout(timer);
  timer = setTimeout(() => show(name !== 'text'), name === 'text' ? PAUSE_MS : 0);
}

async function show(step = true) {
  remember({...filters, before: pages.at(-1)}, {step});
  await loadPage();
  redraw();
}

function row(run) {
  return h(
    'div',
    {class: 'table-row', role: 'row', 'aria-selected': String(ticked.has(run.run_id)), key: run.run_id, data: {run: run.run_id}},
    h('span', {role: 'cell'}, ticked.box(run.run_id, `Select the run of ${runName(run.run_id)}`, runs.map((one) => one.run_id))),
    h(
      'span',
      {role: 'cell'},
      h('a', {class: 'name', href: runPage(run.run_id), title: run.run_id}, runName(run.run_id)),
      run.parent_run_id ? h('div', {class: 'sub rerun-of', title: `Re-execution of ${run.parent_run_id}`}, icon('reload', 'icon-small'), h('span', {class: 'visually-hidden'}, 're-execution of '), h('a', {class: 'quiet-link cut', href: runPage(run.parent_run_id)}, runName(run.parent_run_id))) : null,
    ),
    h('span', {role: 'cell'}, runMark(run.status, 'pill')),
    h('span', {role: 'cell', class: 'run-assets', title: run.failure}, assets(run), tags(run) ?? why(run)),
    h('span', {role: 'cell', class: 'wide'}, steps(run)),
    h('span', {role: 'cell', class: 'wide sub', title: run.launched_by}, run.launched_by),
    h('span', {role: 'cell', class: 'muted run-when'}, when(run.started_at)),
    h('span', {role: 'cell', class: 'run-duration'}, lasted(run.duration_s, run.status === 'STARTED' ? run.started_at : null)),
  );
}

function assets(run) {
  const failed = run.failed_steps;
  const names = (failed.length ? failed : run.assets).slice(0, NAMED);
  const rest = (failed.length || run.asset_count) - names.length;
  return h(
    'div',
    {class: 'row'},
    h('span', {class: 'cut'}, names.length ? names.map((name, index) => [index ? ', ' : '', h('a', {class: 'quiet-link', href: assetPage(name), title: name, dir: 'auto'}, name)]) : 'nothing'),
    rest > 0 ? h('span', {class: 'muted small nowrap', title: run.assets.join('\n')}, `+${rest} more${failed.length ? ' failed' : ''}`) : null,
  );
}

function why(run) {
  return run.failure ? h('div', {class: 'sub cut', dir: 'auto'}, run.failure) : null;
}

function tags(run) {
  const entries = Object.entries(run.tags);
  if (!entries.length) return null;
  return h(
    'div',
    {class: 'row chips run-tags'},
    entries.slice(0, 3).map(([name, value]) =>
      h('button', {class: 'chip', type: 'button', title: 'Runs with this tag', onclick: () => change('tag', `${name}=${value}`)}, h('span', {class: 'cut'}, `${name}=${value}`)),
    ),
  );
}

const STEP_ORDER = ['success', 'unchanged', 'running', 'failure', 'skipped', 'canceled', 'waiting'];

function steps(run) {
  const total = Object.values(run.step_counts).reduce((sum, count) => sum + count, 0) || run.asset_count;
  const known = STEP_ORDER.filter((state) => run.step_counts[state]);
  const told = (state) => word(state === 'waiting' && run.status !== 'STARTED' ? 'not_started' : state);
  const text = known.map((state) => `${run.step_counts[state]} ${told(state)}`).join(', ');
  return h(
    'div',
    {class: 'step-counts', title: text},
    h(
      'div',
      {class: 'step-bar', role: 'img', 'aria-label': text || plural(total, 'step')},
      known.map((state) => h('span', {data: {state: tone(state), step: state}, style: {'flex-grow': String(run.step_counts[state] / (total || 1))}})),
    ),
    h('span', {class: 'muted small'}, `${(run.step_counts.success ?? 0) + (run.step_counts.unchanged ?? 0)}/${total}`),
  );
}

function paging() {
  if (pages.length === 1 && !next) return null;
  return h(
    'nav',
    {class: 'paging', 'aria-label': 'Pages of runs', key: 'paging'},
    h('button', {class: 'button', type: 'button', disabled: pages.length === 1 && !pages[0], onclick: () => turn(null)}, 'Newer'),
    h('button', {class: 'button', type: 'button', disabled: !next, onclick: () => turn(next)}, 'Older'),
  );
}

function turn(before) {
  if (before) pages.push(before);
  else if (pages.length > 1) pages.pop();
  else pages = [null];
  scrollTo(0, 0);
  show();
}

shortcut('x', 'Delete the selected runs', () => document.getElementById('delete-runs')?.click());
onStep(async () => {
  Object.assign(filters, filtersInAddress());
  const before = parameters().get('before');
  const known = pages.indexOf(before);
  pages = known < 0 ? [before] : pages.slice(0, known + 1);
  await loadPage();
  redraw();
});
start({load, draw, hear});
