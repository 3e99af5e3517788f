// The rows of a table that the user ticked.

import {h} from './dom.js';

export class Ticked extends Set {
  constructor(changed) {
    super();
    this.changed = changed;
    this.last = null;
  }

  /** Ticks or unticks the box of `key`; with shift, all rows of `keys` up to the last one. */
  click(key, event, keys) {
    const from = event.shiftKey && keys.includes(this.last) ? this.last : key;
    const [first, last] = [keys.indexOf(from), keys.indexOf(key)].sort((a, b) => a - b);
    this.last = key;
    this.all(event.target.checked, keys.slice(first, last + 1));
  }

  all(on, keys) {
    for (const key of keys) {
      if (on) this.add(key);
      else this.delete(key);
    }
    this.changed();
  }

  /** Forgets the rows that are gone. */
  keep(keys) {
    const present = new Set(keys);
    for (const key of [...this]) if (!present.has(key)) this.delete(key);
  }

  /** The box of a row. */
  box(key, label, keys) {
    return h('input', {type: 'checkbox', 'aria-label': label, checked: this.has(key), onclick: (event) => this.click(key, event, keys)});
  }

  /** The box of the head, for all rows `keys`. */
  boxOfAll(label, keys) {
    const count = keys.filter((key) => this.has(key)).length;
    const all = count > 0 && count === keys.length;
    return h('input', {type: 'checkbox', 'aria-label': label, checked: all, indeterminate: count > 0 && !all, onchange: (event) => this.all(event.target.checked, keys)});
  }
}
