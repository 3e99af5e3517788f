// The partitions of one asset as a table, a page at a time, and the form that adds dynamic ones.

import {address, assetPage, read, runPage, write} from './api.js';
import {confirmed} from './confirm.js';
import {h, icon, withCode} from './dom.js';
import {duration} from './format.js';
import {when} from './live_times.js';
import {PartitionBar} from './partitions/bar.js';
import {ASSET_STATES, assetMark, glyph, word} from './states.js';
import {complain} from './toast.js';

const ROWS = 50;
const PAUSE_MS = 200;

export class PartitionTable {
  /** `changed()` draws the page again, `loaded()` reads the asset again, and `launch(chosen)` opens
   * the dialog for what is selected on the bar. */
  constructor(key, {changed, loaded, launch}) {
    this.key = key;
    this.bar = new PartitionBar(key, {launch});
    this.changed = changed;
    this.loaded = loaded;
    this.state = '';
    this.text = '';
    this.after = 0;
    this.found = null;
    this.error = null;
    this.adding = '';
    this.asked = 0;
    this.timer = 0;
  }

  load() {
    return Promise.all([this.bar.load(), this.list()]);
  }

  async list() {
    const number = (this.asked += 1);
    const query = new URLSearchParams({state: this.state, text: this.text, after: this.after, limit: ROWS});
    try {
      const {data} = await read(`${address('partitions', this.key)}?${query}`);
      if (number !== this.asked) return;
      this.found = data;
      this.error = null;
    } catch (error) {
      if (number !== this.asked) return;
      this.error = error;
    }
    this.changed();
  }

  show(change) {
    Object.assign(this, {after: 0}, change);
    this.changed();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.list(), 'text' in change ? PAUSE_MS : 0);
  }

  draw(asset) {
    const {partitions, partitions_def: about} = asset;
    const total = Object.values(partitions).reduce((sum, count) => sum + count, 0);
    return section(
      about,
      null,
      about.orphaned.length ? h('p', {class: 'card-body muted small', key: 'orphaned'}, orphanText(about.orphaned)) : null,
      about.count ? this.bar.place() : null,
      about.count ? h('div', {class: 'partition-filters', key: 'filters'}, h('div', {class: 'search partition-search'}, icon('search'), h('input', {class: 'field', type: 'search', placeholder: 'Find partitions', 'aria-label': 'Find partitions', value: this.text, oninput: (event) => this.show({text: event.target.value})})), this.states(partitions, total)) : null,
      this.error ? h('p', {class: 'card-body muted', key: 'error'}, this.error.message, ' ', this.error.hint) : this.rows(about),
      about.dynamic.map((name) => this.form(name)),
    );
  }

  /** The bar alone, with a link to the table. */
  drawBar({partitions_def: about}, all) {
    return section(about, all, about.count ? this.bar.place() : null);
  }

  states(counts, total) {
    const choice = (state, text, inner) => h('button', {type: 'button', 'aria-pressed': String(this.state === state), title: text, key: state || 'all', onclick: () => this.show({state: this.state === state ? '' : state})}, inner);
    return h(
      'div',
      {class: 'switch state-filter', role: 'group', 'aria-label': 'Status of the partitions'},
      choice('', 'All', ['All ', h('span', {class: 'count'}, total.toLocaleString('en'))]),
      ASSET_STATES.filter((state) => counts[state] || this.state === state).map((state) =>
        choice(state, word(state), [h('span', {class: 'mark', data: {state}}, glyph(state)), h('span', {class: 'wide'}, state), h('span', {class: 'count'}, (counts[state] ?? 0).toLocaleString('en'))]),
      ),
    );
  }

  rows(about) {
    if (!this.found) return h('div', {class: 'card-body', key: 'loading'}, h('span', {class: 'skeleton'}));
    const {partitions, total, next} = this.found;
    if (!total) return h('p', {class: 'card-body muted', key: 'none'}, about.count ? 'No partition matches.' : 'There are no partitions yet.');
    const removes = about.definition.startsWith('DynamicPartitionsDefinition') ? about.dynamic[0] : null;
    return [
      h(
        'div',
        {class: 'scroll partition-rows', tabindex: '0', role: 'group', 'aria-label': 'Table of the partitions', key: 'rows'},
        h(
          'table',
          {class: 'data-table'},
          h('thead', {}, h('tr', {}, ['Partition', 'Status', 'Updated', 'Took', 'Why'].map((name) => h('th', {scope: 'col'}, name)), removes ? h('th', {scope: 'col'}, h('span', {class: 'visually-hidden'}, 'Remove')) : null)),
          h('tbody', {}, partitions.map((one) => this.row(one, removes))),
        ),
      ),
      total > ROWS
        ? h(
            'div',
            {class: 'card-body row', key: 'pages'},
            h('button', {class: 'button button-small', type: 'button', disabled: !this.after, onclick: () => this.show({after: Math.max(0, this.after - ROWS)})}, 'Previous'),
            h('button', {class: 'button button-small', type: 'button', disabled: next === null, onclick: () => this.show({after: next})}, 'Next'),
            h('span', {class: 'muted small', role: 'status'}, `${(this.after + 1).toLocaleString('en')} to ${(this.after + partitions.length).toLocaleString('en')} of ${total.toLocaleString('en')}`),
          )
        : null,
    ];
  }

  row(one, removes) {
    const why = one.failure ? one.failure.error : one.reasons.filter((reason) => reason.kind !== 'never_materialized').map((reason) => reason.text).join(' · ');
    return h(
      'tr',
      {key: one.partition},
      h('th', {scope: 'row'}, h('a', {class: 'link', href: partitionPage(this.key, one.partition), dir: 'auto'}, one.partition)),
      h('td', {}, assetMark({state: one.state, last: one.run_id})),
      h('td', {}, one.updated_at ? h('a', {class: 'quiet-link', href: runPage(one.run_id)}, when(one.updated_at)) : h('span', {class: 'muted'}, '–')),
      h('td', {}, duration(one.duration_s)),
      h('td', {class: 'partition-why', title: why}, withCode(why)),
      removes ? h('td', {}, h('button', {class: 'tool', type: 'button', title: 'Remove this partition', 'aria-label': `Remove ${one.partition}`, onclick: () => this.remove(removes, one.partition)}, icon('close', 'icon-small'))) : null,
    );
  }

  form(name) {
    return h(
      'form',
      {class: 'card-body row partition-form', key: `add-${name}`, onsubmit: (event) => this.add(event, name)},
      h('input', {class: 'field', 'aria-label': `Key to add to ${name}`, placeholder: `key for ${name}`, value: this.adding, oninput: (event) => (this.adding = event.target.value)}),
      h('button', {class: 'button', type: 'submit'}, icon('plus', 'icon-small'), 'Add'),
    );
  }

  async add(event, name) {
    event.preventDefault();
    const field = event.currentTarget.querySelector('input');
    const added = field.value;
    // What is typed while the answer is on its way is the next key.
    if (added && (await this.change(name, {add: [added]})) && field.value === added) {
      this.adding = '';
      field.value = '';
    }
  }

  async remove(name, partition) {
    const body = h('p', {}, 'What was materialized of it stays in the store, until ', h('code', {}, 'assetgraph prune --orphaned'), '.');
    if (await confirmed({title: `Remove ${partition} from ${name}?`, body, refuse: 'Keep it', agree: 'Remove'})) await this.change(name, {remove: [partition]});
  }

  async change(name, wanted) {
    try {
      await write(address('dynamic', name), wanted);
    } catch (error) {
      complain(error);
      return false;
    }
    await Promise.all([this.load(), this.loaded()]);
    return true;
  }
}

function section(about, beside, ...parts) {
  return h(
    'section',
    {class: 'card partitions', 'aria-labelledby': 'partitions-title', key: 'partitions'},
    h(
      'div',
      {class: 'card-head wrap'},
      h('h2', {id: 'partitions-title', class: 'grow'}, 'Partitions'),
      h('span', {class: 'muted small', dir: 'auto'}, about.count > 1 ? `${about.first} to ${about.last}` : (about.first ?? 'none yet')),
      beside,
    ),
    parts,
  );
}

export function partitionPage(key, partition) {
  return `${assetPage(key)}?partition=${encodeURIComponent(partition)}`;
}

function orphanText(orphaned) {
  const [first, last] = [orphaned[0], orphaned.at(-1)];
  const which = orphaned.length === 1 ? `1 partition on record no longer exists: ${first}.` : `${orphaned.length.toLocaleString('en')} partitions on record no longer exist, ${first} to ${last}.`;
  return [which, ' To remove what is stored of them: ', h('code', {}, 'assetgraph prune --orphaned')];
}
