// The partitions of an asset as a bar: time, or the keys, along an axis, and a row for each
// combination of the other dimensions. It shows states, zooms, and selects partitions.

import {address, read} from '../api.js';
import {h, icon, kept, patch} from '../dom.js';
import {plural} from '../format.js';
import {ASSET_STATES} from '../states.js';
import {drawAxis} from './axis.js';
import {choiceOf} from './choice.js';
import {listen} from './gestures.js';
import {legend} from './legend.js';
import {penOf} from './looks.js';
import {Overview} from './overview.js';
import {pager} from './pager.js';
import {Scale} from './scale.js';
import {paintStrip} from './strip.js';
import {Tip, sentence} from './tip.js';

const ROWS = 60;
const HIGH = [[1, 40], [6, 24], [ROWS, 18]]; // up to so many rows, each has this height
const PITCH = 8; // pixels between rows: a failed partition is taller
const EDGE = 5;
const BEYOND = 0.5; // of what is in view, on each side, is read too
const PAUSE_MS = 50;
const ZOOM = 2;
const HELP = 'Arrow keys move, with Shift they select; plus and minus zoom, 0 shows all, Enter materializes the selection.';

export class PartitionBar {
  /** `launch(chosen)` is called with what `chosen` holds: see `/api/place`. */
  constructor(key, {launch}) {
    this.key = key;
    this.launch = launch;
    this.scale = new Scale();
    this.whole = null; // what the server said of all
    this.near = null; // and of what is in view
    this.row = 0; // the first one
    this.cursor = null; // {row, number}
    this.anchor = null;
    this.chosen = null; // {row, rows, first, end, about}
    this.known = new Map(); // details by place
    this.asked = 0;
    this.timer = 0;
    this.tip = new Tip();
    this.canvas = h('canvas', {class: 'partition-canvas'});
    this.brush = h('div', {class: 'partition-brush', hidden: true});
    this.mark = h('div', {class: 'partition-cursor', hidden: true});
    this.under = h('div', {class: 'partition-under', hidden: true});
    this.stage = h('div', {class: 'partition-stage', tabindex: '0', role: 'application', 'aria-roledescription': 'partition bar', 'aria-label': 'Partitions by state', 'aria-describedby': 'partition-summary', onfocus: () => this.focused(), onblur: () => this.drawMarks()}, this.canvas, this.under, this.brush, this.mark);
    this.axis = h('div', {class: 'partition-axis', 'aria-hidden': 'true'});
    this.overview = new Overview((first, end) => this.shown(() => this.scale.show(first, end)));
    this.labels = h('div', {class: 'partition-labels', 'aria-hidden': 'true'});
    this.tools = h('div', {class: 'partition-tools'});
    this.choice = h('div', {class: 'partition-choice-bar', hidden: true});
    this.heard = h('div', {class: 'visually-hidden', role: 'status'});
    this.summary = h('p', {class: 'visually-hidden', id: 'partition-summary'});
    this.element = h('div', {class: 'partition-bar'}, this.summary, this.tools, h('div', {class: 'partition-body'}, this.labels, h('div', {class: 'partition-plot'}, this.stage, h('div', {class: 'partition-foot'}, this.axis, this.overview.element))), this.choice, this.heard);
    listen(this.stage, this.hands());
    new ResizeObserver(() => this.resized()).observe(this.stage);
    document.addEventListener('themechange', () => this.draw());
    document.addEventListener('scroll', () => this.tip.hide(), {capture: true, passive: true});
  }

  place() {
    return kept(this.element, 'bar');
  }

  /** Reads all of it again. What is in view, and what is selected, stay. */
  async load() {
    const number = (this.asked += 1);
    const data = await this.read(null);
    if (!data || number !== this.asked) return;
    this.whole = data;
    this.known.clear();
    this.scale.resize(data.count, this.stage.clientWidth || 600);
    this.chosen = this.still(this.chosen);
    if (this.scale.isWhole) this.near = null;
    else this.readNear(); // what was read of it before stays until then
    if (this.chosen) this.describe(this.chosen);
    this.draw();
  }

  async read(view) {
    const width = Math.min(4000, Math.max(100, Math.round((this.stage.clientWidth || 800) * (view ? 1 + 2 * BEYOND : 1))));
    const query = new URLSearchParams({width, row: this.row, rows: ROWS, ...view});
    try {
      return {...(await read(`${address('states', this.key)}?${query}`)).data, width};
    } catch {
      return null; // the table beside it says why
    }
  }

  /** What is left of a place after the partitions became others. */
  still(place) {
    if (!place || place.end > this.whole.count || place.row + place.rows > this.whole.row_count) return null;
    return {...place, about: null};
  }

  readNear() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      const number = (this.asked += 1);
      const {first, end} = this.scale;
      const beyond = Math.ceil((end - first) * BEYOND);
      const data = await this.read({first: Math.max(0, first - beyond), end: end + beyond});
      if (!data || number !== this.asked) return;
      this.near = data;
      this.draw();
    }, PAUSE_MS);
  }

  resized() {
    if (!this.whole || !this.stage.clientWidth) return;
    this.scale.resize(this.whole.count, this.stage.clientWidth);
    if (this.scale.isWhole && Math.abs(this.whole.width - this.stage.clientWidth) > 40) this.load();
    this.draw();
  }

  draw() {
    if (!this.whole) return;
    this.element.hidden = !this.whole.count || !this.whole.row_count;
    this.paint();
    drawAxis(this.axis, this.near ?? this.whole, this.scale);
    this.drawTools();
    this.drawLabels();
    this.drawMarks();
    this.drawChoice();
  }

  get rowHeight() {
    return HIGH.find(([most]) => this.whole.rows.length <= most)[1];
  }

  top(row) {
    return EDGE + (row - this.row) * (this.rowHeight + PITCH);
  }

  paint() {
    if (!this.whole?.rows.length || !this.stage.clientWidth) return;
    const {scale, rowHeight: height} = this;
    const high = this.top(this.row + this.whole.rows.length) - PITCH + EDGE;
    this.stage.style.height = `${high}px`;
    const pen = penOf(this.canvas, this.stage.clientWidth, high);
    this.whole.rows.forEach((row, index) => {
      const near = this.near?.rows[index];
      const place = {at: (number) => scale.at(number), top: this.top(this.row + index), height};
      const parts = near ? [[row.cells, scale.first, this.near.first], [near.cells, this.near.first, this.near.end], [row.cells, this.near.end, scale.end]] : [[row.cells, scale.first, scale.end]];
      for (const [cells, from, until] of parts) paintStrip(pen, cells, {...place, from: Math.max(from, scale.first), until: Math.min(until, scale.end)});
    });
    this.overview.draw(this.whole, scale);
  }

  drawTools() {
    const {scale, whole} = this;
    const tool = (name, text, act, disabled) => h('button', {class: 'tool', type: 'button', title: text, 'aria-label': text, disabled, onclick: act}, icon(name));
    const states = ASSET_STATES.filter((state) => whole.rows.some((row) => row.cells.some((cell) => cell[2] === state || cell[3]?.[state])));
    patch(
      this.tools,
      legend(states),
      pager({first: this.row, most: ROWS, count: whole.row_count}, (row) => this.turn(row)),
      h(
        'div',
        {class: 'row partition-zoom', role: 'group', 'aria-label': 'Zoom of the partitions', key: 'zoom'},
        scale.isWhole ? null : h('button', {class: 'button button-small', type: 'button', onclick: () => this.hands().whole()}, 'Show all'),
        tool('minus', 'Zoom out', () => this.zoom(1 / ZOOM), scale.isWhole),
        tool('plus', 'Zoom in', () => this.zoom(ZOOM), scale.end - scale.first <= 3),
      ),
    );
    patch(this.summary, this.said());
  }

  said() {
    const {count, row_count: rows, row_names: names} = this.whole;
    const first = this.whole.first_key === this.whole.last_key ? this.whole.first_key : `${this.whole.first_key} to ${this.whole.last_key}`;
    const where = names.length ? `, in ${plural(rows, 'row')} by ${names.join(' and ')}` : '';
    return `${plural(count * rows, 'partition')}, ${first}${where}. ${HELP} A table lists them.`;
  }

  /** Shows the rows from `row` on. */
  turn(row) {
    Object.assign(this, {row, near: null, cursor: null, chosen: null});
    this.load();
  }

  drawLabels() {
    const {rows, row_names: names} = this.whole;
    this.labels.hidden = !names.length;
    patch(this.labels, names.length ? rows.map(({keys}, index) => h('div', {class: 'cut', title: keys.map((key, at) => `${names[at]}: ${key}`).join(', '), dir: 'auto', style: {top: `${this.top(this.row + index)}px`, 'line-height': `${this.rowHeight}px`}}, keys.join(' · '))) : null);
  }

  /** The selection, and where the keyboard is. */
  drawMarks() {
    const {chosen, cursor, scale} = this;
    this.put(this.brush, chosen);
    const focused = document.activeElement === this.stage && this.stage.matches(':focus-visible');
    this.put(this.mark, focused && cursor ? {row: cursor.row, rows: 1, first: cursor.number, end: cursor.number + scale.step} : null);
  }

  /** Puts a frame around a place. */
  put(element, place) {
    const {scale} = this;
    element.hidden = !place || place.end <= scale.first || place.first >= scale.end;
    if (element.hidden) return;
    const left = Math.max(0, scale.at(place.first) - 2);
    const right = Math.min(this.stage.clientWidth, Math.max(scale.at(place.end) + 1, left + 6));
    Object.assign(element.style, {left: `${left}px`, width: `${right - left}px`, top: `${this.top(place.row) - 4}px`, height: `${this.top(place.row + place.rows) - PITCH - this.top(place.row) + 8}px`});
  }

  drawChoice() {
    const {chosen} = this;
    this.choice.hidden = !chosen;
    if (!chosen) return;
    const wide = chosen.end - chosen.first < this.scale.end - this.scale.first;
    patch(this.choice, choiceOf(this.key, chosen, {
      zoom: wide && chosen.end - chosen.first > 1 ? () => this.zoomTo(chosen) : null,
      clear: () => this.choose(null),
      launch: () => this.launch(chosen.about),
    }));
  }

  hands() {
    return {
      hover: (x, y) => this.hover(x, y),
      leave: () => this.left(),
      begin: (x, y, extending) => this.begin(x, y, extending),
      stretch: (x, y) => this.stretch(x, y),
      end: () => this.end(),
      zoom: (factor, x) => this.zoom(factor, x),
      canZoom: (factor) => factor > 1 || !this.scale.isWhole,
      pan: (pixels) => this.pan(pixels),
      step: (along, rows, extending) => this.go(along * this.scale.step, rows, extending),
      page: (share, extending) => this.go(Math.round(share * (this.scale.end - this.scale.first)), 0, extending),
      edge: (side, extending) => this.go(side * this.scale.count, 0, extending),
      whole: () => this.shown(() => this.scale.show(0, this.scale.count)),
      take: () => this.cursor && this.span(this.cursor, this.cursor),
      choose: () => this.chosen?.about && this.launch(this.chosen.about),
      forget: () => this.choose(null),
    };
  }

  /** The partition at a place of the stage. */
  placeAt(x, y) {
    const rows = this.whole.rows.length;
    const row = Math.floor((y - EDGE + PITCH / 2) / (this.rowHeight + PITCH));
    return {row: this.row + Math.min(rows - 1, Math.max(0, row)), number: this.scale.numberAt(x)};
  }

  isOutside(x) {
    return x > this.scale.at(this.scale.end);
  }

  async hover(x, y) {
    if (!this.whole?.count || this.isOutside(x)) return this.left();
    const {row, number} = this.placeAt(x, y);
    const place = {row, rows: 1, first: number, end: Math.min(this.scale.count, number + this.scale.step)};
    const box = this.stage.getBoundingClientRect();
    const spot = {x: box.left + x, above: box.top + this.top(row), below: box.top + this.top(row) + this.rowHeight};
    this.hovered = place;
    this.put(this.under, place);
    this.tip.show(spot, this.known.get(nameOfPlace(place)), this.painted(place));
    const about = await this.details(place, true);
    if (about && this.hovered === place && !this.tip.element.hidden) this.tip.show(spot, about);
  }

  /** The pointer is elsewhere. */
  left() {
    this.hovered = null;
    this.under.hidden = true;
    this.tip.hide();
  }

  /** What is painted at a place: counts by state. */
  painted({row, first}) {
    const data = this.near && first >= this.near.first && first < this.near.end ? this.near : this.whole;
    const cell = data.rows[row - this.row]?.cells.find(([begin, size]) => first >= begin && first < begin + size);
    return cell ? (cell[3] ?? {[cell[2]]: 1}) : {};
  }

  /** What the server knows of a place. While the pointer moves on, it is not asked. */
  async details(place, lazily = false) {
    const name = nameOfPlace(place);
    if (this.known.has(name)) return this.known.get(name);
    if (lazily) {
      await new Promise((done) => setTimeout(done, PAUSE_MS));
      if (this.hovered !== place) return null;
    }
    const query = new URLSearchParams({row: place.row, rows: place.rows, first: place.first, end: place.end});
    try {
      const {data} = await read(`${address('place', this.key)}?${query}`);
      const rows = this.whole.row_names.length ? this.whole.rows.slice(place.row - this.row, place.row - this.row + place.rows).map((row) => row.keys.join(' · ')) : [];
      this.known.set(name, {...data, rows});
      return this.known.get(name);
    } catch {
      return null;
    }
  }

  begin(x, y, extending) {
    if (!this.whole?.count || this.isOutside(x)) return;
    this.left();
    const place = this.placeAt(x, y);
    this.anchor = extending && this.anchor ? this.anchor : place;
    this.dragging = true;
    this.stretch(x, y);
  }

  stretch(x, y) {
    if (!this.dragging) return;
    this.cursor = this.placeAt(x, y);
    this.span(this.anchor, this.cursor, false);
  }

  end() {
    if (!this.dragging) return;
    this.dragging = false;
    this.span(this.anchor, this.cursor);
  }

  /** Selects what is between two places, each as wide as a step. */
  span(one, other, isFinal = true) {
    const first = Math.min(one.number, other.number);
    const end = Math.min(this.scale.count, Math.max(one.number, other.number) + this.scale.step);
    const row = Math.min(one.row, other.row);
    this.anchor = one;
    this.choose({row, rows: Math.abs(one.row - other.row) + 1, first, end, about: null}, isFinal);
  }

  choose(place, isFinal = true) {
    this.chosen = place;
    if (!place) this.anchor = null;
    this.drawMarks();
    this.drawChoice();
    if (place && isFinal) this.describe(place);
  }

  async describe(place) {
    const about = await this.details(place);
    if (this.chosen !== place) return;
    place.about = about;
    this.drawChoice();
  }

  focused() {
    this.cursor ??= {row: this.row, number: this.scale.first};
    this.drawMarks();
    this.tell();
  }

  go(along, rows, extending) {
    const from = this.cursor ?? {row: this.row, number: this.scale.first};
    const number = Math.min(this.scale.count - 1, Math.max(0, from.number + along));
    const row = Math.min(this.row + this.whole.rows.length - 1, Math.max(this.row, from.row + rows));
    this.cursor = {row, number};
    this.shown(() => this.scale.reveal(number));
    if (extending) this.span(this.anchor ?? from, this.cursor);
    else this.anchor = null;
    this.tell();
  }

  /** Says where the keyboard is. */
  async tell() {
    const place = {row: this.cursor.row, rows: 1, first: this.cursor.number, end: Math.min(this.scale.count, this.cursor.number + this.scale.step)};
    this.hovered = place;
    const about = await this.details(place, true);
    if (about && this.hovered === place) this.heard.textContent = sentence(about);
  }

  zoom(factor, x) {
    const at = x ?? (this.cursor && this.cursor.number >= this.scale.first && this.cursor.number < this.scale.end ? this.scale.at(this.cursor.number) : undefined);
    this.shown(() => this.scale.zoom(factor, at));
  }

  zoomTo({first, end}) {
    this.shown(() => this.scale.show(first, end));
  }

  pan(pixels) {
    if (this.scale.isWhole) return false;
    const numbers = pixels / this.scale.each;
    this.shown(() => this.scale.move(Math.sign(numbers) * Math.max(1, Math.abs(numbers))));
    return true;
  }

  /** Changes what is in view, and reads more of it if needed. */
  shown(change) {
    const {first, end} = this.scale;
    change();
    if (first === this.scale.first && end === this.scale.end) return;
    this.left();
    if (this.scale.isWhole) this.near = null;
    else this.readNear();
    this.draw();
  }
}

function nameOfPlace({row, rows, first, end}) {
  return `${row} ${rows} ${first} ${end}`;
}
