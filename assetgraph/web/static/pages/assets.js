// The table of assets.

import {address, assetPage, read, runPage} from '../api.js';
import {h, icon, withCode} from '../dom.js';
import {externalAge} from '../external.js';
import {caveatSign} from '../caveat.js';
import {checkSign} from '../checks.js';
import {Facets} from '../facets.js';
import {duration} from '../format.js';
import {failedAge, shownReasons, valueInUse} from '../failed_state.js';
import {keyText} from '../key_text.js';
import {partitionShare, share} from '../partition_share.js';
import {openLaunch} from '../launch_dialog.js';
import {markdownGist} from '../markdown.js';
import {AssetSearch} from '../asset_search.js';
import {definitions, redraw, reread, setActions, start} from '../shell.js';
import {shortcut} from '../shortcuts.js';
import {ASSET_STATES, assetMark, assetState, glyph, word} from '../states.js';
import {Ticked} from '../ticked.js';
import {when} from '../live_times.js';
import {noAssets} from '../first_steps.js';
import {onStep, parameters, remember} from '../address_state.js';
import {VirtualRows} from '../virtual_rows.js';

const WIDE_ROW = 56;
const NARROW_ROW = 88;
const MOST_KINDS = 1;
const LETTER = 7.2; // pixels, about
const CHIP = 36; // pixels around the letters
const narrow = matchMedia('(max-width: 760px)');

const COLUMNS = [
  ['key', 'Asset', (asset) => asset.key],
  ['state', 'Status', (asset) => ASSET_STATES.indexOf(asset.state)],
  ['group', 'Group', (asset) => asset.group_name],
  ['module', 'Module', (asset) => asset.module],
  ['kinds', 'Kinds', (asset) => asset.kinds.join()],
  ['owners', 'Owner', (asset) => asset.owners.join()],
  ['last', 'Last materialized', (asset) => asset.external?.at ?? asset.materialization?.timestamp ?? ''],
  ['duration', 'Duration', (asset) => asset.materialization?.duration_s ?? -1],
];

const assets = new Map();
const ticked = new Ticked(() => redraw());
let shown = [];
let keysShown = [];
let owned = false;
let {state, sortBy, direction} = placeInAddress();

/** The status and the order that the address names: `?status=` takes the words that are shown, too. */
function placeInAddress() {
  const query = parameters();
  const state = assetState(query.get('state') ?? query.get('status')) ?? '';
  const [sortBy, direction] = (query.get('sort') ?? 'order').split('-');
  return {state, sortBy, direction};
}

const search = new AssetSearch(parameters().get('q') ?? '', () => {
  remember({q: search.text});
  scrollTo(0, 0);
  redraw();
});
const facets = new Facets((chosen) => {
  remember(chosen, {step: true});
  redraw();
});
const rows = new VirtualRows({height: WIDE_ROW, draw: (index) => row(shown[index], index)});

async function load() {
  const {data, position} = await read(address('assets'));
  assets.clear();
  for (const asset of data) assets.set(asset.key, asset);
  ticked.keep(assets.keys());
  await search.ask();
  return position;
}

function hear(change) {
  if (change.definitions && !change.definitions.loading) reread();
  for (const asset of change.assets ?? []) {
    if (assets.has(asset.key)) assets.set(asset.key, asset);
  }
  return Boolean(change.assets);
}

function draw() {
  const found = [...assets.values()].filter((asset) => search.takes(asset) && facets.takes(asset));
  shown = sorted(found.filter((asset) => !state || asset.state === state));
  keysShown = shown.map((asset) => asset.key);
  drawActions();
  if (!assets.size) return noAssets(definitions());
  owned = found.some((asset) => asset.owners.length);
  rows.update(shown.length, narrow.matches ? NARROW_ROW : WIDE_ROW);
  return [
    h('div', {class: 'toolbar', key: 'toolbar'}, search.field(), stateFilter(found)),
    facets.draw([...assets.values()]),
    search.note(),
    h(
      'div',
      {class: `table assets-table ${hiddenColumns(found)}`, style: {...widths(found), '--status-least': statusLeast(found)}, role: 'table', 'aria-label': 'Assets', 'aria-rowcount': String(shown.length + 1), key: 'table'},
      head(),
      shown.length ? null : h('div', {class: 'empty', key: 'none'}, h('h2', {}, 'No asset matches'), h('p', {}, 'Clear the search, or choose another status.')),
      rows.place('rows'),
    ),
  ];
}

function drawActions() {
  const keys = [...ticked];
  const filtered = shown.length < assets.size;
  const behind = shown.filter((asset) => ['stale', 'failed', 'missing'].includes(asset.state)).length;
  setActions(
    keys.length ? h('button', {class: 'button wide', type: 'button', onclick: () => ticked.all(false, keys)}, 'Clear selection') : null,
    !keys.length && behind && behind < assets.size
      ? h('button', {class: 'button wide', type: 'button', onclick: () => openLaunch({selection: filtered ? texts(shown) : [], stale: true})}, `Bring ${behind} up to date`)
      : null,
    h(
      'button',
      {class: 'button button-main', type: 'button', id: 'materialize', disabled: !keys.length && !shown.length, onclick: materialize},
      icon('play', 'icon-small'),
      keys.length ? `Materialize ${keys.length} selected` : filtered ? `Materialize ${shown.length} shown` : 'Materialize all',
    ),
  );
}

function materialize() {
  const chosen = ticked.size ? [...ticked].map((key) => assets.get(key)) : shown;
  if (!chosen.length) return; // an empty selection would mean every asset
  openLaunch({selection: ticked.size || shown.length < assets.size ? texts(chosen) : ['*']});
}

function texts(list) {
  return list.map((asset) => `key:"${asset.key}"`);
}

function stateFilter(found) {
  const counts = Object.fromEntries(ASSET_STATES.map((name) => [name, found.filter((asset) => asset.state === name).length]));
  const choice = (name, text, inner) =>
    h('button', {type: 'button', 'aria-pressed': String(state === name), onclick: () => choose(name), title: text, key: name || 'all'}, inner);
  return h(
    'div',
    {class: 'switch state-filter', role: 'group', 'aria-label': 'Status', key: 'states'},
    choice('', 'All', ['All ', h('span', {class: 'count'}, String(found.length))]),
    ASSET_STATES.filter((name) => counts[name] || state === name).map((name) =>
      choice(name, word(name), [
        h('span', {class: 'mark', data: {state: name}}, glyph(name)),
        h('span', {class: 'wide'}, word(name)),
        h('span', {class: 'count'}, String(counts[name])),
      ]),
    ),
  );
}

/** Classes that hide the columns in which there is nothing to tell assets apart. */
function hiddenColumns(list) {
  const modules = new Set(list.map((asset) => asset.module));
  return [owned ? '' : 'without-owners', modules.size > 1 ? '' : 'without-modules', list.some((asset) => asset.kinds.length) ? '' : 'without-kinds'].join(' ');
}

/** The widths of the columns, with and without the modules: as much as their texts need, up to a
 * limit; the rest is for the names. */
function widths(list) {
  const hidden = hiddenColumns(list);
  const needed = (of, least, most) => `${Math.min(most, Math.max(least, Math.ceil(list.reduce((longest, asset) => Math.max(longest, of(asset).length), 0) * LETTER + CHIP)))}px`;
  const fitting = (of, least, most) => `minmax(${least}px, ${needed(of, least, most)})`;
  const group = needed((asset) => asset.group_name, 84, 260);
  const columns = (modules) => [
    '20px minmax(190px, 3fr) minmax(var(--status-least), 1.8fr)',
    `minmax(84px, ${group})`,
    modules,
    hidden.includes('without-kinds') ? '' : fitting((asset) => asset.kinds[0] ?? '', 76, 140),
    hidden.includes('without-owners') ? '' : fitting((asset) => asset.owners.join(', '), 76, 260),
    '132px 64px',
  ].join(' ');
  const modules = hidden.includes('without-modules') ? '' : fitting((asset) => asset.module, 84, 220);
  return {'--wide-columns': columns(modules), '--columns': columns(''), '--group-column': group};
}

/** The width that the states need, with how many partitions are up to date beside them. */
function statusLeast(list) {
  const longest = list.reduce((most, asset) => Math.max(most, (share(asset)?.[1] || '').toLocaleString('en').length), 0);
  return `${150 + (longest && Math.ceil((2 * longest + 1) * LETTER) + 8)}px`;
}

function choose(name) {
  state = state === name ? '' : name;
  remember({state, status: null}, {step: true});
  redraw();
}

function head() {
  return h(
    'div',
    {class: 'table-head', role: 'row', key: 'head'},
    h('span', {role: 'columnheader'}, ticked.boxOfAll('Select all that are shown', keysShown)),
    COLUMNS.map(([name, text]) => {
      const order = sortBy === name ? (direction === 'down' ? 'descending' : 'ascending') : null;
      return h(
        'span',
        {role: 'columnheader', 'aria-sort': order, hidden: name === 'owners' && !owned},
        h('button', {class: 'sort', type: 'button', 'aria-sort': order, onclick: () => sort(name)}, text, icon('sort', 'icon-small')),
      );
    }),
  );
}

function sort(name) {
  if (sortBy !== name) [sortBy, direction] = [name, 'up'];
  else if (direction === 'up') direction = 'down';
  else sortBy = 'order';
  remember({sort: sortBy === 'order' ? null : `${sortBy}-${direction}`}, {step: true});
  redraw();
}

function sorted(list) {
  const of = COLUMNS.find(([name]) => name === sortBy)?.[2];
  if (!of) return list;
  const sign = direction === 'down' ? -1 : 1;
  return list
    .map((asset) => [of(asset), asset])
    .sort(([a], [b]) => sign * (typeof a === 'number' ? a - b : a.localeCompare(b)))
    .map(([, asset]) => asset);
}

function row(asset, index) {
  const made = asset.materialization;
  return h(
    'div',
    {class: 'table-row', role: 'row', 'aria-rowindex': String(index + 2), 'aria-selected': String(ticked.has(asset.key)), key: asset.key, data: {key: asset.key}, style: {height: `${rows.height}px`}},
    h('span', {role: 'cell'}, ticked.box(asset.key, `Select ${asset.key}`, keysShown)),
    h(
      'span',
      {role: 'cell', class: 'cell-name'},
      h('a', {class: 'name', href: assetPage(asset.key), title: asset.key, dir: 'auto'}, keyText(asset.key)),
      h('div', {class: 'sub', title: asset.description ?? '', dir: 'auto'}, markdownGist(asset.description) || h('span', {class: 'mono'}, asset.module)),
    ),
    h('span', {role: 'cell'}, h('span', {class: 'row nowrap'}, assetMark(asset, 'pill'), partitionShare(asset), checkSign(asset), caveatSign(asset), h('span', {class: 'muted small nowrap'}, failedAge(asset))), h('div', {class: 'sub reason', title: reasons(asset)}, withCode(reasons(asset)))),
    h('span', {role: 'cell', class: 'cut'}, h('a', {class: 'chip', href: `/lineage?select=${encodeURIComponent(`group:"${asset.group_name}"`)}`}, icon('group', 'icon-small'), h('span', {class: 'cut'}, asset.group_name))),
    h('span', {role: 'cell', class: 'wide sub cut-before', title: asset.module}, h('bdi', {}, asset.module)),
    h('span', {role: 'cell', class: 'wide row chips'}, asset.kinds.slice(0, MOST_KINDS).map((kind) => h('a', {class: 'chip', href: `/assets?kind=${encodeURIComponent(kind)}`}, kind)), asset.kinds.length > MOST_KINDS ? h('span', {class: 'sub', title: asset.kinds.join(', ')}, `+${asset.kinds.length - MOST_KINDS}`) : null),
    h('span', {role: 'cell', class: 'wide sub', hidden: !owned, title: asset.owners.join(', ')}, asset.owners.join(', ')),
    h('span', {role: 'cell'}, last(asset)),
    h('span', {role: 'cell', class: 'wide muted'}, made ? duration(made.duration_s) : ''),
  );
}

function last(asset) {
  if (asset.running_run_id) return h('a', {class: 'link', href: runPage(asset.running_run_id)}, 'in this run');
  if (asset.external) return h('span', {class: 'muted'}, externalAge(asset) ?? '–');
  if (!asset.materialization) return h('span', {class: 'muted'}, '–');
  const made = h('a', {class: 'quiet-link', href: runPage(asset.materialization.run_id)}, when(asset.materialization.timestamp));
  return valueInUse(asset) ? [made, h('div', {class: 'sub'}, 'still in use')] : made;
}

function reasons(asset) {
  const told = shownReasons(asset).map((reason) => reason.text);
  return asset.state === 'failed' && asset.failure ? asset.failure.error : told.join(' · ');
}

shortcut('m', 'Materialize', materialize);
narrow.addEventListener('change', redraw);
onStep(async () => {
  ({state, sortBy, direction} = placeInAddress());
  facets.readAddress();
  search.text = parameters().get('q') ?? '';
  await search.ask();
  redraw();
});
start({load, draw, hear});
