// The structured log of a run. It loads pages of events, and draws only the events in view.

import {firstLine, plainText} from './ansi.js';
import {address, read} from './api.js';
import {h, icon, kept, patch} from './dom.js';
import {clock, count} from './format.js';
import {keyText} from './key_text.js';
import {laidOut} from './json_layout.js';
import {longText} from './long_text.js';
import {metadataTable} from './metadata.js';
import {complain} from './toast.js';
import {VirtualRows} from './virtual_rows.js';

const PAGE = 200;
const ROW = 28;
const LIST_PADDING = 8;
const PAUSE_MS = 200;
const LEVELS = {INFO: 'Info and up', WARNING: 'Warnings and up', ERROR: 'Errors'};
const NEAR_END_PX = 60;
const TONES = {WARNING: 'stale', ERROR: 'failed', CRITICAL: 'failed'};

export class EventsView {
  constructor(runId, stepFilter) {
    this.runId = runId;
    this.stepFilter = stepFilter;
    this.filter = {text: '', level: '', step: ''};
    this.pages = new Map();
    this.total = 0;
    this.open = null;
    this.timer = 0;
    this.rows = new VirtualRows({height: ROW, draw: (index) => this.row(index), seen: (first, last) => this.fetchSeen(first, last)});
    this.element = h('div', {class: 'events'});
  }

  async load() {
    await this.fetchPage(0);
    this.draw();
  }

  place() {
    this.rows.later(); // rows can be drawn only once they are on the page
    return kept(this.element, 'events');
  }

  /** Tells the view that the log now has `total` events. */
  async grow(total) {
    const filtered = Object.values(this.filter).some(Boolean);
    if (!filtered && total <= this.total) return;
    const last = Math.floor(this.total / PAGE);
    const atEnd = this.isAtEnd();
    await this.fetchPage(last);
    this.draw();
    if (atEnd) this.toEnd();
  }

  set(change) {
    Object.assign(this.filter, change);
    this.draw();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.renew(), 'text' in change ? PAUSE_MS : 0);
  }

  async renew() {
    this.pages.clear();
    this.open = null;
    await this.fetchPage(0);
    this.scroller()?.scrollTo(0, 0);
    this.draw();
  }

  fetchSeen(first, last) {
    for (let page = Math.floor(first / PAGE); page <= Math.floor(Math.max(first, last - 1) / PAGE); page += 1) {
      if (page * PAGE < this.total && !this.pages.has(page)) {
        this.pages.set(page, []);
        this.fetchPage(page).then(() => this.draw());
      }
    }
  }

  /** The filter as a query, with `more` parameters. */
  query(more = {}) {
    const query = new URLSearchParams(more);
    for (const [name, value] of Object.entries(this.filter)) if (value) query.set(name, value);
    return query;
  }

  async fetchPage(page) {
    const query = this.query({after: page * PAGE, limit: PAGE});
    const asked = JSON.stringify(this.filter);
    try {
      const {data} = await read(`${address('runs', this.runId, 'events')}?${query}`);
      if (asked !== JSON.stringify(this.filter)) return;
      this.pages.set(page, data.events);
      this.total = data.total;
    } catch (error) {
      this.pages.delete(page);
      complain(error);
    }
  }

  scroller() {
    return this.element.querySelector('[data-scroller]');
  }

  isAtEnd() {
    const box = this.scroller();
    return !box || box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
  }

  toEnd() {
    const box = this.scroller();
    if (box) box.scrollTop = box.scrollHeight;
  }

  at(index) {
    return this.pages.get(Math.floor(index / PAGE))?.[index % PAGE];
  }

  draw() {
    this.rows.update(this.total);
    patch(this.element, this.toolbar(), this.list());
  }

  toolbar() {
    const {text, level, step} = this.filter;
    return h(
      'div',
      {class: 'log-tools', key: 'tools'},
      h(
        'div',
        {class: 'search'},
        icon('search'),
        h('input', {class: 'field', type: 'search', placeholder: 'Search the log', 'aria-label': 'Search the log', 'data-search': '', value: text, oninput: (event) => this.set({text: event.target.value})}),
      ),
      h(
        'select',
        {class: 'field', 'aria-label': 'Lowest level', value: level, onchange: (event) => this.set({level: event.target.value})},
        h('option', {value: ''}, 'All levels'),
        Object.entries(LEVELS).map(([name, text]) => h('option', {value: name, selected: level === name}, text)),
      ),
      step
        ? h('button', {class: 'button', type: 'button', title: 'Show all steps', onclick: () => this.stepFilter(''), key: 'step'}, h('span', {class: 'cut', dir: 'auto'}, step), icon('close', 'icon-small'))
        : null,
      h('span', {class: 'muted small nowrap', role: 'status'}, `${count(this.total)} events`),
      h('a', {class: 'button', href: `${address('runs', this.runId, 'events.txt')}?${this.query()}`, download: '', title: 'Download these events as text', key: 'download'}, 'Download'),
    );
  }

  list() {
    if (!this.total) return h('div', {class: 'empty', key: 'none'}, 'No event matches.');
    return h(
      'div',
      {class: 'log-split', key: 'split'},
      h(
        'div',
        {class: 'log-scroll', 'data-scroller': '', tabindex: '0', role: 'table', 'aria-label': 'Events', 'aria-rowcount': String(this.total), onkeydown: (event) => this.walk(event)},
        this.rows.place('event-rows'),
      ),
      this.detail(),
    );
  }

  row(index) {
    const event = this.at(index);
    if (!event) return h('div', {class: 'log-row', role: 'row', key: `empty-${index}`}, h('span', {class: 'skeleton'}));
    return h(
      'div',
      {
        class: 'log-row',
        role: 'row',
        key: event.number,
        'aria-rowindex': String(index + 1),
        'aria-selected': String(this.open === index),
        data: {level: event.level, state: TONES[event.level]},
        onclick: () => this.show(index),
      },
      h('span', {role: 'cell', class: 'log-time'}, clock(event.timestamp)),
      h('span', {role: 'cell', class: 'log-type cut', title: event.type}, event.type === 'LOG' ? event.level : event.type),
      h('span', {role: 'cell', class: 'log-step'}, event.step ? keyText(event.step) : null),
      h('span', {role: 'cell', class: 'log-text cut', title: firstLine(event.message), dir: 'auto'}, firstLine(event.message)),
    );
  }

  async show(index) {
    this.open = this.open === index ? null : index;
    this.whole = null;
    const event = this.at(index);
    if (this.open !== null && event && (event.cut || event.type === 'STEP_FAILURE')) {
      const {data} = await read(address('runs', this.runId, 'events', String(event.number)));
      this.whole = data;
    }
    this.draw();
    if (this.open !== null) this.reveal(this.open);
  }

  /** Scrolls so that a row is in view: with an event open, fewer are. */
  reveal(index) {
    const box = this.scroller();
    if (index * ROW < box.scrollTop) box.scrollTop = index * ROW;
    if ((index + 1) * ROW > box.scrollTop + box.clientHeight) box.scrollTop = (index + 1) * ROW - box.clientHeight + LIST_PADDING;
  }

  walk(event) {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (event.key === 'Escape' && this.open !== null) this.show(this.open);
    if (!step) return;
    event.preventDefault();
    const next = Math.min(this.total - 1, Math.max(0, (this.open ?? -1) + step));
    if (next === this.open) return;
    this.show(next);
  }

  detail() {
    const event = this.open === null ? null : (this.whole ?? this.at(this.open));
    if (!event) return null;
    const {metadata, error, ...rest} = event.data;
    return h(
      'aside',
      {class: 'log-detail', 'aria-label': 'The event', key: 'detail'},
      h(
        'div',
        {class: 'row'},
        h('h3', {class: 'grow mono'}, event.type),
        h('button', {class: 'tool', type: 'button', 'aria-label': 'Close', onclick: () => this.show(this.open)}, icon('close', 'icon-small')),
      ),
      longText(plainText(event.message), {class: 'log-message', 'aria-label': 'Message', key: `message ${event.number} ${event.message.length}`}),
      metadata ? metadataTable(metadata) : null,
      error?.trace ? longText(plainText(error.trace), {class: 'code', 'aria-label': 'Full stack trace', key: `trace ${event.number}`}) : null,
      Object.keys(rest).length ? longText(laidOut(JSON.stringify(rest)), {class: 'code', 'aria-label': 'Facts', key: `facts ${event.number}`, language: 'json'}) : null,
    );
  }
}
