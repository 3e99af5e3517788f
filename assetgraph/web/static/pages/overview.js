// The overview: recent runs, what runs now, the last failure, and the assets by status.

import {address, read, runPage} from '../api.js';
import {firstLine} from '../ansi.js';
import {h, icon} from '../dom.js';
import {empty, noAssets} from '../first_steps.js';
import {count, plural, runName} from '../format.js';
import {openLaunch} from '../launch_dialog.js';
import {RunLanes} from '../run_lanes.js';
import {definitions, loadPage, redraw, reread, setActions, start} from '../shell.js';
import {ASSET_STATES, RUN_STATUSES, glyph, runMark, word} from '../states.js';
import {lasted, when} from '../live_times.js';
import {parameters, remember} from '../address_state.js';

const SPANS = [[0, 'Latest'], [1, '1 h'], [6, '6 h'], [24, '24 h'], [168, '7 days']];
const TICK_MS = 5000;
const RECENT = 6;

let hours = Number(parameters().get('hours')) || 0; // 0: the span that suits the latest runs
let data = null;
let causes = {}; // the last failure, by run id

const lanes = new RunLanes(rangeInAddress(), ({still = false} = {}) => {
  if (!still) keepAddress();
  redraw();
});

async function load() {
  const answer = await read(`${address('overview')}${hours ? `?hours=${hours}` : ''}`);
  data = answer.data;
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
  if (change.definitions && !change.definitions.loading) reread();
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
  if (!data.ever) {
    setActions();
    return total ? begin(total) : noAssets(definitions());
  }
  setActions(
    h('a', {class: 'button wide', href: '/lineage'}, icon('lineage', 'icon-small'), 'Open the lineage'),
    behind
      ? h('button', {class: 'button button-main', type: 'button', id: 'materialize', onclick: () => openLaunch({selection: ['*'], stale: true})}, icon('play', 'icon-small'), `Bring ${behind} up to date`)
      : null,
  );
  return h('div', {class: 'stack overview', key: 'overview'}, counts(total), timeline(), h('div', {class: 'overview-columns', key: 'columns'}, data.runs.some((run) => run.status === 'STARTED') ? [running(), failure()] : [failure(), running()]), recent());
}

/** The first visit: what there is, and how to begin. */
function begin(total) {
  return empty(
    'lineage',
    'Nothing is materialized yet',
    h('p', {}, `The project defines ${plural(total, 'asset')}. So it goes from here:`),
    h(
      'ol',
      {class: 'begin-steps'},
      beginStep('Materialize', [`A run computes ${total === 1 ? 'the asset' : 'each asset, upstream first'}, and stores its value. In a terminal: `, h('code', {}, 'assetgraph materialize --all')], h('button', {class: 'button button-main', type: 'button', id: 'materialize', onclick: () => openLaunch({selection: ['*']})}, icon('play', 'icon-small'), total === 1 ? 'Materialize it' : `Materialize all ${count(total)}`)),
      beginStep('Look', 'The lineage shows what each asset is made from; the page of an asset shows its value, history and code.', h('a', {class: 'button', href: '/lineage'}, icon('lineage', 'icon-small'), 'Open the lineage')),
      beginStep('Change', ['Edit a function, or a file that one reads. What depends on it becomes stale, and the page says why. With ', h('code', {}, 'assetgraph dev --watch'), ', it notices at once.'], h('a', {class: 'button', href: '/definitions'}, icon('definitions', 'icon-small'), 'See the definitions')),
    ),
    h('p', {class: 'small'}, 'Press ', h('kbd', {class: 'kbd'}, '/'), ' to find anything, and ', h('kbd', {class: 'kbd'}, '?'), ' for all keys.'),
  );
}

function beginStep(title, text, act) {
  return h('li', {class: 'begin-step'}, h('h3', {}, title), h('p', {}, text), act);
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
      [...ASSET_STATES].reverse().filter((state) => state !== 'external' || data.counts[state]).map((state) =>
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
  return h(
    'section',
    {class: 'card runs-timeline', 'aria-labelledby': 'runs-title', key: 'timeline'},
    h(
      'div',
      {class: 'card-head'},
      h('h2', {id: 'runs-title'}, 'Runs'),
      legend(),
      lanes.tools(),
      h(
        'div',
        {class: 'switch', role: 'group', 'aria-label': 'Time range'},
        SPANS.map(([one, text]) => h('button', {type: 'button', 'aria-pressed': String(hours === one), title: one ? null : 'The span of the latest runs', onclick: () => choose(one)}, text)),
      ),
    ),
    lanes.draw(data.runs, hours),
  );
}

function legend() {
  const present = RUN_STATUSES.filter((status) => data.runs.some((run) => run.status === status));
  return h('div', {class: 'row legend wide grow'}, present.map((status) => runMark(status)));
}

async function choose(chosen) {
  hours = chosen;
  lanes.range = null;
  keepAddress();
  await loadPage();
  redraw();
}

function keepAddress() {
  const [from, to] = (lanes.range ?? []).map((at) => new Date(at).toISOString());
  remember({hours: hours || null, from, to});
}

/** What was zoomed into, from the address. */
function rangeInAddress() {
  const [from, to] = ['from', 'to'].map((name) => Date.parse(parameters().get(name)));
  return to > from ? [from, to] : null;
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
