// The page of one run: failures first, then the timeline, the log and the printed output.

import {address, assetPage, read, runPage, write} from '../api.js';
import {h, icon} from '../dom.js';
import {EventsView} from '../events_view.js';
import {failurePanels} from '../failed_step.js';
import {duration, plural, runName} from '../format.js';
import {OutputView} from '../output_view.js';
import {followed} from '../progress.js';
import {reached, roving} from '../arrow_keys.js';
import {crumbs, redraw, reread, setActions, start} from '../shell.js';
import {runGlyph, runMark} from '../states.js';
import {RunStrips} from '../partitions/run_strips.js';
import {stepList} from '../step_list.js';
import {lasted, when} from '../live_times.js';
import {Timeline} from '../timeline.js';
import {complain, toast} from '../toast.js';
import {parameters, remember} from '../address_state.js';

const RUNNING_MS = 250;
const PAUSE_MS = 120;
const NAMED = 30;

const runId = document.body.dataset.about;
let run = null;
let chosen = new Set(parameters().getAll('step'));
let tab = parameters().get('view') ?? 'events';
let canceling = false;
let rerunning = false;
let waiting = 0;
let known = 0;

const timeline = new Timeline(chooseStep);
let events = null;
let output = null;
let strips = null;

async function load() {
  const {data, position} = await read(address('runs', runId));
  run = data;
  if (run.status !== 'STARTED') {
    for (const step of run.steps) {
      if (step.state === 'waiting') step.state = 'not_started';
      if (step.state === 'canceled' && run.status === 'INTERRUPTED') step.state = 'interrupted';
    }
  }
  if (run.run_id !== runId) history.replaceState(null, '', runPage(run.run_id));
  document.body.dataset.about = run.run_id;
  events ??= new EventsView(run.run_id, chooseStep);
  output ??= new OutputView(run.run_id);
  strips ??= new RunStrips(run.run_id, chooseStep);
  strips.update(run);
  const longest = run.steps.reduce((cells, step) => Math.max(cells, step.step.length), 4);
  events.element.style.setProperty('--log-step', `${longest}ch`);
  events.filter.step = onlyStep();
  await events.load();
  showOutput();
  return position;
}

function hear(change) {
  const row = change.runs?.find((one) => one.run_id === run.run_id);
  const total = change.events?.[run.run_id];
  for (const moved of change.steps?.[run.run_id] ?? []) {
    const step = run.steps.find((one) => one.step === moved.step);
    if (step) Object.assign(step, moved, {progress: null});
  }
  const told = Object.entries(change.progress?.[run.run_id] ?? {});
  for (const [key, next] of told) {
    const step = run.steps.find((one) => one.step === key);
    if (step) step.progress = followed(step.progress, next);
  }
  if (total) growSoon(total);
  if (change.steps?.[run.run_id]) strips.update(run);
  const ended = row && row.status !== 'STARTED' && run.status === 'STARTED';
  const rerun = change.runs?.some((one) => one.root_run_id === (run.root_run_id ?? run.run_id));
  if (ended || rerun) reread();
  else if (row) Object.assign(run, {status: row.status, step_counts: row.step_counts});
  return Boolean(row) || Boolean(change.steps?.[run.run_id]) || told.length > 0;
}

/** Limits how often the log is read, however fast it grows. */
function growSoon(total) {
  known = total;
  waiting ||= setTimeout(async () => {
    await events.grow(known);
    waiting = 0;
  }, PAUSE_MS);
}

function draw() {
  crumbs([['Runs', '/runs']], run.run_id);
  actions();
  timeline.update(run, chosen);
  return [
    h(
      'div',
      {class: 'run-grid', key: 'grid'},
      h(
        'div',
        {class: 'stack run-main'},
        header(),
        run.warnings.map((text) => note(`warning-${text}`, text)),
        interruption(),
        strips.place(),
        failures(),
        timeline.place(),
        log(),
      ),
      h('aside', {class: 'stack run-side', 'aria-label': 'Steps and facts'}, stepList(run, chosen, chooseStep), family(), facts()),
    ),
  ];
}

function actions() {
  const live = run.status === 'STARTED';
  const unfinished = run.steps.some((one) => ['failure', 'skipped', 'canceled', 'interrupted', 'waiting', 'not_started'].includes(one.state));
  setActions(
    h('a', {class: 'button wide', href: lineage()}, icon('lineage', 'icon-small'), 'Lineage'),
    live
      ? h('button', {class: 'button button-danger', type: 'button', id: 'cancel', disabled: canceling, onclick: cancel}, icon('stop', 'icon-small'), canceling ? 'Canceling …' : 'Cancel run')
      : null,
    !live && chosen.size
      ? h('button', {class: 'button wide', type: 'button', id: 'rerun-selected', disabled: rerunning, onclick: () => rerun({steps: [...chosen]})}, `Re-execute ${plural(chosen.size, 'step')}`)
      : null,
    !live && unfinished
      ? h('button', {class: 'button', type: 'button', id: 'rerun-all', disabled: rerunning, 'aria-label': 'Re-execute all', onclick: () => rerun({})}, icon('reload', 'icon-small'), h('span', {class: 'wide'}, 'Re-execute all'))
      : null,
    live
      ? null
      : h(
          'button',
          {class: 'button button-main', type: 'button', id: unfinished ? 'rerun-failed' : 'rerun-all', disabled: rerunning, onclick: () => rerun({from_failure: unfinished})},
          icon(unfinished ? 'play' : 'reload', 'icon-small'),
          unfinished ? 'From failure' : 'Re-execute all',
        ),
  );
}

/** The lineage of the run's assets; the whole graph if the address would be too long. */
function lineage() {
  if (run.assets.length > NAMED) return '/lineage';
  return `/lineage?select=${encodeURIComponent(run.assets.map((key) => `key:"${key}"`).join(' or '))}`;
}

/** Starts one run, however often the button is clicked meanwhile. */
async function rerun(what) {
  if (rerunning) return;
  rerunning = true;
  redraw();
  try {
    const {run_id: id, message} = await write(address('runs', run.run_id, 'rerun'), what);
    if (id) {
      location.assign(runPage(id));
      return; // until the page of the new run is there
    }
    toast('fresh', [message || 'The run is starting.']);
  } catch (error) {
    complain(error);
  }
  rerunning = false;
  redraw();
}

async function cancel() {
  if (canceling) return;
  canceling = true;
  redraw();
  try {
    await write(address('runs', run.run_id, 'cancel'));
  } catch (error) {
    canceling = false;
    complain(error);
  }
}

function header() {
  const live = run.status === 'STARTED';
  return h(
    'section',
    {class: 'card run-header', 'aria-label': 'Summary', key: 'header'},
    fact('Status', runMark(run.status, 'pill')),
    fact('Assets', run.assets.length === 1 ? h('a', {class: 'quiet-link cut', href: assetPage(run.assets[0]), dir: 'auto'}, run.assets[0]) : plural(run.assets.length, 'asset')),
    fact('Started', when(run.started_at)),
    fact('Duration', lasted(run.duration_s, live ? run.started_at : null)),
    fact('Launched by', run.launched_by || '–'),
    run.parent_run_id ? fact('Re-execution of', parent()) : null,
  );
}

function fact(name, value) {
  return h('div', {class: 'run-fact', key: name}, h('div', {class: 'muted small'}, name), h('div', {class: 'row'}, value));
}

/** What is known about the end of an interrupted run. */
function interruption() {
  if (!run.last_heard_at) return null;
  const lasted = (Date.parse(run.last_heard_at) - Date.parse(run.started_at)) / 1000;
  const cut = run.steps.filter((step) => step.state === 'interrupted').map((step) => step.step);
  const atWork = cut.length ? ` while ${cut.slice(0, 3).join(', ')} ran` : '';
  return note('interruption', `The process of this run (${run.pid} on ${run.host}) died${atWork}. It last recorded something `, when(run.last_heard_at), `, ${duration(lasted)} after the start. “From failure” runs the steps that are left.`);
}

function note(key, ...text) {
  return h('div', {class: 'warning-note', key}, icon('warning', 'icon-small'), h('span', {dir: 'auto'}, ...text));
}

function failures() {
  const {failures: found} = run;
  if (!found.length) return null;
  const rest = run.failed_steps.length - found.reduce((sum, one) => sum + 1 + one.alike_count, 0);
  return h(
    'div',
    {class: 'stack failures', key: 'failures'},
    failurePanels(run.run_id, found),
    rest > 0 ? h('p', {class: 'muted small'}, `${rest} more steps failed. See the list of steps.`) : null,
  );
}

function log() {
  const choice = (name, text) =>
    h('button', {type: 'button', role: 'tab', tabindex: reached(tab === name), id: `tab-${name}`, 'aria-selected': String(tab === name), 'aria-controls': 'log-panel', onclick: () => chooseTab(name)}, text);
  return h(
    'section',
    {class: 'card log', key: 'log', 'aria-label': 'Log'},
    h(
      'div',
      {class: 'tabs', role: 'tablist', 'aria-label': 'What the run recorded', onkeydown: roving('tab')},
      choice('events', 'Events'),
      choice('output', `stdout and stderr${run.outputs.length ? ` (${run.outputs.length})` : ''}`),
    ),
    h('div', {role: 'tabpanel', id: 'log-panel', 'aria-labelledby': `tab-${tab}`, key: tab}, tab === 'events' ? events.place() : output.place()),
  );
}

function chooseTab(name) {
  tab = name;
  remember({view: name === 'events' ? null : name});
  if (name === 'output') showOutput();
  redraw();
}

function showOutput() {
  output.update(run.outputs, onlyStep() || run.failed_steps[0], run.status === 'STARTED');
  output.follow();
}

/** Selects a step, or adds one with `adding`. A second click deselects it. The log shows a single
 * selected step. */
function chooseStep(key, adding = false) {
  const again = chosen.has(key);
  const rest = adding ? [...chosen].filter((one) => one !== key) : [];
  chosen = new Set(key && !again ? [...rest, key] : adding ? rest : []);
  remember({step: [...chosen]});
  events.set({step: onlyStep()});
  if (onlyStep()) output.chooseStep(onlyStep());
  redraw();
}

function onlyStep() {
  return chosen.size === 1 ? [...chosen][0] : '';
}

function facts() {
  const tags = Object.entries(run.tags);
  const config = Object.entries(run.config);
  return h(
    'section',
    {class: 'card', key: 'facts', 'aria-label': 'Facts'},
    h('div', {class: 'card-head'}, h('h2', {}, 'Facts')),
    h(
      'dl',
      {class: 'facts card-body'},
      pair('Run id', h('code', {}, run.run_id)),
      run.selection.length ? pair('Selection', h('code', {dir: 'auto'}, run.selection.join(', '))) : null,
      pair('Tags', tags.length ? h('div', {class: 'row wrap chips'}, tags.map(([name, value]) => h('a', {class: 'chip', href: `/runs?tag=${encodeURIComponent(`${name}=${value}`)}`}, h('span', {class: 'cut', dir: 'auto'}, `${name}=${value}`)))) : h('span', {class: 'muted'}, 'none')),
      pair('Config', config.length ? h('pre', {class: 'code', tabindex: '0', role: 'group', 'aria-label': 'Config'}, config.map(([key, fields]) => `${key}:\n${Object.entries(fields).map(([name, value]) => `  ${name}: ${JSON.stringify(value)}`).join('\n')}`).join('\n')) : h('span', {class: 'muted'}, 'defaults')),
      pair('Process', `${run.pid ?? '?'} on ${run.host || '?'}`),
      pair('Versions', `Python ${run.python_version}, assetgraph ${run.assetgraph_version}`),
    ),
  );
}

function parent() {
  const id = run.parent_run_id;
  if (!run.family.some((one) => one.run_id === id)) return [h('span', {}, runName(id)), ' (deleted)'];
  return h('a', {class: 'link', href: runPage(id)}, runName(id));
}

function pair(name, value) {
  return [h('dt', {}, name), h('dd', {}, value)];
}

/** The root run and its re-executions, each below the run that it repeats. */
function family() {
  if (run.family.length < 2) return null;
  const children = Map.groupBy(run.family, (one) => one.parent_run_id);
  const present = new Set(run.family.map((one) => one.run_id));
  const tops = run.family.filter((one) => !present.has(one.parent_run_id));
  const branch = (one, depth) => [
    h(
      'li',
      {key: one.run_id, style: {'padding-left': `${depth * 16}px`}},
      h(
        'a',
        {class: 'family-run', href: runPage(one.run_id), 'aria-current': one.run_id === run.run_id ? 'page' : null},
        runGlyph(one.status),
        h('span', {class: 'nowrap', title: one.run_id}, runName(one.run_id)),
        h('span', {class: 'muted small grow'}, one.parent_run_id ? null : 'root'),
        h('span', {class: 'muted small nowrap'}, duration(one.duration_s)),
      ),
    ),
    (children.get(one.run_id) ?? []).filter((child) => child.run_id !== one.run_id).map((child) => branch(child, depth + 1)),
  ];
  return h('section', {class: 'card', key: 'family', 'aria-label': 'Re-executions'}, h('div', {class: 'card-head'}, h('h2', {}, 'Re-executions')), h('ul', {class: 'family'}, tops.map((one) => branch(one, 0))));
}

setInterval(() => {
  if (run?.status === 'STARTED' && !document.hidden) timeline.update(run, chosen);
}, RUNNING_MS);

start({load, draw, hear});
