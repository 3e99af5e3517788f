// The runs of a span of time: a lane for each thing that is materialized, with its runs as bars.

import {runPage} from './api.js';
import {h, icon} from './dom.js';
import {dayAndTime, duration, exactTime, hourAndMinute, plural} from './format.js';
import {tone, word} from './states.js';
import {spanOf, ticksIn, zoomed} from './time_span.js';

const ROW = 24;
const MOST_LANES = 8;
const MOST_ROWS = 3; // in one lane
const LEAST_PX = 6;
const DRAG_PX = 6;
const STEP = 2;
const KEYS = {'+': {zoom: 1 / STEP}, '=': {zoom: 1 / STEP}, '-': {zoom: STEP}, ArrowLeft: {move: -0.25}, ArrowRight: {move: 0.25}, 0: {}, Escape: {}};
const DAY_MS = 86_400_000;

export class RunLanes {
  /** `changed()` is called when another part of the span is to be drawn. */
  constructor(range, changed) {
    this.range = range; // what was zoomed into, in milliseconds, or null
    this.changed = changed;
    this.drag = null;
  }

  /** The lanes of `runs` in the last `hours`, or in the span that suits them. */
  draw(runs, hours) {
    const now = Date.now();
    this.runs = runs;
    this.whole = hours ? [now - hours * 3_600_000, now] : spanOf(runs.slice(0, 30).map((run) => Date.parse(run.started_at)), now);
    const [since, until] = this.range ?? this.whole;
    this.shown = [since, until];
    const width = document.querySelector('.lanes-track')?.clientWidth || Math.max(innerWidth - 440, 180);
    const {lanes, hidden} = inLanes(runs, since, until, width);
    const high = lanes.reduce((sum, lane) => sum + lane.rows.length, 0);
    return h(
      'div',
      {class: 'lanes-box', key: 'lanes'},
      h(
        'div',
        {class: 'lanes', style: {height: `${Math.max(3, high) * ROW + 12 * Math.max(1, lanes.length) + 28}px`}},
        lanes.map((lane, at) => laneLabel(lane, at)),
        h(
          'div',
          {
            class: 'lanes-track',
            tabindex: '0',
            role: 'group',
            'aria-label': 'Runs by time. Drag to zoom into a part; + and − zoom, the arrow keys move, 0 shows everything.',
            onkeydown: (event) => this.press(event),
            onpointerdown: (event) => this.begin(event),
            onpointermove: (event) => this.stretch(event),
            onpointerup: (event) => this.end(event),
            onpointercancel: () => this.forget(),
            ondblclick: () => this.show(null),
          },
          lanes.slice(1).map((lane) => h('div', {class: 'lanes-line', style: {top: `${lane.top - 6}px`}, key: `line-${lane.name}`})),
          this.ticks(since, until, width, until >= now - 1000),
          lanes.map((lane) => lane.rows.map((row, at) => row.map((bar) => runBar(bar, lane.top + at * ROW)))),
          this.drag ? h('div', {class: 'lanes-brush', style: this.brushed(), key: 'brush'}) : null,
          lanes.length ? null : h('div', {class: 'lanes-none muted', key: 'none'}, none(this.range, hours)),
        ),
      ),
      hidden ? h('p', {class: 'muted small lanes-hidden'}, `${plural(hidden, 'more run')} at the same times. `, h('a', {class: 'link', href: '/runs'}, 'All runs')) : null,
    );
  }

  /** Buttons for those who do not drag. */
  tools() {
    const tool = (name, text, act, disabled = false) => h('button', {class: 'tool', type: 'button', title: text, 'aria-label': text, disabled, onclick: act}, icon(name));
    return h(
      'div',
      {class: 'row lanes-tools', role: 'group', 'aria-label': 'Zoom of the runs'},
      this.range ? h('button', {class: 'button button-small', type: 'button', onclick: () => this.show(null)}, 'Whole span') : null,
      tool('minus', 'Zoom out', () => this.zoom({factor: STEP}), !this.range),
      tool('plus', 'Zoom in', () => this.zoom({factor: 1 / STEP})),
    );
  }

  ticks(since, until, width, now) {
    const {marks, every} = ticksIn(since, until, width, now);
    const text = (at) => (every < 60_000 ? exactTime(at) : until - since > DAY_MS ? dayAndTime(at, every < DAY_MS) : hourAndMinute(new Date(at)));
    return [
      marks.map((at) => h('div', {class: 'lanes-tick', style: {left: `${((at - since) / (until - since)) * 100}%`}, key: at}, h('span', {}, text(at)))),
      now ? h('div', {class: 'lanes-now', key: 'now'}, h('span', {}, 'now')) : null,
    ];
  }

  show(range) {
    this.range = range && range[1] - range[0] < (this.whole[1] - this.whole[0]) * 0.999 ? range : null;
    this.changed();
  }

  /** Zooms around the middle of the runs in sight, so that they stay there. */
  zoom({factor = 1, move = 0}) {
    const [since, until] = this.shown;
    const inside = this.runs.map((run) => Date.parse(run.started_at)).filter((at) => at >= since && at <= until);
    const at = inside.length ? inside.reduce((sum, one) => sum + one, 0) / inside.length : undefined;
    this.show(zoomed(this.shown, this.whole, {factor, at, move}));
  }

  press(event) {
    const wanted = KEYS[event.key];
    if (!wanted || event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (wanted.zoom) this.zoom({factor: wanted.zoom});
    else if (wanted.move) this.zoom({move: wanted.move});
    else this.show(null);
  }

  begin(event) {
    if (event.button !== 0 || event.pointerType === 'touch' || event.target.closest('a')) return;
    const box = event.currentTarget.getBoundingClientRect();
    this.start = {x: event.clientX - box.left, width: box.width};
    event.currentTarget.setPointerCapture(event.pointerId);
  }

  stretch(event) {
    if (!this.start) return;
    const {x, width} = this.start;
    const to = Math.min(width, Math.max(0, event.clientX - event.currentTarget.getBoundingClientRect().left));
    if (Math.abs(to - x) < DRAG_PX && !this.drag) return;
    this.drag = [Math.min(x, to) / width, Math.max(x, to) / width];
    this.changed({still: true});
  }

  end() {
    const {drag, shown} = this;
    this.start = this.drag = null;
    if (!drag) return;
    const at = (share) => shown[0] + share * (shown[1] - shown[0]);
    if (drag[1] - drag[0] > 0.005) this.show(zoomed([at(drag[0]), at(drag[1])], this.whole, {}));
    else this.changed({still: true});
  }

  forget() {
    this.start = this.drag = null;
    this.changed({still: true});
  }

  brushed() {
    return {left: `${this.drag[0] * 100}%`, width: `${(this.drag[1] - this.drag[0]) * 100}%`};
  }
}

/** What a run is for: its asset, or what was selected. */
function subject(run) {
  if (run.asset_count === 1) return run.assets[0];
  const chosen = run.selection.map((text) => text.replace(/^key:"([^"]*)"$/, '$1'));
  if (!chosen.length) return plural(run.asset_count, 'asset');
  return chosen.includes('*') ? 'All assets' : chosen.join(', ');
}

/** Runs by what they are for, the latest first, in rows so that none overlap. */
function inLanes(runs, since, until, width) {
  const found = new Map();
  const begun = [...runs].sort((a, b) => a.started_at.localeCompare(b.started_at));
  const least = ((until - since) * (LEAST_PX + 1)) / width;
  for (const run of begun) {
    const from = Date.parse(run.started_at);
    const to = run.ended_at ? Date.parse(run.ended_at) : run.status === 'STARTED' ? Date.now() : from;
    if (to < since || from > until) continue;
    const name = subject(run);
    if (!found.has(name)) found.set(name, {name, bars: [], latest: 0});
    const lane = found.get(name);
    lane.latest = from;
    const left = Math.min(1 - LEAST_PX / width, Math.max(0, (from - since) / (until - since)));
    lane.bars.push({run, from, to: Math.max(to, from + least), left, width: Math.max(0, (Math.min(to, until) - since) / (until - since) - left)});
  }
  const sorted = [...found.values()].sort((a, b) => b.latest - a.latest);
  const rest = sorted.slice(MOST_LANES - 1);
  const lanes = rest.length > 1 ? [...sorted.slice(0, MOST_LANES - 1), {name: `${rest.length} others`, bars: rest.flatMap((lane) => lane.bars)}] : sorted;
  return stacked(lanes);
}

function stacked(lanes) {
  let top = 6;
  let hidden = 0;
  for (const lane of lanes) {
    lane.rows = [];
    const ends = [];
    for (const bar of lane.bars.sort((a, b) => a.from - b.from)) {
      const free = ends.findIndex((end) => end <= bar.from);
      const row = free < 0 ? ends.length : free;
      if (row >= MOST_ROWS) {
        hidden += 1;
        continue;
      }
      ends[row] = bar.to;
      (lane.rows[row] ??= []).push(bar);
    }
    lane.top = top;
    top += lane.rows.length * ROW + 12;
  }
  return {lanes, hidden};
}

function laneLabel(lane, at) {
  return h('div', {class: 'lanes-label cut', style: {top: `${lane.top}px`}, title: lane.name, dir: 'auto', key: `label-${at}`}, lane.name);
}

function none(range, hours) {
  if (range) return 'No run at this time.';
  return `No run in the last ${hours === 1 ? 'hour' : `${hours} hours`}.`;
}

function runBar({run, left, width}, top) {
  const name = run.asset_count === 1 ? run.assets[0] : plural(run.asset_count, 'asset');
  const spent = run.duration_s === null ? '' : ` in ${duration(run.duration_s)}`;
  const failed = run.failed_steps.length && run.asset_count > 1 ? `, ${run.failed_steps.length} of them failed` : '';
  const text = `${name}: ${word(run.status)}${spent}${failed}, ${hourAndMinute(new Date(run.started_at))}`;
  return h(
    'a',
    {
      class: 'run-bar',
      href: runPage(run.run_id),
      title: text,
      'aria-label': text,
      draggable: 'false',
      data: {state: tone(run.status), status: run.status},
      style: {left: `${left * 100}%`, width: `${width * 100}%`, top: `${top}px`},
      key: run.run_id,
    },
    width > 0.08 && run.duration_s !== null ? h('span', {class: 'cut'}, duration(run.duration_s)) : null,
  );
}
