// The steps of a run as bars, placed by time, as a waterfall without idle time, or by depth in the
// graph.

import {h, icon, kept, patch} from './dom.js';
import {keyText} from './key_text.js';
import {duration, plural} from './format.js';
import {percent as progressShare} from './progress.js';
import {spentText, stepGlyph, tone, word} from './states.js';
import {TimelineMap} from './timeline_map.js';
import {VirtualRows} from './virtual_rows.js';

const ROW = 28;
const MODES = [['time', 'Time'], ['waterfall', 'Waterfall'], ['depth', 'Depth']];
const TICKS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];
const MOST_ZOOM = 64;
const IN_SIGHT = 16; // rows: of more, the failed come first, and a map shows them all
const FIRST = ['failure', 'interrupted', 'running'];
const narrow = matchMedia('(max-width: 760px)');
const LEAST_WAIT = 0.01; // as a share of the whole length: a shorter wait cannot be seen
const ENDED = new Set(['success', 'failure', 'canceled', 'skipped', 'unchanged', 'interrupted']);

export class Timeline {
  constructor(chosen) {
    this.chosen = chosen;
    this.mode = 'time';
    this.zoom = 1;
    this.text = '';
    this.startedOnly = false;
    this.steps = [];
    this.bars = [];
    this.rows = new VirtualRows({height: ROW, draw: (index) => this.row(this.bars[index]), role: null});
    this.map = new TimelineMap(() => this.element.querySelector('.timeline-scroll'), () => this.rows.element);
    this.element = h('section', {class: 'card timeline', 'aria-labelledby': 'timeline-title'});
  }

  update(run, selected) {
    this.run = run;
    this.steps = run.steps;
    this.selected = selected;
    this.draw();
  }

  place() {
    return kept(this.element, 'timeline');
  }

  draw() {
    const now = this.run.status === 'STARTED' ? Date.now() : null;
    this.scale = placed(this.run, this.mode, now);
    const text = this.text.toLowerCase();
    this.bars = this.scale.bars.filter(({step}) => step.step.toLowerCase().includes(text) && (!this.startedOnly || step.started_at));
    if (this.bars.length > IN_SIGHT) this.bars = wantedFirst(this.bars);
    this.rows.update(this.bars.length);
    patch(this.element, this.head(), this.bars.length > IN_SIGHT ? this.whole() : null, this.body());
  }

  head() {
    return h(
      'div',
      {class: 'card-head wrap', key: 'head'},
      h('h2', {id: 'timeline-title'}, 'Timeline'),
      h(
        'div',
        {class: 'search timeline-search'},
        icon('search'),
        h('input', {class: 'field', type: 'search', placeholder: 'Filter steps', 'aria-label': 'Filter the steps of the timeline', value: this.text, oninput: (event) => this.set({text: event.target.value})}),
      ),
      h(
        'label',
        {class: 'row small muted'},
        h('input', {type: 'checkbox', checked: this.startedOnly, onchange: (event) => this.set({startedOnly: event.target.checked})}),
        'Started only',
      ),
      h(
        'div',
        {class: 'switch', role: 'group', 'aria-label': 'Placement of the bars'},
        MODES.map(([mode, text]) => h('button', {type: 'button', 'aria-pressed': String(this.mode === mode), onclick: () => this.set({mode, zoom: 1})}, text)),
      ),
      h(
        'div',
        {class: 'row timeline-zoom'},
        h('button', {class: 'tool', type: 'button', 'aria-label': 'Zoom out', disabled: this.zoom <= 1, onclick: () => this.set({zoom: Math.max(1, this.zoom / 2)})}, icon('minus')),
        h('button', {class: 'tool', type: 'button', 'aria-label': 'Zoom in', disabled: this.zoom >= MOST_ZOOM, onclick: () => this.set({zoom: Math.min(MOST_ZOOM, this.zoom * 2)})}, icon('plus')),
      ),
    );
  }

  set(change) {
    Object.assign(this, change);
    this.draw();
  }

  /** All steps in one small picture. */
  whole() {
    const failed = this.bars.filter(({step}) => step.state === 'failure').length;
    return h(
      'div',
      {class: 'timeline-map', key: 'whole'},
      h('div', {class: 'timeline-label timeline-map-label'}, h('span', {}, this.run.step_count > this.steps.length ? `${this.bars.length.toLocaleString('en')} of ${plural(this.run.step_count, 'step')}` : plural(this.bars.length, 'step')), failed ? h('span', {class: 'timeline-map-failed'}, `${failed} failed, shown first`) : null),
      this.map.place(this.scale, this.bars),
    );
  }

  body() {
    if (!this.bars.length) return h('div', {class: 'empty', key: 'empty'}, this.text ? 'No step matches.' : 'No step has started yet.');
    return h(
      'div',
      {class: 'timeline-scroll', 'data-scroller': '', key: 'scroll', tabindex: '0', role: 'group', 'aria-label': 'Steps as bars'},
      h('div', {class: 'timeline-inner', style: {width: `${this.zoom * 100}%`}}, this.axis(), this.rows.place('bars')),
    );
  }

  axis() {
    if (this.mode === 'depth') return null;
    const {length} = this.scale;
    const most = narrow.matches ? 3 : 8;
    const every = TICKS.find((tick) => length / tick <= most * this.zoom) ?? length / most;
    const marks = [];
    for (let at = 0; at <= length * 1.0001 && marks.length < 600; at += every) marks.push(at);
    return h(
      'div',
      {class: 'timeline-axis', 'aria-hidden': 'true', key: 'axis'},
      h('div', {class: 'timeline-label'}),
      h('div', {class: 'timeline-track'}, marks.map((at) => h('span', {class: 'timeline-tick', style: {left: `${(at / length) * 100}%`}}, at ? duration(at) : '0'))),
    );
  }

  row({step, begin, end, ready, critical}) {
    const {length} = this.scale;
    const percent = (value) => `${(value / length) * 100}%`;
    const spent = step.duration_s ?? (step.state === 'running' ? end - begin : null);
    const waited = ready !== null && begin - ready > length * LEAST_WAIT ? begin - ready : 0;
    const text = [step.step, word(step.state), spent === null ? null : spentText(step, spent), waited ? `waited ${duration(waited)}` : null, critical ? 'on the critical path' : null, step.reason];
    return h(
      'button',
      {
        class: 'timeline-row',
        type: 'button',
        key: step.step,
        'aria-pressed': String(this.selected.has(step.step)),
        title: text.filter(Boolean).join(' · '),
        onclick: (event) => this.chosen(step.step, event.shiftKey || event.ctrlKey || event.metaKey),
      },
      h('span', {class: 'timeline-label'}, stepGlyph(step.state), keyText(step.step)),
      h(
        'span',
        {class: 'timeline-track'},
        waited ? h('span', {class: 'timeline-wait', style: {left: percent(ready), width: percent(waited)}}) : null,
        begin === null
          ? h('span', {class: 'timeline-note muted'}, step.reason ?? word(step.state))
          : [
              h('span', {class: `timeline-bar ${critical ? 'critical' : ''}`, data: {state: tone(step.state), step: step.state}, style: {left: percent(begin), width: percent(end - begin)}}),
              h('span', {class: 'timeline-note', style: {left: percent(end)}}, step.state === 'running' && step.progress ? progressShare(step.progress) : spentText(step, spent)),
            ],
      ),
    );
  }
}

/** The position of each bar, in seconds (or levels) from the left. `now` is null for an ended run. */
function placed(run, mode, now) {
  const origin = Date.parse(run.started_at);
  const seconds = (iso) => (Date.parse(iso) - origin) / 1000;
  const known = new Map(run.steps.map((step) => [step.step, step]));
  const end = (step) => (step.ended_at ? seconds(step.ended_at) : now ? (now - origin) / 1000 : run.duration_s ?? seconds(step.started_at));
  const path = criticalPath(run.steps, known);
  const bars = run.steps.map((step) => {
    const started = step.started_at !== null;
    const waits = step.deps.map((key) => known.get(key)).filter((dep) => dep?.ended_at);
    return {
      step,
      begin: started ? seconds(step.started_at) : null,
      end: started ? Math.max(end(step), seconds(step.started_at)) : null,
      ready: started ? Math.max(0, ...waits.map((dep) => seconds(dep.ended_at))) : null,
      critical: path.has(step.step),
    };
  });
  if (mode === 'waterfall') asWaterfall(bars);
  if (mode === 'depth') return {bars: byDepth(bars), length: Math.max(...bars.map((bar) => bar.end), 1)};
  const length = Math.max(mode === 'time' && run.duration_s ? run.duration_s : 0, ...bars.map((bar) => bar.end ?? 0), 1e-6);
  return {bars: inOrder(bars), length: length * 1.001};
}

/** The failed steps, then what is at work, then the others: none of these is out of sight. */
function wantedFirst(bars) {
  const place = ({step}) => (FIRST.includes(step.state) ? FIRST.indexOf(step.state) : FIRST.length);
  return [...bars].sort((a, b) => place(a) - place(b));
}

function inOrder(bars) {
  return bars
    .map((bar, index) => [bar.begin ?? Infinity, index, bar])
    .sort((a, b) => (a[0] === b[0] ? a[1] - b[1] : a[0] - b[0]))
    .map(([, , bar]) => bar);
}

function asWaterfall(bars) {
  const ends = new Map();
  for (const bar of bars) {
    if (bar.begin === null) continue;
    const length = bar.end - bar.begin;
    bar.begin = Math.max(0, ...bar.step.deps.map((key) => ends.get(key) ?? 0));
    bar.end = bar.begin + length;
    bar.ready = null;
    ends.set(bar.step.step, bar.end);
  }
}

function byDepth(bars) {
  const depths = new Map();
  for (const bar of bars) {
    const depth = Math.max(0, ...bar.step.deps.map((key) => (depths.get(key) ?? -1) + 1));
    depths.set(bar.step.step, depth);
    Object.assign(bar, {begin: depth + 0.02, end: depth + 0.7, ready: null});
  }
  return bars.map((bar, index) => [bar.begin, index, bar]).sort((a, b) => a[0] - b[0] || a[1] - b[1]).map(([, , bar]) => bar);
}

/** The chain of steps that determined when the run ended. */
function criticalPath(steps, known) {
  const ended = steps.filter((step) => step.ended_at && ENDED.has(step.state));
  let at = ended.reduce((last, step) => (!last || step.ended_at > last.ended_at ? step : last), null);
  const path = new Set();
  while (at && !path.has(at.step)) {
    path.add(at.step);
    const before = at.deps.map((key) => known.get(key)).filter((step) => step?.ended_at);
    at = before.reduce((last, step) => (!last || step.ended_at > last.ended_at ? step : last), null);
  }
  return path;
}
