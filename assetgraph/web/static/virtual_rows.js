// A long list of rows of the same height. Only the rows in view are drawn.

import {h, kept, patch} from './dom.js';

const BEYOND = 10;

export class VirtualRows {
  /** `draw(index)` returns a row, `seen(first, last)` is told which rows come into view, and `role`
   * is the ARIA role of the element around the rows. */
  constructor({height, draw, seen = null, role = 'rowgroup'}) {
    this.height = height;
    this.draw = draw;
    this.seen = seen;
    this.count = 0;
    this.window = h('div', {class: 'virtual-window', role});
    this.element = h('div', {class: 'virtual', role: 'presentation'}, this.window);
    this.waiting = false;
    const moved = () => this.later();
    document.addEventListener('scroll', moved, {capture: true, passive: true});
    window.addEventListener('resize', moved, {passive: true});
  }

  /** The element to put on the page where the rows belong. */
  place(key) {
    this.later();
    return kept(this.element, key);
  }

  update(count, height = this.height) {
    this.count = count;
    this.height = height;
    this.element.style.height = `${count * height}px`;
    this.later();
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      if (this.element.isConnected) this.show();
    });
  }

  /** The range of rows in view, and some rows beyond it. */
  range() {
    const scroller = this.element.closest('[data-scroller]');
    const view = scroller?.getBoundingClientRect() ?? {top: 0, bottom: innerHeight};
    const top = view.top - this.element.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / this.height) - BEYOND);
    const last = Math.min(this.count, Math.ceil((top + view.bottom - view.top) / this.height) + BEYOND);
    return [Math.min(first, this.count), Math.max(first, last)];
  }

  show() {
    const [first, last] = this.range();
    this.seen?.(first, last);
    const rows = [];
    for (let index = first; index < last; index += 1) rows.push(this.draw(index));
    this.window.style.transform = `translateY(${first * this.height}px)`;
    patch(this.window, rows);
  }

  scrollTo(index) {
    const scroller = this.element.closest('[data-scroller]') ?? document.scrollingElement;
    scroller.scrollTop = index * this.height;
  }
}
