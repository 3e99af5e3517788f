// The part of the graph around one asset, for its page.

import {address, assetPage, read} from '../api.js';
import {parameters, remember} from '../address_state.js';
import {h, icon, kept} from '../dom.js';
import {assetWord} from '../states.js';
import {announce, complain} from '../toast.js';
import {EDGE} from './camera.js';
import {Graph} from './graph.js';
import {Marked} from './highlights.js';
import {listenToKeys} from './keys.js';
import {Scene} from './scene.js';

const HOPS = [1, 2, 3, 5];
const LEAST = 300; // pixels of height
const MOST = 560;
const TOOLS = 48; // below the graph

export class Nearby {
  /** `changed()` draws the page again. */
  constructor(key, changed) {
    this.key = key;
    this.changed = changed;
    this.scene = null;
    this.marked = new Marked();
    this.asked = 0;
    this.readAddress();
  }

  /** The graph, made when it is first shown. */
  get graph() {
    this.made ??= this.make();
    return this.made;
  }

  make() {
    const graph = new Graph({
      marked: this.marked,
      embedded: true,
      label: `Lineage of ${this.key}. Arrow keys follow the edges, Enter opens an asset.`,
      choose: (id) => this.choose(id ? [id] : [this.key]),
      open: (id) => this.open(id),
      fold() {},
    });
    listenToKeys(graph, {scene: () => this.scene, selected: () => this.marked.selected, choose: (ids) => this.choose(ids), open: (id) => this.open(id)});
    return graph;
  }

  readAddress() {
    const named = Number(parameters().get('hops'));
    this.hops = HOPS.includes(named) ? named : 1;
  }

  get selection() {
    return `${this.hops}+key:"${this.key}"+${this.hops}`;
  }

  async load() {
    const number = (this.asked += 1);
    const wide = document.getElementById('main').clientWidth;
    const size = [wide - 2 * EDGE - 80, MOST - 2 * EDGE - TOOLS].map((one) => Math.max(200, Math.round(one)));
    const query = new URLSearchParams({select: this.selection, collapsed: '', window: size.join('x')});
    try {
      const {data} = await read(`${address('lineage')}?${query}`);
      if (number !== this.asked) return;
      this.scene = new Scene(data);
    } catch (error) {
      complain(error);
      return;
    }
    this.marked.select(this.scene, []);
    this.graph.show(this.scene);
    this.graph.begin();
    this.marked.select(this.scene, [this.key]);
    this.graph.reveal(this.key);
    this.changed();
  }

  hear(change) {
    if (!this.scene) return;
    for (const row of change.assets ?? []) this.graph.touch(this.scene.update(row));
  }

  draw() {
    const other = [...this.marked.selected].find((id) => id !== this.key);
    return h(
      'section',
      {class: 'card nearby', 'aria-labelledby': 'nearby-title', key: 'nearby'},
      h(
        'div',
        {class: 'card-head'},
        h('h2', {id: 'nearby-title'}, 'Lineage'),
        other ? h('a', {class: 'link small cut', id: 'nearby-open', href: pageOf(other), dir: 'auto', key: 'open'}, `Open ${other}`) : null,
        h('span', {class: 'muted small', id: 'nearby-hops'}, 'Steps around'),
        h('div', {class: 'switch', role: 'group', 'aria-labelledby': 'nearby-hops'}, HOPS.map((count) => h('button', {type: 'button', 'aria-pressed': String(this.hops === count), onclick: () => this.around(count)}, String(count)))),
        h('a', {class: 'button button-small', href: `/lineage?selected=${encodeURIComponent(this.key)}`, key: 'whole'}, icon('lineage', 'icon-small'), 'Whole graph'),
      ),
      h('div', {class: 'nearby-graph', style: {height: `${this.height}px`}}, this.scene ? kept(this.graph.element, 'graph') : h('div', {class: 'card-body grow'}, h('span', {class: 'skeleton'}))),
    );
  }

  get height() {
    const high = this.scene ? this.scene.box().height + 2 * EDGE + TOOLS : 0;
    return Math.round(Math.min(MOST, Math.max(LEAST, high)));
  }

  around(count) {
    this.hops = count;
    remember({hops: count === 1 ? null : String(count)}, {step: true});
    this.load();
  }

  choose(ids) {
    const [id] = ids;
    if (!this.scene.nodes.has(id)) return;
    this.marked.select(this.scene, [id]);
    announce(`${id}, ${assetWord(this.scene.nodes.get(id))}`);
    this.graph.reveal(id);
    this.graph.renew();
    this.changed();
  }

  open(id) {
    if (id !== this.key) location.assign(pageOf(id));
  }
}

function pageOf(key) {
  return `${assetPage(key)}?tab=lineage`;
}
