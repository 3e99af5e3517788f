// The page of the definitions: where they come from, and their problems.

import {address, assetPage, read, write} from '../api.js';
import {h, icon} from '../dom.js';
import {editorLink} from '../editor.js';
import {empty} from '../first_steps.js';
import {duration, plural} from '../format.js';
import {toggling} from '../opening.js';
import {redraw, setActions, start} from '../shell.js';
import {glyph} from '../states.js';
import {when} from '../live_times.js';
import {complain, toast} from '../toast.js';

const OPEN_BELOW = 300; // so many assets in all, or fewer: the modules are open at first
const SHOWN = 200;
const USERS = 20; // of a resource

const opened = new Map(); // the modules that the user opened or closed
let definitions = null;
let assets = [];
let resources = [];
let reloading = false;

async function load() {
  const [first] = await Promise.all([read(address('definitions')), readLists()]);
  definitions = first.data;
  return first.position;
}

async function readLists() {
  const [list, taken] = await Promise.all([read(address('assets')), read(address('resources'))]);
  assets = list.data;
  resources = taken.data;
}

function hear(change) {
  if (change.definitions) {
    definitions = change.definitions;
    readLists().then(redraw);
  }
  return Boolean(change.definitions);
}

function draw() {
  setActions(
    h('button', {class: 'button button-main', type: 'button', id: 'reload', disabled: reloading, onclick: reload}, icon('reload', 'icon-small'), reloading ? 'Reloading …' : 'Reload definitions'),
  );
  return h('div', {class: 'stack definitions', key: 'definitions'}, status(), failure(), resourceCards(), modules());
}

async function reload() {
  reloading = true;
  redraw();
  try {
    definitions = await write(address('definitions', 'reload'));
    if (!definitions.failure) toast('fresh', [`Loaded ${plural(definitions.assets, 'asset')} in ${duration(definitions.duration_s)}.`], {key: 'reload'});
  } catch (error) {
    complain(error);
  }
  reloading = false;
  redraw();
}

function status() {
  const {loaded_at: loaded, duration_s: spent, failure: wrong, watching, changed_on_disk: changed} = definitions;
  const mark = definitions.loading
    ? ['running', 'running', 'loading']
    : wrong
      ? ['failed', 'failed', 'broken']
      : ['fresh', 'fresh', 'loaded'];
  return h(
    'section',
    {class: 'card', 'aria-label': 'Status', key: 'status'},
    h(
      'dl',
      {class: 'facts card-body'},
      pair('Status', h('span', {class: 'mark pill', data: {state: mark[0]}}, glyph(mark[1]), mark[2]), changed ? h('span', {class: 'mark', data: {state: 'stale'}}, glyph('stale'), 'files changed since the last load') : null),
      pair('Project', h('code', {}, definitions.root)),
      pair('Modules', definitions.modules.length ? h('code', {}, definitions.modules.join(', ')) : h('span', {class: 'muted'}, 'none')),
      pair('Store', h('code', {}, definitions.store)),
      loaded ? pair('Loaded', when(loaded), h('span', {class: 'muted'}, `in ${duration(spent)}, ${plural(definitions.assets, 'asset')}`)) : null,
      wrong && definitions.tried_at !== loaded ? pair('Last attempt', when(definitions.tried_at)) : null,
      pair('Reload', watching ? 'when a file is saved' : h('span', {}, 'with the button. ', h('span', {class: 'muted'}, 'Start with --watch to reload when a file is saved.'))),
    ),
  );
}

function failure() {
  const {failure: wrong, loaded_at: loaded, changed_on_disk: changed} = definitions;
  if (!wrong) return null;
  return h(
    'section',
    {class: 'failure', role: 'alert', key: 'failure'},
    h('div', {class: 'failure-head'}, h('span', {class: 'mark', data: {state: 'failed'}}, glyph('failed')), h('span', {class: 'strong'}, wrong.message)),
    wrong.hint ? h('p', {class: 'muted'}, wrong.hint) : null,
    wrong.traceback ? h('pre', {class: 'code', tabindex: '0', role: 'group', 'aria-label': 'Traceback'}, wrong.traceback) : null,
    wrong.problems.map((problem) =>
      h(
        'div',
        {class: 'definition-problem', key: `${problem.place} ${problem.message}`},
        editorLink(problem.place, h('code', {class: 'muted'}, problem.place), 'quiet-link'),
        h('p', {}, problem.message),
        problem.remedy ? h('p', {class: 'muted'}, problem.remedy) : null,
      ),
    ),
    loaded ? h('p', {class: 'muted small'}, changed ? 'Files changed since then: reload the definitions.' : 'The page keeps the last valid definitions. No run can start until this is fixed.') : null,
  );
}

/** What the assets work with. A field that is secret comes as `***`. */
function resourceCards() {
  if (!resources.length) return null;
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'resources-title', key: 'resources'},
    h('div', {class: 'card-head'}, h('h2', {id: 'resources-title'}, 'Resources'), h('span', {class: 'muted small'}, plural(resources.length, 'resource'))),
    h(
      'dl',
      {class: 'facts card-body'},
      resources.map(({name, type, fields, used_by: users}) =>
        pair(
          h('code', {dir: 'auto'}, name),
          h('code', {}, type),
          Object.entries(fields).map(([field, value]) => h('code', {class: 'muted resource-field', dir: 'auto'}, `${field}=${value}`)),
          h('span', {class: 'muted small'}, users.length ? 'taken by' : 'no asset takes it'),
          users.slice(0, USERS).map((key) => h('a', {class: 'chip', href: assetPage(key), dir: 'auto'}, h('span', {class: 'cut'}, key))),
          users.length > USERS ? h('span', {class: 'muted small'}, `and ${users.length - USERS} more`) : null,
        ),
      ),
    ),
  );
}

function modules() {
  if (!assets.length) {
    if (definitions.failure || definitions.loading) return null;
    return empty('definitions', 'The modules define no assets', h('p', {}, 'Scaffold one in a terminal, then reload.'), h('pre', {class: 'code'}, 'assetgraph scaffold asset assets/trips.py'));
  }
  const groups = [...Map.groupBy(assets, (asset) => asset.module)].sort(([a], [b]) => a.localeCompare(b));
  return groups.map(([module, own]) => moduleCard(module, own, assets.length <= OPEN_BELOW));
}

/** A module with its assets, which are drawn only while it is open. */
function moduleCard(module, own, atFirst) {
  const open = opened.get(module) ?? atFirst;
  const toggled = (now) => {
    if (now === (opened.get(module) ?? atFirst)) return;
    opened.set(module, now);
    redraw();
  };
  return h(
    'details',
    {class: 'card module', key: module, open, ...toggling(toggled)},
    h('summary', {class: 'card-head'}, icon('chevron', 'icon-small'), h('h2', {class: 'mono'}, module), h('span', {class: 'muted small'}, plural(own.length, 'asset'))),
    open
      ? h(
          'ul',
          {class: 'module-assets'},
          own.slice(0, SHOWN).map((asset) => h('li', {key: asset.key}, h('a', {class: 'chip', href: assetPage(asset.key)}, h('span', {class: 'mark', data: {state: asset.state}}, glyph(asset.state)), h('span', {class: 'cut', dir: 'auto'}, asset.key)))),
          own.length > SHOWN ? h('li', {key: 'more'}, h('a', {class: 'link small', href: `/assets?q=${encodeURIComponent(module)}`}, `All ${own.length} assets`)) : null,
        )
      : null,
  );
}

function pair(name, ...values) {
  return [h('dt', {}, name), h('dd', {class: 'row wrap'}, values)];
}

start({load, draw, hear});
