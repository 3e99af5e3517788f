// The page of one asset.

import {address, assetPage, read, runPage} from '../api.js';
import {lineChart} from '../number_chart.js';
import {attemptList} from '../attempts.js';
import {caveatNote, withoutWarning} from '../caveat.js';
import {code} from '../code.js';
import {h, icon, kept} from '../dom.js';
import {externalCard} from '../external.js';
import {editorButtons, editorLink} from '../editor.js';
import {duration, runName} from '../format.js';
import {failedNote, reasonText, reasonTone, shownReasons} from '../failed_state.js';
import {parameters} from '../address_state.js';
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
import {when} from '../live_times.js';
import {complain} from '../toast.js';

const CHARTED = 100;
const RENEWED_MS = 200;

const key = document.body.dataset.about;
const partition = parameters().get('partition'); // the page is about this one of its partitions
const about = partition === null ? '' : `?partition=${encodeURIComponent(partition)}`;
const table = new PartitionTable(key, {changed: () => redraw(), loaded: () => reread(), launch: (chosen) => materialize(chosen)});
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

function draw() {
  if (partition === null) crumbs([['Assets', '/assets']], asset.key);
  else crumbs([['Assets', '/assets'], [asset.key, assetPage(key)]], partition);
  setActions(
    h('a', {class: 'button', 'aria-label': 'Lineage', href: `/lineage?select=${encodeURIComponent(`1+key:"${key}"+1`)}&selected=${encodeURIComponent(key)}`}, icon('lineage', 'icon-small'), h('span', {class: 'wide'}, 'Lineage')),
    h('button', {class: 'button button-main', type: 'button', id: 'materialize', hidden: Boolean(asset.external), onclick: () => materialize()}, icon('play', 'icon-small'), 'Materialize'),
  );
  return h(
    'div',
    {class: 'columns', key: 'asset'},
    h('div', {class: 'stack asset-main'}, head(), asset.partitions ? table.draw(asset) : null, asset.external ? externalCard(asset) : latest(), schema(asset), asset.partitions ? null : charts(), shownPreview(), observedReads(asset), history(), source()),
    h('aside', {class: 'stack asset-side', 'aria-label': 'Definition'}, facts(), neighbours('Upstream', asset.upstream), neighbours('Downstream', asset.downstream)),
  );
}

/** Opens the dialog: for what is selected on the bar, if it is given, or else for the asset. */
function materialize(chosen = null) {
  if (asset.external) return;
  openLaunch({selection: [`key:"${key}"`], partition, chosen});
}

function head() {
  const reasons = shownReasons(asset);
  return h(
    'section',
    {class: 'asset-head', 'aria-label': 'Status', key: 'head'},
    h(
      'div',
      {class: 'row wrap'},
      assetMark(asset, 'pill'),
      partitionShare(asset),
      partition === null ? null : h('a', {class: 'link small nowrap', href: assetPage(key)}, 'All partitions'),
      asset.state === 'failed' ? h('span', {class: 'small failed-note'}, failedNote(asset)) : null,
      asset.running_run_id ? h('a', {class: 'link small nowrap', href: runPage(asset.running_run_id)}, `run ${runName(asset.running_run_id)}`) : null,
      asset.state === 'missing' && !asset.materialization && !asset.damage && !asset.partitions ? h('span', {class: 'muted'}, 'Materialize it to compute its first value.') : null,
    ),
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

function facts() {
  const tags = Object.entries(asset.tags);
  return h(
    'section',
    {class: 'card', 'aria-label': 'Facts', key: 'facts'},
    h('div', {class: 'card-head'}, h('h2', {}, 'Facts')),
    h(
      'dl',
      {class: 'facts card-body'},
      pair('Group', h('a', {class: 'chip', href: `/lineage?select=${encodeURIComponent(`group:"${asset.group_name}"`)}`}, icon('group', 'icon-small'), asset.group_name)),
      pair('Kinds', asset.kinds.length ? h('div', {class: 'row wrap chips'}, asset.kinds.map((kind) => facetChip('kind', kind))) : null),
      pair('Owners', asset.owners.length ? h('div', {class: 'row wrap chips'}, asset.owners.map((owner) => facetChip('owner', owner))) : null),
      pair('Tags', tags.length ? h('div', {class: 'row wrap chips'}, tags.map(([name, value]) => facetChip('tag', value ? `${name}=${value}` : name))) : null),
      pair('Made with', asset.made_with.length ? h('div', {class: 'row wrap chips'}, asset.made_with.map((one) => h('a', {class: 'chip', href: assetPage(one)}, one))) : null),
      pair('Module', h('code', {}, breakable(asset.module))),
      pair('Defined at', editorLink(asset.place, h('code', {}, breakable(asset.place)), 'quiet-link')),
      asset.partitions_def ? pair('Partitions', h('code', {}, breakable(asset.partitions_def.definition))) : null,
      asset.partitions_def?.default ? pair('Default', h('code', {}, asset.partitions_def.default)) : null,
      pair('Code version', asset.code_version ? h('code', {title: asset.code_version}, asset.code_version.slice(0, 12)) : null),
      pair('Data version', asset.data_version ? h('code', {title: asset.data_version}, asset.data_version.slice(0, 12)) : null),
      pair('Config', asset.config_fields ? h('code', {}, asset.config_fields.map((field) => field.name).join(', ') || 'no fields') : null),
      Object.keys(asset.definition_metadata).length ? pair('Metadata', metadataTable(asset.definition_metadata)) : null,
    ),
  );
}

/** A link to all assets with this value. */
function facetChip(name, value) {
  return h('a', {class: 'chip', href: `/assets?${name}=${encodeURIComponent(value)}`, title: `Assets with this ${name}`, dir: 'auto'}, h('span', {class: 'cut'}, value));
}

/** A path or dotted name with possible line breaks after its parts. */
function breakable(text) {
  return text.split(/(?<=[/.])/).map((part) => [part, h('wbr', {})]);
}

function pair(name, value) {
  return value === null ? null : [h('dt', {}, name), h('dd', {}, value)];
}

function neighbours(title, list) {
  return h(
    'section',
    {class: 'card', 'aria-label': title, key: title},
    h('div', {class: 'card-head'}, h('h2', {}, title), h('span', {class: 'muted small'}, String(list.length))),
    list.length
      ? h('ul', {class: 'lines'}, list.map((one) => h('li', {key: one.key}, h('a', {class: 'line', href: assetPage(one.key)}, h('span', {class: 'mark', data: {state: one.state}, title: one.state}, glyph(one.state), h('span', {class: 'visually-hidden'}, one.state)), h('span', {class: 'cut grow', dir: 'auto'}, one.key)))))
      : h('p', {class: 'card-body muted small'}, title === 'Upstream' ? 'No upstream assets.' : 'No downstream assets.'),
  );
}

shortcut('m', 'Materialize', () => materialize());
shortcut('e', 'Open the definition in the editor', () => document.getElementById('open-in-editor')?.click());
start({load, draw, hear});
