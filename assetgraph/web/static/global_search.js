// A dialog that finds assets, groups, columns, runs and pages from anywhere.

import {address, assetPage, read, runPage} from './api.js';
import {h, icon, patch} from './dom.js';
import {plural, runName} from './format.js';
import {keyText} from './key_text.js';
import {when} from './live_times.js';
import {markdownGist} from './markdown.js';
import {assetMark, runMark} from './states.js';
import {complain} from './toast.js';

const PAUSE_MS = 80;
const LIMIT = 6; // of each kind
const LONGEST = 200;
const NOTHING = {assets: [], groups: [], columns: [], runs: []};
const PAGES = [['Overview', '/'], ['Assets', '/assets'], ['Lineage', '/lineage'], ['Runs', '/runs'], ['Definitions', '/definitions']];
const KEYS = [['↑ ↓', 'choose'], ['Enter', 'open'], ['Esc', 'close']];

export function openFind() {
  if (!document.querySelector('dialog[open]')) new FindDialog().open();
}

class FindDialog {
  constructor() {
    this.text = '';
    this.found = null; // what the server found of the text `foundFor`
    this.foundFor = null;
    this.at = 0;
    this.timer = 0;
    this.asked = 0;
    this.dialog = h('dialog', {class: 'find', 'aria-label': 'Find', onclose: () => this.dialog.remove(), onkeydown: (event) => this.walk(event), onclick: (event) => event.target === this.dialog && this.dialog.close()});
  }

  open() {
    document.body.append(this.dialog);
    this.draw();
    this.dialog.showModal();
    this.dialog.querySelector('input').focus();
    this.ask();
  }

  async ask() {
    const number = (this.asked += 1);
    const text = this.text.trim();
    try {
      const {data} = await read(`${address('search')}?${new URLSearchParams({text, limit: LIMIT})}`);
      if (number !== this.asked) return;
      [this.found, this.foundFor] = [data, text];
    } catch (error) {
      complain(error);
    }
    this.draw();
  }

  type(text) {
    this.text = text;
    this.at = 0;
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PAUSE_MS);
  }

  get isSearching() {
    return this.foundFor !== this.text.trim();
  }

  /** What was found, as sections of a title and of items with a key, an address and parts. */
  get sections() {
    const {assets, groups, columns, runs, asset_count: count} = this.found ?? NOTHING;
    const words = this.text.toLowerCase().split(/\s+/).filter(Boolean);
    const pages = PAGES.filter(([name]) => words.every((word) => name.toLowerCase().includes(word)));
    const more = count > assets.length ? [{key: 'all assets', href: `/assets?q=${encodeURIComponent(this.foundFor)}`, parts: [h('span', {class: 'muted'}, `All ${count.toLocaleString('en')} assets that match`)]}] : [];
    return [
      ['Assets', [...assets.map(assetItem), ...more]],
      ['Groups', groups.map(groupItem)],
      ['Columns', columns.map(columnItem)],
      [words.length ? 'Runs' : 'Latest runs', runs.map(runItem)],
      ['Pages', pages.map(([name, href]) => ({key: href, href, parts: [h('span', {class: 'grow'}, name)]}))],
    ].filter(([, items]) => items.length);
  }

  draw() {
    const sections = this.sections;
    const items = sections.flatMap(([, list]) => list);
    this.at = Math.min(this.at, Math.max(0, items.length - 1));
    const option = ({key, href, parts}) => {
      const index = items.findIndex((one) => one.key === key);
      return h('a', {class: 'find-item', role: 'option', id: `find-${index}`, tabindex: '-1', 'aria-selected': String(index === this.at), href, key}, parts);
    };
    patch(
      this.dialog,
      this.field(items.length),
      h(
        'div',
        {class: 'find-list', id: 'find-list', role: 'listbox', 'aria-label': 'Found', 'aria-busy': String(this.isSearching), key: 'list'},
        sections.map(([title, list]) => h('div', {role: 'group', 'aria-label': title, key: title}, h('div', {class: 'find-title', 'aria-hidden': 'true'}, title), list.map(option))),
      ),
      items.length ? null : h('p', {class: 'muted find-none', key: 'none'}, this.isSearching ? 'Searching …' : 'Nothing is called that.'),
      h('div', {class: 'find-keys muted small', 'aria-hidden': 'true', key: 'keys'}, KEYS.map(([keys, text]) => h('span', {}, keys.split(' ').map((one) => h('kbd', {class: 'kbd'}, one)), ` ${text}`))),
    );
  }

  field(count) {
    return h(
      'div',
      {class: 'search find-field', key: 'field'},
      icon('search'),
      h('input', {
        class: 'field',
        type: 'search',
        role: 'combobox',
        'aria-label': 'Find assets, groups, columns and runs',
        'aria-expanded': 'true',
        'aria-controls': 'find-list',
        'aria-activedescendant': count ? `find-${this.at}` : null,
        placeholder: 'Find assets, groups, columns and runs',
        maxlength: String(LONGEST),
        autocomplete: 'off',
        spellcheck: 'false',
        oninput: (event) => this.type(event.target.value),
      }),
    );
  }

  async walk(event) {
    if (event.key === 'Escape') {
      event.preventDefault(); // a search field would only clear itself
      this.dialog.close();
      return;
    }
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    const items = this.sections.flatMap(([, list]) => list);
    if (step && items.length) {
      event.preventDefault();
      this.at = (this.at + step + items.length) % items.length;
      this.draw();
      this.dialog.querySelector('[aria-selected=true]').scrollIntoView({block: 'nearest'});
    } else if (event.key === 'Enter') {
      event.preventDefault();
      await this.enter(event.ctrlKey || event.metaKey);
    }
  }

  /** Opens what is chosen, of the answer to what was typed. */
  async enter(besides) {
    if (this.isSearching) {
      clearTimeout(this.timer);
      await this.ask();
    }
    const href = this.sections.flatMap(([, list]) => list)[this.at]?.href;
    if (!href) return;
    if (besides) window.open(href, '_blank', 'noopener');
    else location.assign(href);
  }
}

function assetItem(asset) {
  const beside = markdownGist(asset.description) || asset.group_name;
  return {key: `asset ${asset.key}`, href: assetPage(asset.key), parts: [icon('assets', 'icon-small'), h('span', {class: 'find-name'}, keyText(asset.key)), h('span', {class: 'muted small cut grow', dir: 'auto'}, beside), assetMark(asset)]};
}

function groupItem({name, asset_count: count}) {
  return {key: `group ${name}`, href: `/assets?group=${encodeURIComponent(name)}`, parts: [icon('group', 'icon-small'), h('span', {class: 'cut grow', dir: 'auto'}, name), h('span', {class: 'muted small nowrap'}, plural(count, 'asset'))]};
}

function columnItem({asset, column, type}) {
  return {key: `column ${asset} ${column}`, href: assetPage(asset), parts: [icon('list', 'icon-small'), h('span', {class: 'cut find-name', dir: 'auto'}, column), h('span', {class: 'muted small cut grow', dir: 'auto'}, `of ${asset}`), h('code', {class: 'muted small cut'}, type)]};
}

function runItem(run) {
  return {key: run.run_id, href: runPage(run.run_id), parts: [icon('runs', 'icon-small'), h('span', {class: 'nowrap'}, runName(run.run_id)), h('span', {class: 'cut grow muted small', dir: 'auto'}, run.asset_count === 1 ? run.assets[0] : plural(run.asset_count, 'asset')), when(run.started_at, 'muted small nowrap'), runMark(run.status)]};
}
