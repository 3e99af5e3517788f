// The search field for assets. It finds plain words itself, and sends selections to the server.

import {address, read} from './api.js';
import {h, icon} from './dom.js';

const LANGUAGE = /[+:*()"]|\b(and|or|not)\b/;
const PAUSE_MS = 200;

export class AssetSearch {
  /** `changed()` is called when the results may have changed. */
  constructor(text, changed) {
    this.text = text;
    this.changed = changed;
    this.keys = null;
    this.error = null;
    this.timer = 0;
    this.asked = 0;
  }

  get isSelection() {
    return LANGUAGE.test(this.text);
  }

  /** Whether an asset matches the search. */
  takes(asset) {
    if (!this.text.trim()) return true;
    if (this.isSelection) return this.keys?.has(asset.key) ?? true;
    const words = this.text.toLowerCase().split(/\s+/).filter(Boolean);
    const within = searched(asset);
    return words.every((word) => within.includes(word));
  }

  async ask() {
    const number = (this.asked += 1);
    this.error = null;
    if (!this.isSelection || !this.text.trim()) {
      this.keys = null;
      return;
    }
    try {
      const {data} = await read(`${address('assets')}?select=${encodeURIComponent(this.text)}`);
      if (number === this.asked) this.keys = new Set(data.map((asset) => asset.key));
    } catch (error) {
      if (number !== this.asked) return;
      this.error = error;
      this.keys = null;
    }
  }

  type(text) {
    this.text = text;
    clearTimeout(this.timer);
    if (!this.isSelection) {
      this.keys = null;
      this.error = null;
      this.asked += 1;
      this.changed();
      return;
    }
    this.timer = setTimeout(async () => {
      await this.ask();
      this.changed();
    }, PAUSE_MS);
  }

  field() {
    return h(
      'div',
      {class: 'search', key: 'search'},
      icon('search'),
      h('input', {
        class: 'field',
        type: 'search',
        value: this.text,
        placeholder: 'Search, or select: +name, group:name, status:stale',
        'aria-label': 'Search assets',
        'aria-invalid': this.error ? 'true' : 'false',
        'aria-describedby': 'search-note',
        autocomplete: 'off',
        spellcheck: 'false',
        'data-search': '',
        oninput: (event) => this.type(event.target.value),
      }),
    );
  }

  /** The error of the selection, with a mark below its place. */
  note() {
    if (!this.error) return null;
    const {message, hint, text, column} = this.error;
    return h(
      'div',
      {class: 'problem-note', id: 'search-note', key: 'search-note'},
      text && column !== null ? h('code', {class: 'caret'}, text, '\n', `${' '.repeat(column)}^`) : null,
      h('span', {}, message, hint ? ` ${hint}` : null),
    );
  }
}

function searched(asset) {
  const parts = [asset.key, asset.group_name, asset.description ?? '', asset.module ?? '', ...asset.kinds, ...asset.owners];
  return parts.join(' ').toLowerCase();
}
