// The overview: recent runs, what runs now, the last failure, and the assets by status.

import {address, read, runPage} from '../api.js';
import {firstLine} from '../ansi.js';
import {h, icon} from '../dom.js';
import {empty, noAssets} from '../first_steps.js';
import {count, duration, hourAndMinute, plural, runName} from '../format.js';
import {openLaunch} from '../launch_dialog.js';
import {definitions, redraw, setActions, start} from '../shell.js';
import {ASSET_STATES, RUN_STATUSES, glyph, runMark, tone, word} from '../states.js';
import {lasted, when} from '../live_times.js';
import {parameters, remember} from '../address_state.js';

const HOURS = [1, 6, 12, 24];
const DEFAULT_HOURS = 6;
const TICK_MS = 5000;
const LANES = 12;
const RECENT = 6;
const LEAST_WIDTH = 0.006;
const NEAR_NOW = 0.06; // room for the word "now"

let hours = Number(parameters().get('hours')) || 0;
let data = null;
let causes = {}; // the last failure, by run id

async function load() {
  const answer = await read(`${address('overview')}?hours=${hours || DEFAULT_HOURS}`);
  data = answer.data;
  hours ||= data.runs.every((run) => Date.now() - Date.parse(run.started_at) < 3_600_000) ? 1 : DEFAULT_HOURS;
  explain();
  return answer.position;
}

/** Loads the cause of the last failure. */
async function explain() {
  const id = data.last_failure?.run_id;
  if (!id || causes[id]) return;
  causes = {[id]: []};
  try {
    causes[id] = (await read(address('runs', id))).data.failures;
    redraw();
  } catch {
    // the run was deleted: show what is known
  }
}

function hear(change) {
  if (change.definitions && !change.definitions.loading) load().then(redraw);
  if (change.counts) data.counts = change.counts;
  for (const run of change.runs ?? []) {
    data.ever = true;
    const at = data.runs.findIndex((one) => one.run_id === run.run_id);
    if (at >= 0) data.runs[at] = run;
    else data.runs.unshift(run);
    if (run.status === 'FAILURE') data.last_failure = run;
  }
  explain();
  const gone = new Set(change.gone_runs ?? []);
  if (gone.size) data.runs = data.runs.filter((run) => !gone.has(run.run_id));
  return Boolean(change.runs || change.counts || gone.size);
}

function draw() {
  const total = ASSET_STATES.reduce((sum, state) => sum + data.counts[state], 0);
  const behind = total - data.counts.fresh - data.counts.running;
  setActions(
    h('a', {class: 'button wide', href: '/lineage'}, icon('lineage', 'icon-small'), 'Open the lineage'),
    behind
      ? h('button', {class: 'button button-main', type: 'button', id: 'materialize', onclick: () => openLaunch({selection: ['*'], stale: true})}, icon('play', 'icon-small'), `Bring ${behind} up to date`)
      : null,
  );
  if (!total && !data.ever) return noAssets(definitions());
  return h('div', {class: 'stack overview', key: 'overview'}, counts(total), timeline(), h('div', {class: 'overview-columns', key: 'columns'}, data.runs.some((run) => run.status === 'STARTED') ? [running(), failure()] : [failure(), running()]), recent());
}

function counts(total) {
  return h(
    'section',
    {class: 'card counts', 'aria-label': 'Assets by status', key: 'counts'},
    h(
      'div',
      {class: 'counts-bar', role: 'presentation'},
      [...ASSET_STATES].reverse().map((state) => (data.counts[state] ? h('span', {data: {state}, style: {'flex-grow': String(data.counts[state])}, key: state}) : null)),
    ),
    h(
      'ul',
      {class: 'counts-list'},
      h('li', {}, h('a', {class: 'count-box', href: '/assets'}, h('span', {class: 'count-number'}, count(total)), h('span', {class: 'muted'}, total === 1 ? 'asset' : 'assets'))),
      [...ASSET_STATES].reverse().map((state) =>
        h(
          'li',
          {key: state},
          h(
            'a',
            {class: 'count-box', href: `/assets?state=${state}`, data: {state, none: data.counts[state] ? null : ''}},
            h('span', {class: 'count-number'}, count(data.counts[state])),
            h('span', {class: 'mark', data: {state}}, glyph(state), word(state)),
          ),
        ),
      ),
    ),
  );
}

function timeline() {
  const until = Date.now();
  const since = until - hours * 3_600_000;
  const [lanes, hidden] = inLanes(data.runs, since, until);
  return h(
    'section',
    {class: 'card runs-timeline', 'aria-labelledby': 'runs-title', key: 'timeline'},
    h(
      'div',
      {class: 'card-head'},
      h('h2', {id: 'runs-title'}, 'Runs'),
      legend(),
      h(
        'div',
        {class: 'switch', role: 'group', 'aria-label': 'Time range'},
        HOURS.map((one) => h('button', {type: 'button', 'aria-pressed': String(hours === one), onclick: () => choose(one)}, one === 1 ? '1 hour' : `${one} h`)),
      ),
    ),
    h(
      'div',
      {class: 'lanes', style: {height: `${Math.max(4, lanes.length) * 22 + 40}px`}},
      ticks(since, until),
      lanes.map((lane, index) => lane.map((bar) => runBar(bar, index))),
      lanes.length ? null : h('div', {class: 'lanes-none muted'}, `No run in the last ${hours === 1 ? 'hour' : `${hours} hours`}.`),
    ),
    hidden ? h('p', {class: 'muted small lanes-hidden'}, `${plural(hidden, 'more run')} at the same times. `, h('a', {class: 'link', href: '/runs'}, 'All runs')) : null,
  );
}

function legend() {
  const present = RUN_STATUSES.filter((status) => data.runs.some((run) => run.status === status));
  return h('div', {class: 'row legend wide grow'}, present.map((status) => runMark(status)));
}

async function choose(chosen) {
  hours = chosen;
  remember({hours});
  await load();
  redraw();
}

/** Places runs in rows so that none overlap, newest on top. Also returns how many did not fit. */
function inLanes(runs, since, until) {
  const ends = [];
  const lanes = [];
  let hidden = 0;
  const least = (until - since) * LEAST_WIDTH;
  for (const run of [...runs].sort((a, b) => a.started_at.localeCompare(b.started_at))) {
    const from = Date.parse(run.started_at);
    const to = run.ended_at ? Date.parse(run.ended_at) : run.status === 'STARTED' ? until : from;
    if (to < since) continue;
    let lane = ends.findIndex((end) => end <= from);
    if (lane < 0) lane = ends.length;
    if (lane >= LANES) {
      hidden += 1;
      continue;
    }
    ends[lane] = Math.max(to, from + least);
    const left = Math.min(1 - LEAST_WIDTH, Math.max(0, (from - since) / (until - since)));
    (lanes[lane] ??= []).push({run, left, width: Math.max(0, (to - since) / (until - since) - left)});
  }
  return [lanes, hidden];
}

function runBar({run, left, width}, lane) {
  const name = run.asset_count === 1 ? run.assets[0] : plural(run.asset_count, 'asset');
  const spent = run.duration_s === null ? '' : ` in ${duration(run.duration_s)}`;
  const failed = run.failed_steps.length && run.asset_count > 1 ? `, ${run.failed_steps.length} of them failed` : '';
  const text = `${name}: ${word(run.status)}${spent}${failed}, ${hourAndMinute(new Date(run.started_at))}`;
  return h(
    'a',
    {
      class: 'run-bar',
      href: runPage(run.run_id),
      title: text,
      'aria-label': text,
      data: {state: tone(run.status), status: run.status},
      style: {left: `${left * 100}%`, width: `${width * 100}%`, top: `${lane * 22 + 10}px`},
      key: run.run_id,
    },
    width > 0.08 ? h('span', {class: 'cut'}, name) : null,
  );
}

function ticks(since, until) {
  const every = {1: 10, 6: 60, 12: 120, 24: 240}[hours] * 60_000;
  const offset = new Date().getTimezoneOffset() * 60_000;
  const marks = [];
  for (let at = Math.ceil((since - offset) / every) * every + offset; at < until - (until - since) * NEAR_NOW; at += every) marks.push(at);
  return [
    marks.map((at) => h('div', {class: 'lanes-tick', style: {left: `${((at - since) / (until - since)) * 100}%`}, key: at}, h('span', {}, hourAndMinute(new Date(at))))),
    h('div', {class: 'lanes-now', key: 'now'}, h('span', {}, 'now')),
  ];
}

function running() {
  const runs = data.runs.filter((run) => run.status === 'STARTED');
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'running-title', key: 'running'},
    h('div', {class: 'card-head'}, h('h2', {id: 'running-title'}, 'Running now'), runs.length ? h('span', {class: 'muted small'}, String(runs.length)) : null),
    runs.length
      ? h('ul', {class: 'lines'}, runs.map((run) => line(run)))
      : h('p', {class: 'card-body muted'}, 'Nothing is running. ', h('a', {class: 'link', href: '/lineage'}, 'Choose what to materialize')),
  );
}

function failure() {
  const run = data.last_failure;
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'failure-title', key: 'failure'},
    h('div', {class: 'card-head'}, h('h2', {id: 'failure-title'}, 'Last failure'), run ? h('span', {class: 'muted small'}, when(run.started_at)) : null),
    run
      ? h(
          'div',
          {class: 'card-body stack'},
          cause(causes[run.run_id]?.[0]),
          h('div', {class: 'row wrap'}, run.failed_steps.slice(0, 4).map((key) => h('span', {class: 'mark pill cut', data: {state: 'failed'}, dir: 'auto'}, glyph('failed'), key)), run.failed_steps.length > 4 ? h('span', {class: 'muted small'}, `+${run.failed_steps.length - 4} more`) : null, h('a', {class: 'button button-small', href: runPage(run.run_id)}, 'See what failed'), h('span', {class: 'muted nowrap'}, runName(run.run_id))),
        )
      : h('p', {class: 'card-body muted'}, 'No run has failed.'),
  );
}

/** The error, and the user's line that raised it. */
function cause(failure) {
  if (!failure) return null;
  const own = failure.frames?.at(-1);
  return h(
    'div',
    {class: 'cause', key: 'cause'},
    h('p', {class: 'cause-message', dir: 'auto'}, h('span', {class: 'failure-type'}, failure.type), failure.message ? `: ${firstLine(failure.message)}` : null),
    own ? h('code', {class: 'muted cut', dir: 'auto'}, `${own.file}:${own.line}`) : null,
  );
}

function recent() {
  const runs = data.runs.slice(0, RECENT);
  if (!data.ever) return empty('runs', 'Nothing is materialized yet', h('p', {}, 'Materialize assets from the lineage, or in a terminal:'), h('pre', {class: 'code'}, 'assetgraph materialize --all'), h('a', {class: 'button button-main', href: '/lineage'}, 'Open the lineage'));
  if (!runs.length) return null;
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'recent-title', key: 'recent'},
    h('div', {class: 'card-head'}, h('h2', {id: 'recent-title'}, 'Latest runs'), h('a', {class: 'link small', href: '/runs'}, 'All runs')),
    h('ul', {class: 'lines'}, runs.map((run) => line(run))),
  );
}

function line(run) {
  const names = run.failed_steps.length ? run.failed_steps : run.assets;
  const rest = (run.failed_steps.length || run.asset_count) - Math.min(3, names.length);
  return h(
    'li',
    {key: run.run_id},
    h(
      'a',
      {class: 'line', href: runPage(run.run_id)},
      h('span', {class: 'line-status'}, runMark(run.status, 'pill')),
      h('span', {class: 'cut grow', dir: 'auto'}, names.slice(0, 3).join(', '), rest > 0 ? ` +${rest}` : ''),
      h('span', {class: 'muted wide nowrap small'}, runName(run.run_id)),
      h('span', {class: 'muted small line-when'}, when(run.started_at)),
      h('span', {class: 'small line-duration'}, lasted(run.duration_s, run.status === 'STARTED' ? run.started_at : null)),
    ),
  );
}

setInterval(() => data && redraw(), TICK_MS);
start({load, draw, hear});
