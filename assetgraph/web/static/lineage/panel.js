// The panel beside the graph: a list of all assets, or the details of the selection.

import {address, assetPage, read, runPage} from '../api.js';
import {caveatNote, withoutWarning} from '../caveat.js';
import {h, icon} from '../dom.js';
import {externalCard} from '../external.js';
import {partitionShare} from '../partition_share.js';
import {failedNote, reasonText, reasonTone, shownReasons} from '../failed_state.js';
import {duration, plural, runName} from '../format.js';
import {markdown} from '../markdown.js';
import {metadataTable} from '../metadata.js';
import {withoutSchema} from '../schema.js';
import {assetMark, glyph, word} from '../states.js';
import {when} from '../live_times.js';
import {stateCounts} from './cards.js';
import {groupState} from './scene.js';

const LISTED = 300;

export class Panel {
  /** `choose(ids)` selects assets, `drawn()` asks for a redraw, `expand(group)` opens a group. */
  constructor({choose, drawn, expand}) {
    this.choose = choose;
    this.drawn = drawn;
    this.expand = expand;
    this.known = new Map();
  }

  forget(key) {
    this.known.delete(key);
  }

  forgetAll() {
    this.known.clear();
  }

  draw(scene, marked, search) {
    const ids = [...marked.selected];
    if (!ids.length) return this.list(scene, search);
    if (ids.length > 1) return this.several(scene, ids);
    const node = scene.nodes.get(ids[0]);
    return node.collapsed ? this.group(node) : this.asset(node);
  }

  list(scene, search) {
    const nodes = [...scene.nodes.values()].filter((node) => node.collapsed || search.takes({...node, group_name: node.group}));
    return [
      h('div', {class: 'panel-head', key: 'head'}, h('h2', {class: 'grow'}, 'Assets'), h('span', {class: 'muted small'}, String(nodes.length))),
      h('p', {class: 'panel-hint muted small', key: 'hint'}, 'Click a card to see its details here. Shift-click adds a card, a double click opens it, and the arrow keys follow the edges.'),
      h(
        'ul',
        {class: 'panel-list', key: 'list'},
        nodes.slice(0, LISTED).map((node) => {
          const state = node.collapsed ? groupState(node.counts) : node.state;
          return h(
            'li',
            {key: node.id},
            h(
              'button',
              {class: 'panel-item', type: 'button', onclick: (event) => this.choose([node.id], event.shiftKey)},
              h('span', {class: 'mark', data: {state}, title: word(state)}, glyph(state), h('span', {class: 'visually-hidden'}, word(state))),
              h('span', {class: 'cut grow', dir: 'auto'}, node.collapsed ? node.group : node.key),
              node.collapsed ? [h('span', {class: 'muted small nowrap'}, plural(node.count, 'asset')), stateCounts(node.counts)] : null,
            ),
          );
        }),
        nodes.length > LISTED ? h('li', {class: 'muted small panel-rest'}, `${nodes.length - LISTED} more. Search to find them.`) : null,
      ),
    ];
  }

  several(scene, ids) {
    return [
      this.head(plural(ids.length, 'asset'), 'selected'),
      h(
        'ul',
        {class: 'panel-list', key: 'list'},
        ids.slice(0, LISTED).map((id) => {
          const node = scene.nodes.get(id);
          const state = node.collapsed ? groupState(node.counts) : node.state;
          return h('li', {key: id}, h('button', {class: 'panel-item', type: 'button', onclick: () => this.choose([id])}, h('span', {class: 'mark', data: {state}}, glyph(state), h('span', {class: 'visually-hidden'}, word(state))), h('span', {class: 'cut grow', dir: 'auto'}, node.collapsed ? node.group : node.key)));
        }),
      ),
    ];
  }

  group(node) {
    return [
      this.head(node.group, 'group'),
      h(
        'div',
        {class: 'panel-body', key: `group-${node.group}`},
        h('p', {}, `${plural(node.count, 'asset')}, drawn as one card.`),
        h('button', {class: 'button', type: 'button', onclick: () => this.expand(node.group)}, icon('plus', 'icon-small'), 'Open the group'),
        h(
          'ul',
          {},
          Object.entries(node.member_states)
            .slice(0, LISTED)
            .map(([key, state]) => h('li', {key}, h('a', {class: 'panel-item', href: assetPage(key)}, h('span', {class: 'mark', data: {state}}, glyph(state), h('span', {class: 'visually-hidden'}, word(state))), h('span', {class: 'cut grow', dir: 'auto'}, key)))),
        ),
      ),
    ];
  }

  asset(node) {
    const known = this.known.get(node.key);
    if (!known) this.fetch(node.key);
    return [
      this.head(node.key, node.group),
      h(
        'div',
        {class: 'panel-body', key: `asset-${node.key}`},
        h('div', {class: 'row wrap'}, assetMark(node, 'pill'), partitionShare(node), h('a', {class: 'link small', href: assetPage(node.key)}, 'Open the asset')),
        known ? this.details(known) : h('div', {class: 'stack'}, [80, 60, 70].map((width) => h('span', {class: 'skeleton', style: {width: `${width}%`}}))),
      ),
    ];
  }

  details(asset) {
    const reasons = shownReasons(asset);
    const note = failedNote(asset);
    return [
      caveatNote(asset),
      note ? h('p', {class: 'small failed-note', key: 'failed'}, 'Failed ', note) : null,
      reasons.length
        ? h('ul', {class: 'reasons', key: 'reasons'}, reasons.map((reason) => h('li', {data: {state: reasonTone(reason)}}, h('span', {}, reasonText(reason)), reason.run_id ? h('a', {class: 'link nowrap', href: runPage(reason.run_id)}, 'run') : null)))
        : null,
      asset.description ? h('div', {class: 'panel-text', key: 'text'}, markdown(asset.description)) : null,
      this.latest(asset),
      neighbours('Upstream', asset.upstream, this.choose),
      neighbours('Downstream', asset.downstream, this.choose),
    ];
  }

  latest(asset) {
    const made = asset.materialization;
    if (asset.external) return externalCard(asset);
    if (!made && asset.damage) return null;
    if (!made) return h('p', {class: 'muted', key: 'latest'}, 'Never materialized. Press Materialize to compute its first value.');
    return h(
      'section',
      {class: 'panel-section', key: 'latest'},
      h('h3', {}, 'Latest materialization'),
      h('div', {class: 'row small'}, when(made.timestamp), h('a', {class: 'link nowrap', href: runPage(made.run_id)}, runName(made.run_id)), h('span', {class: 'muted'}, duration(made.duration_s))),
      Object.keys(asset.metadata).length ? metadataTable(withoutWarning(withoutSchema(asset.metadata))) : null,
    );
  }

  head(title, sub) {
    return h(
      'div',
      {class: 'panel-head', key: 'head'},
      h('div', {class: 'grow'}, h('h2', {class: 'panel-title', title, dir: 'auto'}, title), h('div', {class: 'muted small cut', dir: 'auto'}, sub)),
      h('button', {class: 'tool', type: 'button', title: 'Clear the selection (Esc)', 'aria-label': 'Clear the selection', onclick: () => this.choose([])}, icon('close')),
    );
  }

  async fetch(key) {
    this.known.set(key, null);
    try {
      const {data} = await read(address('assets', key));
      this.known.set(key, data);
    } catch {
      this.known.delete(key);
      return;
    }
    this.drawn();
  }
}

function neighbours(title, list, choose) {
  if (!list.length) return null;
  return h(
    'section',
    {class: 'panel-section', key: title},
    h('h3', {}, title),
    h('ul', {}, list.map((one) => h('li', {key: one.key}, h('button', {class: 'panel-item', type: 'button', onclick: () => choose([one.key])}, h('span', {class: 'mark', data: {state: one.state}}, glyph(one.state), h('span', {class: 'visually-hidden'}, word(one.state))), h('span', {class: 'cut grow', dir: 'auto'}, one.key))))),
  );
}
