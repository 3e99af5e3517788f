// The whole timeline of a run in one small picture: where the failed steps are, and which part is in
// view. A click or a drag moves the timeline there.

import {h, kept} from './dom.js';
import {tone} from './states.js';

const HEIGHT = 64;
const LEAST = {failed: 3, running: 2}; // pixels: what must be found is never thinner
const LATER = ['fresh', 'missing', 'stale', 'running', 'failed']; // what is painted over what

export class TimelineMap {
  /** `scroller()` returns the element that scrolls the rows, and `rows()` the one around them. */
  constructor(scroller, rows) {
    this.scroller = scroller;
    this.rows = rows;
    this.canvas = h('canvas', {class: 'timeline-map-picture'});
    this.view = h('div', {class: 'timeline-map-view'});
    this.element = h('div', {class: 'timeline-map-box', 'aria-hidden': 'true', onpointerdown: (event) => this.grab(event), onpointermove: (event) => this.drag(event)}, this.canvas, this.view);
    new ResizeObserver(() => this.paint()).observe(this.element);
    document.addEventListener('scroll', () => this.mark(), {capture: true, passive: true});
    document.addEventListener('themechange', () => this.paint());
  }

  place(scale, bars) {
    this.scale = scale;
    this.bars = bars;
    requestAnimationFrame(() => this.paint());
    return kept(this.element, 'map');
  }

  paint() {
    const width = this.element.clientWidth;
    if (!width || !this.bars) return;
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = HEIGHT * ratio;
    const context = this.canvas.getContext('2d');
    context.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const row = HEIGHT / this.bars.length;
    const toned = this.bars.map((bar, index) => ({bar, index, state: tone(bar.step.state)})).filter(({bar}) => bar.begin !== null);
    toned.sort((a, b) => LATER.indexOf(a.state) - LATER.indexOf(b.state));
    for (const {bar, index, state} of toned) {
      const high = Math.max(row * 0.8, LEAST[state] ?? 1);
      const wide = Math.max(((bar.end - bar.begin) / this.scale.length) * width, LEAST[state] ?? 1.5);
      context.fillStyle = style.getPropertyValue(`--${state}`).trim();
      context.fillRect(Math.min((bar.begin / this.scale.length) * width, width - wide), Math.min(index * row, HEIGHT - high), wide, high);
    }
    this.mark();
  }

  /** Marks the part that is in view. */
  mark() {
    const scroller = this.scroller();
    const height = this.rows().clientHeight;
    if (!scroller || !height) return;
    const share = (part, whole) => Math.min(1, part / whole);
    this.view.style.top = `${share(scroller.scrollTop, height) * HEIGHT}px`;
    this.view.style.height = `${Math.max(4, share(scroller.clientHeight, height) * HEIGHT)}px`;
    this.view.style.left = `${share(scroller.scrollLeft, scroller.scrollWidth) * 100}%`;
    this.view.style.width = `${share(scroller.clientWidth, scroller.scrollWidth) * 100}%`;
  }

  grab(event) {
    if (event.button !== 0) return;
    this.element.setPointerCapture(event.pointerId);
    this.moveTo(event);
  }

  drag(event) {
    if (this.element.hasPointerCapture(event.pointerId)) this.moveTo(event);
  }

  moveTo(event) {
    const scroller = this.scroller();
    const box = this.element.getBoundingClientRect();
    scroller.scrollTop = ((event.clientY - box.top) / HEIGHT) * this.rows().clientHeight - scroller.clientHeight / 2;
    scroller.scrollLeft = ((event.clientX - box.left) / box.width) * scroller.scrollWidth - scroller.clientWidth / 2;
  }
}
