// A dialog that finds assets, runs and pages from anywhere.

import {address, assetPage, read, runPage} from './api.js';
import {h, icon, patch} from './dom.js';
import {plural, runName} from './format.js';
import {assetMark, runMark} from './states.js';
import {when} from './live_times.js';
import {complain} from './toast.js';

const PAUSE_MS = 120;
const SHOWN_ASSETS = 12;
const SHOWN_RUNS = 5;
const PAGES = [['Overview', '/'], ['Assets', '/assets'], ['Lineage', '/lineage'], ['Runs', '/runs'], ['Definitions', '/definitions']];

export function openFind() {
  if (!document.querySelector('dialog[open]')) new FindDialog().open();
}

class FindDialog {
  constructor() {
    this.text = '';
    this.assets = null;
    this.runs = [];
    this.at = 0;
    this.timer = 0;
    this.asked = 0;
    this.dialog = h('dialog', {class: 'find', 'aria-label': 'Find', onclose: () => this.dialog.remove(), onkeydown: (event) => this.walk(event)});
  }

  async open() {
    document.body.append(this.dialog);
    this.draw();
    this.dialog.showModal();
    this.dialog.querySelector('input').focus();
    try {
      this.assets = (await read(address('assets'))).data;
      await this.askRuns();
    } catch (error) {
      complain(error);
    }
    this.draw();
  }

  async askRuns() {
    const number = (this.asked += 1);
    const {data} = await read(`${address('runs')}?${new URLSearchParams({limit: SHOWN_RUNS, text: this.text.trim()})}`);
    if (number === this.asked) this.runs = data.runs;
  }

  type(text) {
    this.text = text;
    this.at = 0;
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.askRuns().then(() => this.draw(), complain), PAUSE_MS);
  }

  /** What matches: pages, then assets whose key begins with the text, then all others, then runs. */
  get found() {
    const words = this.text.toLowerCase().split(/\s+/).filter(Boolean);
    const takes = (text) => words.every((word) => text.toLowerCase().includes(word));
    const rank = (asset) => (asset.key.toLowerCase().startsWith(words[0]) ? 0 : takes(asset.key) ? 1 : 2);
    const assets = words.length ? (this.assets ?? []).filter((asset) => takes([asset.key, asset.group_name, asset.description ?? '', ...asset.kinds, ...asset.owners].join(' '))) : [];
    return [
      ...PAGES.filter(([name]) => takes(name)).map(([name, href]) => ({key: href, href, parts: [h('span', {class: 'grow'}, name), h('span', {class: 'muted small'}, 'page')]})),
      ...assets
        .map((asset) => [rank(asset), asset])
        .sort(([a], [b]) => a - b)
        .slice(0, SHOWN_ASSETS)
        .map(([, asset]) => ({key: `asset ${asset.key}`, href: assetPage(asset.key), parts: [h('span', {class: 'cut grow', dir: 'auto'}, asset.key), h('span', {class: 'muted small cut'}, asset.group_name), assetMark(asset)]})),
      ...this.runs.map((run) => ({key: run.run_id, href: runPage(run.run_id), parts: [h('span', {class: 'nowrap'}, runName(run.run_id)), h('span', {class: 'cut grow muted', dir: 'auto'}, run.asset_count === 1 ? run.assets[0] : plural(run.asset_count, 'asset')), when(run.started_at, 'muted small nowrap'), runMark(run.status)]})),
    ];
  }

  draw() {
    const found = this.found;
    this.at = Math.min(this.at, Math.max(0, found.length - 1));
    patch(
      this.dialog,
      h(
        'div',
        {class: 'search find-field', key: 'field'},
        icon('search'),
        h('input', {
          class: 'field',
          type: 'search',
          role: 'combobox',
          'aria-label': 'Find an asset, a run or a page',
          'aria-expanded': 'true',
          'aria-controls': 'find-list',
          'aria-activedescendant': found.length ? `find-${this.at}` : null,
          placeholder: 'Find an asset, a run or a page',
          autocomplete: 'off',
          spellcheck: 'false',
          oninput: (event) => this.type(event.target.value),
        }),
      ),
      h(
        'div',
        {class: 'find-list', id: 'find-list', role: 'listbox', 'aria-label': 'Found', key: 'list'},
        found.map(({key, href, parts}, index) => h('a', {class: 'find-item', role: 'option', id: `find-${index}`, tabindex: '-1', 'aria-selected': String(index === this.at), href, key}, parts)),
      ),
      found.length ? null : h('p', {class: 'muted find-none', key: 'none'}, this.assets ? 'Nothing is called that.' : 'Searching …'),
    );
  }

  walk(event) {
    if (event.key === 'Escape') {
      event.preventDefault(); // a search field would only clear itself
      this.dialog.close();
      return;
    }
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    const found = this.found;
    if (step && found.length) {
      event.preventDefault();
      this.at = (this.at + step + found.length) % found.length;
      this.draw();
      this.dialog.querySelector('[aria-selected=true]').scrollIntoView({block: 'nearest'});
    } else if (event.key === 'Enter' && found[this.at]) {
      event.preventDefault();
      location.assign(found[this.at].href);
    }
  }
}
