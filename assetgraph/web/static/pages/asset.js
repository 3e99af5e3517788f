// The page of one asset.

import {address, assetPage, read, runPage} from '../api.js';
import {lineChart} from '../number_chart.js';
import {attemptList} from '../attempts.js';
import {caveatNote, withoutWarning} from '../caveat.js';
import {checksCard, checkSign} from '../checks.js';
import {code} from '../code.js';
import {facts, neighbours} from '../asset_facts.js';
import {h, icon, kept} from '../dom.js';
import {externalCard} from '../external.js';
import {editorButtons, openInEditor} from '../editor.js';
import {duration, runName} from '../format.js';
import {failedNote, reasonText, reasonTone, shownReasons} from '../failed_state.js';
import {onStep, parameters} from '../address_state.js';
import {Nearby} from '../lineage/nearby.js';
import {partitionShare} from '../partition_share.js';
import {PartitionTable, partitionPage} from '../partition_table.js';
import {openLaunch} from '../launch_dialog.js';
import {markdown} from '../markdown.js';
import {isNumber, metadataTable} from '../metadata.js';
import {observedReads} from '../observed_reads.js';
import {previewOf} from '../value_preview.js';
import {schema, withoutSchema} from '../schema.js';
import {crumbs, redraw, reread, setActions, start} from '../shell.js';
import {shortcut} from '../shortcuts.js';
import {assetMark, glyph} from '../states.js';
import {tabInAddress, tabLinks} from '../tab_links.js';
import {when} from '../live_times.js';
import {complain} from '../toast.js';

const CHARTED = 100;
const RENEWED_MS = 200;

const key = document.body.dataset.about;
const partition = parameters().get('partition'); // the page is about this one of its partitions
const about = partition === null ? '' : `?partition=${encodeURIComponent(partition)}`;
const table = new PartitionTable(key, {changed: () => redraw(), loaded: () => reread(), launch: (chosen) => materialize(chosen)});
const nearby = new Nearby(key, redraw);
let tab = 'overview';
let asset = null;
let attempts = [];
let next = null;
let preview = null;
let drawn = {source: null, number: 0, element: null};
let reading = false; // earlier attempts
let renewing = false;
let told = false; // which keys there are
let changed = false; // meanwhile

async function load() {
  const [first, past] = await Promise.all([read(`${address('assets', key)}${about}`), read(`${address('history', key)}?limit=${CHARTED}${about.replace('?', '&')}`)]);
  asset = first.data;
  ({attempts, next} = past.data);
  if (asset.materialization && !asset.partitions) loadPreview();
  if (asset.partitions) {
    table.load();
    tellKeys();
  }
  turnTo(tabInAddress(tabs().map(([name]) => name)));
  return first.position;
}

/** Lists the keys of the bar of partitions, which listens to them while it has the focus. */
function tellKeys() {
  if (told) return;
  told = true;
  shortcut('← →', 'On the bar of partitions: move, with Shift select');
  shortcut('+ −', 'On the bar: zoom; 0 shows all');
  shortcut('Enter', 'On the bar: materialize what is selected');
}

async function loadPreview() {
  if (preview?.run_id === asset.materialization.run_id) return;
  try {
    preview = (await read(`${address('preview', key)}${about}`)).data;
  } catch (error) {
    preview = {kind: 'none', note: error.message};
  }
  redraw();
}

function hear(change) {
  if (change.definitions && !change.definitions.loading) reread();
  nearby.hear(change);
  const near = new Set([...asset.upstream, ...asset.downstream].map((one) => one.key));
  let touched = false;
  for (const row of change.assets ?? []) {
    if (row.key === key) renew();
    for (const one of [...asset.upstream, ...asset.downstream]) {
      if (one.key === row.key) one.state = row.state;
    }
    touched ||= row.key === key || near.has(row.key);
  }
  return touched;
}

/** Loads the asset again: while a run makes its partitions, not at each of them. */
async function renew() {
  if (renewing) {
    changed = true;
    return;
  }
  renewing = true;
  await reread();
  await new Promise((done) => setTimeout(done, RENEWED_MS));
  renewing = false;
  if (changed) {
    changed = false;
    renew();
  }
}

async function more() {
  if (reading) return;
  reading = true;
  try {
    const {data} = await read(`${address('history', key)}?limit=${CHARTED}&after=${next}${about.replace('?', '&')}`);
    attempts.push(...data.attempts);
    next = data.next;
    redraw();
  } catch (error) {
    complain(error);
  }
  reading = false;
}

/** The tabs that there is something to see in: their names, titles and counts. */
function tabs() {
  return [
    ['overview', 'Overview'],
    asset.partitions ? ['partitions', 'Partitions', asset.partitions_def.count] : null,
    asset.checks.length ? ['checks', 'Checks', asset.checks.length] : null,
    ['lineage', 'Lineage'],
    asset.source ? ['code', 'Code'] : null,
    ['history', 'History'],
  ].filter(Boolean);
}

const SHOWN = {
  overview: () => h('div', {class: 'columns', key: 'overview'}, h('div', {class: 'stack asset-main'}, overview()), h('aside', {class: 'stack asset-side', 'aria-label': 'Definition'}, facts(asset), neighbours('Upstream', asset.upstream), neighbours('Downstream', asset.downstream))),
  partitions: () => table.draw(asset),
  checks: () => checksCard(asset),
  lineage: () => [nearby.draw(), h('div', {class: 'asset-pair', key: 'neighbours'}, neighbours('Upstream', asset.upstream, 'lineage'), neighbours('Downstream', asset.downstream, 'lineage')), observedReads(asset)],
  code: () => h('div', {class: 'columns', key: 'code'}, source(), h('aside', {class: 'stack asset-side', 'aria-label': 'Definition'}, facts(asset))),
  history,
};

/** Shows a tab, once what it needs is loaded. */
function turnTo(name) {
  tab = name;
  if (tab === 'lineage') nearby.load();
}

function draw() {
  if (partition === null) crumbs([['Assets', '/assets']], asset.key);
  else crumbs([['Assets', '/assets'], [asset.key, assetPage(key)]], partition);
  setActions(
    h('button', {class: 'button button-main', type: 'button', id: 'materialize', hidden: Boolean(asset.external), onclick: () => materialize()}, icon('play', 'icon-small'), 'Materialize'),
  );
  const choose = (name) => {
    turnTo(name);
    redraw();
  };
  return h('div', {class: 'stack asset', key: 'asset'}, head(), tabLinks('Parts of the asset', tabs(), tab, choose), SHOWN[tab]());
}

function overview() {
  const all = h('a', {class: 'link small nowrap', href: `${assetPage(key)}?tab=partitions`}, 'All partitions');
  return [summary(), asset.partitions ? table.drawBar(asset, all) : null, asset.external ? externalCard(asset) : latest(), schema(asset), asset.partitions ? null : charts(), shownPreview()];
}

/** Opens the dialog: for what is selected on the bar, if it is given, or else for the asset. */
function materialize(chosen = null) {
  if (asset.external) return;
  openLaunch({selection: [`key:"${key}"`], partition, chosen});
}

function head() {
  return h(
    'section',
    {class: 'asset-head', 'aria-label': 'Status', key: 'head'},
    h(
      'div',
      {class: 'row wrap'},
      assetMark(asset, 'pill'),
      partitionShare(asset),
      checkSign(asset),
      partition === null ? null : h('a', {class: 'link small nowrap', href: assetPage(key)}, 'All partitions'),
      asset.state === 'failed' ? h('span', {class: 'small failed-note'}, failedNote(asset)) : null,
      asset.running_run_id ? h('a', {class: 'link small nowrap', href: runPage(asset.running_run_id)}, `run ${runName(asset.running_run_id)}`) : null,
      asset.state === 'missing' && !asset.materialization && !asset.damage && !asset.partitions ? h('span', {class: 'muted'}, 'Materialize it to compute its first value.') : null,
    ),
  );
}

/** What there is to know first: what is wrong with its value, and its description. */
function summary() {
  const reasons = shownReasons(asset);
  return h(
    'section',
    {class: 'asset-about', 'aria-label': 'About', key: 'about'},
    caveatNote(asset),
    asset.damage ? h('div', {class: 'problem-note'}, asset.damage) : null,
    reasons.length ? h('ul', {class: 'reasons', 'aria-label': asset.reasons.length ? 'Why it is not up to date' : 'Its last attempt'}, reasons.map(reasonLine)) : null,
    asset.description ? markdown(asset.description) : h('p', {class: 'muted'}, 'No description. Add a docstring to the function.'),
  );
}

function reasonLine(reason) {
  const runId = reason.run_id;
  const state = reasonTone(reason);
  return h(
    'li',
    {key: reason.text, data: {state}},
    h('span', {class: 'mark', data: {state}}, glyph(state)),
    h('span', {class: 'grow'}, reasonText(reason)),
    runId ? h('a', {class: 'link small nowrap', href: runPage(runId)}, 'See the run') : null,
  );
}

function latest() {
  const made = asset.materialization;
  if (!made) return null;
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'latest-title', key: 'latest'},
    h(
      'div',
      {class: 'card-head'},
      h('h2', {id: 'latest-title'}, 'Latest materialization'),
      asset.partitions && made.partition ? h('a', {class: 'link small nowrap', href: partitionPage(key, made.partition), dir: 'auto'}, made.partition) : null,
      when(made.timestamp, 'muted small'),
      h('a', {class: 'link small nowrap', href: runPage(made.run_id)}, runName(made.run_id)),
      h('span', {class: 'muted small'}, duration(made.duration_s)),
    ),
    h('div', {class: 'card-body'}, metadataTable(withoutWarning(withoutSchema(asset.metadata)))),
  );
}


/** A chart of the duration, and of each number in the metadata with at least two values. */
function charts() {
  const made = attempts.filter((attempt) => attempt.type === 'materialization').reverse();
  const names = [...new Set(made.flatMap((attempt) => Object.keys(attempt.metadata)))];
  const series = names.map((name) => [name, made.filter((attempt) => isNumber(attempt.metadata[name])).map((attempt) => point(attempt, attempt.metadata[name]))]);
  series.push(['duration', made.filter((attempt) => attempt.duration_s !== null).map((attempt) => point(attempt, attempt.duration_s)), duration]);
  const drawn = series.filter(([, points]) => points.length > 1);
  if (!drawn.length) return null;
  return h('section', {class: 'charts', 'aria-label': 'Metadata over time', key: 'charts'}, drawn.map(([name, points, format]) => lineChart(name, points, format)));
}

function point(attempt, value) {
  return {value, at: attempt.timestamp, href: runPage(attempt.run_id)};
}

function shownPreview() {
  if (!asset.materialization || asset.partitions) return null;
  const {format, type, path} = asset.value;
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'preview-title', key: 'preview'},
    h(
      'div',
      {class: 'card-head'},
      h('h2', {id: 'preview-title'}, 'Value'),
      h('span', {class: 'muted small cut', title: type}, [type, format === 'path' ? null : format].filter(Boolean).join(' · ')),
      path ? h('code', {class: 'muted cut', title: path, dir: 'auto'}, path) : null,
    ),
    preview ? previewOf(preview, {picture: address('picture', key), partition, version: asset.materialization.run_id, path}) : h('div', {class: 'card-body'}, h('span', {class: 'skeleton'})),
  );
}

function history() {
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'history-title', key: 'history'},
    h('div', {class: 'card-head'}, h('h2', {id: 'history-title'}, 'History'), h('span', {class: 'muted small'}, 'materializations and failures')),
    attempts.length ? attemptList(attempts, {partitioned: Boolean(asset.partitions)}) : h('p', {class: 'card-body muted'}, 'No attempts yet.'),
    next ? h('div', {class: 'card-body'}, h('button', {class: 'button', type: 'button', onclick: more}, 'Earlier attempts')) : null,
  );
}

function source() {
  if (!asset.source) return null;
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'source-title', key: 'source'},
    h('div', {class: 'card-head'}, h('h2', {id: 'source-title'}, 'Definition'), h('code', {class: 'muted cut', title: asset.place}, asset.place), editorButtons(asset.place, redraw)),
    sourceText(),
  );
}

/** The source, drawn once for each version of it. */
function sourceText() {
  if (drawn.source !== asset.source) drawn = {source: asset.source, number: drawn.number + 1, element: h('pre', {class: 'code code-flush', tabindex: '0', 'aria-label': 'Source'}, code(asset.source, 'python'))};
  return kept(drawn.element, `source-${drawn.number}`);
}

shortcut('m', 'Materialize', () => materialize());
shortcut('e', 'Open the definition in the editor', () => openInEditor(asset?.place));
onStep(() => {
  nearby.readAddress();
  turnTo(tabInAddress(tabs().map(([name]) => name)));
  redraw();
});
start({load, draw, hear});
