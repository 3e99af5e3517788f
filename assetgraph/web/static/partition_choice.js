// Which partitions a run is to make: the default one, one, a range, all, or those in a state.

import {address, read} from './api.js';
import {h} from './dom.js';
import {plural} from './format.js';
import {nameOf} from './partitions/tip.js';

const MODES = [
  ['chosen', 'The selected partitions'],
  ['chosen stale', 'What is not up to date of them'],
  ['default', 'The default partition'],
  ['one', 'One partition'],
  ['range', 'A range of partitions'],
  ['all', 'All partitions'],
  ['missing', 'What is missing'],
  ['failed', 'What failed'],
  ['stale', 'What is not up to date'],
];

export class PartitionChoice {
  /** `changed(soon)` is called after another choice; `soon` while the user types. */
  constructor({partition, chosen, stale, changed}) {
    this.mode = chosen ? 'chosen' : partition !== null ? 'one' : stale ? 'stale' : null;
    this.chosen = chosen;
    this.one = partition ?? '';
    this.first = '';
    this.last = '';
    this.changed = changed;
    this.about = null;
  }

  /** Whether any selected asset has partitions. */
  get needed() {
    return Boolean(this.about?.count);
  }

  async load(selection) {
    const query = new URLSearchParams(selection.map((text) => ['select', text]));
    try {
      this.about = (await read(`${address('partitioned')}?${query}`)).data;
    } catch {
      this.about = null; // the plan says what is wrong
    }
    this.mode ??= this.about?.has_default ? 'default' : 'stale';
  }

  get wanted() {
    switch (this.mode) {
      case 'chosen':
        return {partitions: this.chosen.partitions};
      case 'chosen stale':
        return {partitions: this.chosen.partitions, stale: true};
      case 'one':
        return {partitions: [this.one.trim()]};
      case 'range':
        return {partitions: [`${this.first.trim() || this.about.first}..${this.last.trim() || this.about.last}`]};
      case 'all':
        return {partitions: ['*']};
      case 'missing':
      case 'failed':
        return {only: [this.mode]};
      case 'stale':
        return {stale: true};
      default:
        return {};
    }
  }

  draw() {
    const modes = MODES.filter(([mode]) => (mode !== 'default' || this.about.has_default) && (!mode.startsWith('chosen') || this.chosen));
    const typed = (name, label, placeholder) =>
      h('label', {class: 'label', key: name}, label, h('input', {class: 'field', placeholder: placeholder ?? '', value: this[name], oninput: (event) => this.take(name, event.target.value), dir: 'auto'}));
    return h(
      'div',
      {class: 'row wrap partition-choice', key: 'partitions'},
      h(
        'label',
        {class: 'label'},
        'Partitions',
        h('select', {class: 'field', onchange: (event) => this.choose(event.target.value)}, modes.map(([mode, text]) => h('option', {value: mode, selected: mode === this.mode}, text))),
      ),
      this.mode === 'one' ? typed('one', 'Key', this.about.last) : null,
      this.mode === 'range' ? [typed('first', 'First', this.about.first), typed('last', 'Last', this.about.last)] : null,
      h('span', {class: 'muted small partition-span'}, this.said()),
    );
  }

  said() {
    const {count, asset_count: assets, first, last} = this.about;
    if (this.mode.startsWith('chosen')) return nameOf(this.chosen);
    if (assets > 1) return `${plural(assets, 'asset')} with partitions`;
    return first === last ? plural(count, 'partition') : `${plural(count, 'partition')}, ${first} to ${last}`;
  }

  choose(mode) {
    this.mode = mode;
    if (mode === 'one') this.one ||= this.about.last ?? '';
    this.changed(false);
  }

  take(name, value) {
    this[name] = value;
    this.changed(true);
  }
}
