// What became of the partitions that a run makes: a strip for each asset, in the order of its plan.

import {address, assetPage, read} from '../api.js';
import {h, kept, patch, withCode} from '../dom.js';
import {plural} from '../format.js';
import {STEPS, glyph, spentText, word} from '../states.js';
import {legend} from './legend.js';
import {penOf} from './looks.js';
import {Scale} from './scale.js';
import {paintStrip} from './strip.js';
import {Tip} from './tip.js';

const HEIGHT = 22;
const EDGE = 4;
const WIDEST = 26; // pixels of a partition
const PAUSE_MS = 50;
const RENEWED_MS = 400;
const SHARE = 5; // the pause after an answer, in durations of it, at least

export class RunStrips {
  /** `chosen(step)` is called with the step that makes a partition that was clicked. */
  constructor(runId, chosen) {
    this.runId = runId;
    this.chosen = chosen;
    this.rows = new Map(); // by asset: {scale, canvas, stage, mark}
    this.data = null;
    this.status = null;
    this.reading = false;
    this.again = false;
    this.tip = new Tip();
    this.element = h('section', {class: 'card run-strips', 'aria-labelledby': 'strips-title', hidden: true});
    new ResizeObserver(() => this.draw()).observe(this.element);
    document.addEventListener('themechange', () => this.draw());
    document.addEventListener('scroll', () => this.tip.hide(), {capture: true, passive: true});
  }

  place() {
    return kept(this.element, 'strips');
  }

  /** Reads the states again. While a run goes on, the pauses grow with how long that takes. */
  async update(run) {
    this.status = run.status;
    if (!run.steps.some((step) => step.step.includes('@'))) return;
    if (this.reading) {
      this.again = true;
      return;
    }
    this.reading = true;
    const begun = performance.now();
    try {
      this.data = (await read(`${address('runs', this.runId, 'strips')}?width=${Math.min(4000, Math.max(100, this.element.clientWidth || 800))}`)).data;
      this.draw();
    } catch {
      // the rest of the page says what is wrong with the run
    }
    setTimeout(() => this.rested(run), Math.max(RENEWED_MS, SHARE * (performance.now() - begun)));
  }

  rested(run) {
    this.reading = false;
    if (!this.again) return;
    this.again = false;
    this.update(run);
  }

  draw() {
    if (!this.data?.strips.length) return;
    this.element.hidden = false;
    const there = new Set(this.data.strips.flatMap(({counts}) => Object.keys(counts)).map((state) => this.look(state).name));
    const states = Object.keys(STEPS).filter((name) => there.has(name));
    patch(
      this.element,
      h('div', {class: 'card-head wrap'}, h('h2', {id: 'strips-title', class: 'grow'}, 'Partitions'), legend(states, (name) => this.look(name))),
      h('div', {class: 'run-strip-rows'}, this.data.strips.map((strip) => this.row(strip))),
      this.data.more_assets ? h('p', {class: 'card-body muted small'}, `${plural(this.data.more_assets, 'more asset')} with partitions.`) : null,
    );
    for (const strip of this.data.strips) this.paint(strip);
  }

  /** How a state of a step looks. What waits in a run that has ended was not started. */
  look(state) {
    const over = this.status !== 'STARTED';
    const name = over && state === 'waiting' ? 'not_started' : this.status === 'INTERRUPTED' && state === 'canceled' ? 'interrupted' : state;
    const [tone, sign] = STEPS[name];
    return {name, tone, sign: name === 'success' ? 'fresh' : sign, text: word(name)};
  }

  row(strip) {
    const {asset, counts, count} = strip;
    const done = (counts.success ?? 0) + (counts.unchanged ?? 0);
    const said = Object.entries(counts).map(([state, number]) => `${number.toLocaleString('en')} ${this.look(state).text}`).join(', ');
    return h(
      'div',
      {class: 'run-strip', key: asset},
      h('a', {class: 'quiet-link cut run-strip-name', href: assetPage(asset), title: asset, dir: 'auto'}, asset),
      kept(this.rowOf(asset).stage, `stage ${asset}`),
      h('span', {class: 'muted small nowrap run-strip-count', title: said}, h('span', {'aria-hidden': 'true'}, `${done.toLocaleString('en')}/${count.toLocaleString('en')}`), h('span', {class: 'visually-hidden'}, `${plural(count, 'partition')}: ${said}`)),
    );
  }

  rowOf(asset) {
    if (!this.rows.has(asset)) {
      const canvas = h('canvas', {class: 'partition-canvas'});
      const mark = h('div', {class: 'partition-under', hidden: true});
      const stage = h('div', {class: 'run-strip-stage', 'aria-hidden': 'true'}, canvas, mark);
      const row = {asset, canvas, mark, stage, scale: new Scale(WIDEST)};
      stage.onpointermove = (event) => this.hover(row, event);
      stage.onpointerleave = () => this.left(row);
      stage.onclick = () => this.choose(row);
      this.rows.set(asset, row);
    }
    return this.rows.get(asset);
  }

  paint({asset, count, cells}) {
    const {canvas, stage, scale} = this.rowOf(asset);
    if (!stage.clientWidth) return requestAnimationFrame(() => stage.clientWidth && this.paint({asset, count, cells}));
    scale.resize(count, stage.clientWidth);
    const pen = penOf(canvas, stage.clientWidth, HEIGHT + 2 * EDGE);
    const shown = cells.map(([first, size, state]) => [first, size, this.look(state).sign]);
    const tones = new Map(cells.map(([, , state]) => [this.look(state).sign, this.look(state).tone]));
    paintStrip(pen, shown, {at: (number) => scale.at(number), top: EDGE, height: HEIGHT, from: 0, until: count, toned: (sign) => tones.get(sign)});
  }

  async hover(row, event) {
    const {scale, stage, mark} = row;
    const box = stage.getBoundingClientRect();
    if (event.clientX - box.left > scale.at(scale.count)) return this.left(row);
    const first = scale.numberAt(event.clientX - box.left);
    const place = {asset: row.asset, first, end: Math.min(scale.count, first + scale.step)};
    if (this.hovered?.asset === place.asset && this.hovered.first === first) return;
    this.hovered = place;
    mark.hidden = false;
    Object.assign(mark.style, {left: `${Math.max(0, scale.at(first) - 2)}px`, width: `${Math.max(6, scale.each * (place.end - first) + 3)}px`, top: '0px', height: `${HEIGHT + 2 * EDGE}px`});
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    if (this.hovered !== place) return;
    try {
      const {data} = await read(`${address('runs', this.runId, 'strips', row.asset)}?first=${place.first}&end=${place.end}`);
      if (this.hovered !== place) return;
      place.about = data;
      this.tip.showParts({x: event.clientX, above: 0, below: box.bottom}, this.told(data));
    } catch {
      // the run was deleted meanwhile
    }
  }

  told({count, counts, one, first_step: first, last_step: last}) {
    const key = (step) => step.slice(step.indexOf('@') + 1);
    return [
      h('div', {class: 'partition-tip-key', dir: 'auto'}, first === last ? key(first) : `${key(first)} to ${key(last)}`),
      h('div', {class: 'partition-tip-states'}, Object.entries(counts).map(([state, number]) => h('span', {class: 'mark', data: {state: this.look(state).tone}}, glyph(this.look(state).sign), count > 1 ? `${number.toLocaleString('en')} ` : null, this.look(state).text))),
      one?.error ? h('div', {class: 'partition-tip-why'}, withCode(`${one.error.type}: ${one.error.message}`)) : null,
      one?.reason ? h('div', {class: 'partition-tip-why'}, one.reason) : null,
      one?.duration_s !== null && one ? h('div', {class: 'muted'}, `Took ${spentText(one)}`) : null,
    ];
  }

  left(row) {
    this.hovered = null;
    row.mark.hidden = true;
    this.tip.hide();
  }

  choose(row) {
    const about = this.hovered?.asset === row.asset ? this.hovered.about : null;
    if (about && about.first_step === about.last_step) this.chosen(about.first_step);
  }
}
