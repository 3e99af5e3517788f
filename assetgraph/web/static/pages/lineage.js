// The page of the lineage graph.

import {address, assetPage, read} from '../api.js';
import {h, icon, kept} from '../dom.js';
import {noAssets} from '../first_steps.js';
import {openLaunch} from '../launch_dialog.js';
import {EDGE} from '../lineage/camera.js';
import {Graph} from '../lineage/graph.js';
import {Marked} from '../lineage/highlights.js';
import {listenToKeys} from '../lineage/keys.js';
import {Panel} from '../lineage/panel.js';
import {Scene} from '../lineage/scene.js';
import {AssetSearch} from '../asset_search.js';
import {definitions, loadPage, redraw, setActions, start} from '../shell.js';
import {shortcut} from '../shortcuts.js';
import {assetWord} from '../states.js';
import {announce, complain} from '../toast.js';
import {onStep, parameters, remember} from '../address_state.js';

const HOPS = [1, 2, 3, 5];
const PANEL = 340; // pixels
const STACKED_BELOW = 760;
const AROUND = 146; // the bar and the tools above the graph, and those below it
const LISTED = 'assetgraph-lineage-list';

const marked = new Marked();
const graph = new Graph({marked, choose: (id, adding) => choose(id ? [id] : [], adding), open, fold: (group) => expand(group)});
const panel = new Panel({choose, drawn: redraw, expand});
const search = new AssetSearch(parameters().get('q') ?? '', found);

let {select, focus, hops, collapsed} = placeInAddress();
const wantedKeys = parameters().getAll('selected');
let listed = localStorage.getItem(LISTED) === 'yes';
let scene = null;

/** The part of the graph that the address names. */
function placeInAddress() {
  const query = parameters();
  return {
    select: query.get('select') ?? '',
    focus: query.get('focus') ?? '',
    hops: Number(query.get('hops')) || 1,
    collapsed: query.get('collapsed'),
  };
}

async function load() {
  try {
    const position = await loadGraph();
    return (await openFolded()) ?? position;
  } catch (error) {
    if (error.column === undefined) throw error;
    // The address has an invalid selection: show it in the search field with its error.
    search.text = wanted();
    search.error = error;
    [select, focus] = ['', ''];
    return loadGraph();
  }
}

/** Opens the groups of the assets that the address selects. */
async function openFolded() {
  if (marked.selected.size) return null;
  const folded = parameters().getAll('selected').map((key) => scene.nodes.has(key) ? null : scene.drawnAs.get(key)?.group);
  const groups = new Set(folded.filter((group) => group !== null && group !== undefined));
  if (!groups.size) return null;
  collapsed = scene.groups.filter((group) => group.collapsed && !groups.has(group.name)).map((group) => group.name).join(',');
  const position = await loadGraph(parameters().getAll('selected'));
  keepAddress();
  return position;
}

function wanted() {
  return focus ? `${hops}+key:"${focus}"+${hops}` : select;
}

/** The query for the part of the graph on show. */
function selection() {
  return new URLSearchParams(wanted() ? {select: wanted()} : {});
}

async function loadGraph(chosen = null) {
  const query = selection();
  if (collapsed !== null) query.set('collapsed', collapsed);
  query.set('window', roomForGraph());
  const {data, position} = await read(`${address('lineage')}?${query}`);
  const before = chosen ?? (scene ? [...marked.selected] : parameters().getAll('selected'));
  scene = new Scene(data);
  marked.select(scene, before);
  panel.forgetAll();
  graph.show(scene);
  return position;
}

/** The size of the window that the graph is laid out for, without the margins. */
function roomForGraph() {
  const main = document.getElementById('main');
  const beside = innerWidth > STACKED_BELOW && (listed || marked.selected.size || parameters().has('selected')) ? PANEL : 0;
  const limited = (size) => Math.min(9999, Math.max(200, Math.round(size - 2 * EDGE)));
  return `${limited(main.clientWidth - beside)}x${limited(innerHeight - AROUND)}`;
}

function hear(change) {
  if (change.definitions && !change.definitions.loading) loadPage().then(redraw, complain);
  for (const steps of Object.values(change.progress ?? {})) {
    for (const [key, progress] of Object.entries(steps)) graph.touch(scene.report(key, progress));
  }
  let selected = false;
  for (const row of change.assets ?? []) {
    const node = scene.update(row);
    if (!node) continue;
    graph.touch(node);
    if (marked.isSelected(node.id)) {
      panel.forget(row.key);
      selected = true;
    }
  }
  return selected || (Boolean(change.assets) && !marked.selected.size);
}

function draw() {
  actions();
  if (!scene.assetCount && !wanted()) return noAssets(definitions());
  return h(
    'div',
    {class: 'lineage', key: 'lineage'},
    h('div', {class: 'lineage-main'}, toolbar(), search.note(), scene.assetCount ? null : h('div', {class: 'empty', key: 'none'}, h('h2', {}, 'No asset matches')), kept(graph.element, 'graph')),
    h(
      'aside',
      {class: 'panel', 'aria-label': marked.selected.size ? 'Selection' : 'All assets', data: {closed: listed || marked.selected.size ? null : ''}, onfocusin: openList},
      panel.draw(scene, marked, search),
    ),
  );
}

function actions() {
  const ids = [...marked.selected];
  const shown = scene.assetCount;
  setActions(
    h(
      'button',
      {class: 'button button-main', type: 'button', id: 'materialize', disabled: !shown, onclick: materialize},
      icon('play', 'icon-small'),
      ids.length ? `Materialize ${ids.length === 1 ? 'selected' : `${ids.length} selected`}` : focus || select ? `Materialize ${shown}` : 'Materialize all',
    ),
  );
}

function materialize() {
  openLaunch({selection: selectionTexts()});
}

function selectionTexts() {
  const nodes = [...marked.selected].map((id) => scene.nodes.get(id));
  if (nodes.length) return nodes.map((node) => (node.collapsed ? `group:"${node.group}"` : `key:"${node.key}"`));
  if (!focus && !select) return ['*'];
  return [...scene.drawnAs.keys()].map((key) => `key:"${key}"`);
}

function toolbar() {
  return h(
    'div',
    {class: 'lineage-tools', key: 'tools'},
    h('form', {class: 'grow row', role: 'search', onsubmit: submitted}, search.field()),
    select && !focus ? h('button', {class: 'button', type: 'button', title: 'Show the whole graph', onclick: () => filter(''), key: 'select'}, h('code', {class: 'cut', dir: 'auto'}, select), icon('close', 'icon-small')) : null,
    focusSwitch(),
    scene.groups.length > 1 ? groupsMenu() : null,
    h('a', {class: 'button wide', id: 'picture', href: `${address('lineage.svg')}?${selection()}`, download: 'lineage.svg', title: 'Download the graph as SVG', key: 'picture'}, 'SVG'),
    listSwitch(),
  );
}

function listSwitch() {
  return h('button', {class: 'button', type: 'button', id: 'list-switch', 'aria-label': 'List', 'aria-pressed': String(listed), title: 'The assets as a list', onclick: () => showList(!listed)}, icon('list', 'icon-small'), h('span', {class: 'wide'}, 'List'));
}

function showList(on) {
  listed = on;
  localStorage.setItem(LISTED, on ? 'yes' : 'no');
  redraw();
}

/** A closed list opens when the keyboard focus enters it. */
function openList() {
  if (!listed && !marked.selected.size) showList(true);
}

function focusSwitch() {
  const [only] = marked.selected;
  const key = focus || (marked.selected.size === 1 && !scene.nodes.get(only)?.collapsed ? only : '');
  if (!key) return null;
  return h(
    'div',
    {class: 'row focus', key: 'focus'},
    h('span', {class: 'muted small wide'}, 'Steps around'),
    h(
      'div',
      {class: 'switch', role: 'group', 'aria-label': `How much to show around ${key}`, title: `Steps around ${key}`},
      h('button', {type: 'button', 'aria-pressed': String(!focus), onclick: () => focusOn('', 1)}, 'All'),
      HOPS.map((count) => h('button', {type: 'button', 'aria-pressed': String(Boolean(focus) && hops === count), onclick: () => focusOn(key, count)}, String(count))),
    ),
  );
}

function groupsMenu() {
  const open = scene.groups.filter((group) => !group.collapsed).length;
  return h(
    'details',
    {class: 'menu', key: 'groups'},
    h('summary', {class: 'button', 'aria-label': 'Groups'}, icon('group', 'icon-small'), h('span', {class: 'wide'}, 'Groups')),
    h(
      'div',
      {class: 'menu-box'},
      h('div', {class: 'row menu-head'}, h('span', {class: 'muted small grow'}, `${open} of ${scene.groups.length} open`), h('button', {class: 'button button-small', type: 'button', onclick: () => collapse('*')}, 'Collapse all'), h('button', {class: 'button button-small', type: 'button', onclick: () => collapse('')}, 'Open all')),
      h(
        'ul',
        {class: 'menu-list'},
        scene.groups.map((group) =>
          h('li', {key: group.name}, h('label', {class: 'menu-item'}, h('input', {type: 'checkbox', checked: !group.collapsed, onchange: () => expand(group.name)}), h('span', {class: 'cut grow', dir: 'auto'}, group.name), h('span', {class: 'muted small'}, String(group.count)))),
        ),
      ),
    ),
  );
}

function expand(name) {
  const names = scene.groups.filter((group) => (group.name === name ? !group.collapsed : group.collapsed)).map((group) => group.name);
  const opened = scene.groups.find((group) => group.name === name)?.collapsed;
  collapse(names.join(','), opened ? name : null);
}

/** Folds all groups of these names and opens the others; shows the one that was `opened`. */
async function collapse(names, opened = null) {
  collapsed = names;
  await reshape(opened);
}

async function focusOn(key, count) {
  [focus, hops] = [key, count];
  await reshape();
}

async function filter(text) {
  [select, focus] = [text, ''];
  await reshape();
}

/** Loads another part of the graph and shows it, or the group that was `opened`. */
async function reshape(opened = null) {
  try {
    await loadPage();
  } catch (error) {
    complain(error);
    return;
  }
  keepAddress({step: true});
  if (opened === null) graph.begin();
  else graph.showFrame(opened);
  redraw();
}

function keepAddress({step = false} = {}) {
  const query = {select: focus ? null : select, focus, hops: focus ? String(hops) : null, selected: [...marked.selected], q: search.text, collapsed};
  remember(query, {step, keep: ['collapsed']});
}

/** Shows what the address names after Back or Forward. */
async function stepped() {
  ({select, focus, hops, collapsed} = placeInAddress());
  search.text = parameters().get('q') ?? '';
  try {
    await loadPage(() => loadGraph(parameters().getAll('selected')));
  } catch (error) {
    complain(error);
    return;
  }
  graph.fit();
  redraw();
}

/** On Enter, a selection reduces the graph to it, and a name moves to its card. */
function submitted(event) {
  event.preventDefault();
  if (search.isSelection) {
    const text = search.text;
    search.type('');
    filter(text);
    return;
  }
  const ids = [...(marked.found ?? [])];
  if (!ids.length) return;
  const at = ids.indexOf([...marked.selected][0]);
  choose([ids[(at + 1) % ids.length]]);
}

function found() {
  const nodes = [...scene.nodes.values()];
  const hits = (node) => (node.collapsed ? Object.keys(node.member_states).some((key) => key.toLowerCase().includes(search.text.toLowerCase())) : search.takes({...node, group_name: node.group}));
  marked.found = search.text.trim() && !search.error ? new Set(nodes.filter(hits).map((node) => node.id)) : null;
  keepAddress();
  graph.renew();
  redraw();
}

function choose(ids, adding = false) {
  const wanted = ids.map((id) => (scene.nodes.has(id) ? id : scene.drawnAs.get(id)?.id)).filter(Boolean);
  const known = marked.selected;
  const next = adding ? [...new Set([...known, ...wanted])].filter((id) => !(known.has(id) && wanted.includes(id))) : wanted;
  marked.select(scene, next);
  if (wanted.length === 1) {
    const node = scene.nodes.get(wanted[0]);
    announce(node.collapsed ? `group ${node.group}` : `${node.key}, ${assetWord(node)}`);
    graph.reveal(wanted[0]);
  }
  keepAddress();
  graph.renew();
  const inPanel = document.activeElement.closest('.panel') !== null;
  redraw();
  if (inPanel) requestAnimationFrame(keepFocus);
}

/** After the panel was drawn without the button that was pressed, the focus stays in the panel. */
function keepFocus() {
  if (document.activeElement === document.body) document.querySelector('.panel button')?.focus();
}

function open(id) {
  const node = scene.nodes.get(id);
  if (node.collapsed) expand(node.group);
  else location.assign(assetPage(node.key));
}

listenToKeys(graph, {scene: () => scene, selected: () => marked.selected, choose, open});

shortcut('Escape', 'Clear the selection', () => choose([]));
shortcut('m', 'Materialize', materialize);
shortcut('↑ ↓ ← →', 'Follow the edges');
shortcut('+ − 0', 'Zoom in, out, fit');
document.addEventListener('click', (event) => {
  const menu = document.querySelector('.menu[open]');
  if (menu && !menu.contains(event.target)) menu.open = false;
});

onStep(stepped);
start({load, draw, hear, fill: true, ready});

function ready() {
  graph.begin();
  if (search.text) found();
  const [only, ...more] = marked.selected;
  if (only && !more.length) graph.reveal(only);
  for (const key of wantedKeys) if (!scene.nodes.has(key) && !scene.drawnAs.has(key)) complain(new Error(`${key} is not in this graph.`));
}
