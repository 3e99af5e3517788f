// All partitions in one thin strip, with a frame around what is in view. It is there while the bar
// is zoomed; a click or a drag moves the frame.

import {h} from '../dom.js';
import {penOf} from './looks.js';
import {paintStrip} from './strip.js';

export class Overview {
  /** `show(first, end)` brings these partitions into view. */
  constructor(show) {
    this.show = show;
    this.canvas = h('canvas', {class: 'partition-map-picture'});
    this.frame = h('div', {class: 'partition-map-view'});
    this.element = h('div', {class: 'partition-map', hidden: true, 'aria-hidden': 'true', onpointerdown: (event) => this.grab(event), onpointermove: (event) => this.drag(event)}, this.canvas, this.frame);
  }

  draw({rows, count}, scale) {
    this.scale = scale;
    this.element.hidden = scale.isWhole;
    if (scale.isWhole) return;
    const {clientWidth: width, clientHeight: height} = this.element;
    const pen = penOf(this.canvas, width, height);
    const high = height / rows.length;
    rows.forEach((row, index) => paintStrip(pen, row.cells, {at: (number) => (number / count) * width, top: index * high, height: high, from: 0, until: count}));
    this.frame.style.left = `${(scale.first / count) * 100}%`;
    this.frame.style.width = `${((scale.end - scale.first) / count) * 100}%`;
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
    const box = this.element.getBoundingClientRect();
    const middle = ((event.clientX - box.left) / box.width) * this.scale.count;
    const half = (this.scale.end - this.scale.first) / 2;
    this.show(middle - half, middle + half);
  }
}
