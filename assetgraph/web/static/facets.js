// Filters of a list of assets by group, owner, kind and tag.

import {h} from './dom.js';
import {parameters} from './address_state.js';

const FACETS = [
  ['group', 'Any group', (asset) => [asset.group_name]],
  ['owner', 'Any owner', (asset) => asset.owners],
  ['kind', 'Any kind', (asset) => asset.kinds],
  ['tag', 'Any tag', (asset) => Object.entries(asset.tags).map(([name, value]) => (value ? `${name}=${value}` : name))],
];
const MOST = 500;

export class Facets {
  /** `changed(values)` is called when the user chooses. */
  constructor(changed) {
    this.changed = changed;
    this.readAddress();
  }

  readAddress() {
    this.chosen = Object.fromEntries(FACETS.map(([name]) => [name, parameters().get(name) ?? '']));
  }

  /** Whether an asset has every chosen value. */
  takes(asset) {
    return FACETS.every(([name, , values]) => !this.chosen[name] || values(asset).includes(this.chosen[name]));
  }

  /** A choice for each facet in which the assets differ. */
  draw(assets) {
    const choices = FACETS.map(([name, any, values]) => {
      const all = [...new Set(assets.flatMap(values))].sort();
      const differ = all.length > 1 || (all.length === 1 && assets.some((asset) => !values(asset).length));
      return differ || this.chosen[name] ? this.choice(name, any, all.slice(0, MOST)) : null;
    }).filter(Boolean);
    if (!choices.length) return null;
    return h(
      'div',
      {class: 'row wrap facets', role: 'group', 'aria-label': 'Filters', key: 'facets'},
      choices,
    );
  }

  choice(name, any, values) {
    const chosen = this.chosen[name];
    return h(
      'select',
      {class: 'field facet', 'aria-label': `Filter by ${name}`, value: chosen, data: {chosen: chosen ? '' : null}, onchange: (event) => this.choose(name, event.target.value), key: name},
      h('option', {value: ''}, any),
      [...new Set(chosen ? [chosen, ...values] : values)].map((value) => h('option', {value, selected: value === chosen, key: value}, value)),
    );
  }

  choose(name, value) {
    this.chosen[name] = value;
    this.changed(this.chosen);
  }
}
