// The view of the graph: a canvas with cards above it, both moved by one camera.

import {h, icon, patch} from '../dom.js';
import {Camera, EDGE} from './camera.js';
import {card} from './cards.js';
import {listen} from './gestures.js';
import {CARDS_FROM, Painter, READABLE_FROM} from './painter.js';

const SETTLE_MS = 90;
const STEP = 1.35;
const SMALL = 40; // cards
const NEARLY_FULL = 0.8; // the least zoom at which a small graph is shown whole rather than at its full size
const MUCH_MORE = 2; // times as many cards
const TOOLS_PX = 34; // below the graph
const CARD_MARGIN = 200;
const GRID_FROM = 0.5; // the zoom below which there is no grid
const GRID_FADES = 0.4;

export class Graph {
  /** `embedded`, it is a part of a page that scrolls, and takes the wheel only once it has the focus. */
  constructor({marked, choose, open, fold, embedded = false, label = 'Lineage. Arrow keys follow the edges from the selected asset; the list beside the graph has every asset.'}) {
    this.marked = marked;
    this.camera = new Camera();
    this.painted = null;
    this.scene = null;
    this.waiting = false;
    this.settling = 0;
    this.awaited = null; // the card to reveal
    this.followed = null; // the card that stays in sight when the window changes
    this.opened = null; // the opened group that is shown until the user moves the camera
    this.readable = false; // whether only a part is shown rather than too small a picture
    this.whole = true; // show everything until the user moves the camera
    this.cards = h('div', {class: 'graph-cards'});
    this.canvas = h('canvas', {class: 'graph-canvas', 'aria-hidden': 'true'});
    this.grid = h('div', {class: 'graph-grid', 'aria-hidden': 'true'});
    this.element = h(
      'div',
      {class: 'graph', tabindex: '0', role: 'group', 'aria-roledescription': 'graph', 'aria-label': label, data: {embedded: embedded ? '' : null}},
      this.grid,
      this.canvas,
      this.cards,
      this.tools(),
    );
    listen(this.element, {
      pan: (dx, dy) => this.move(() => this.camera.pan(dx, dy)),
      zoom: (factor, x, y) => this.move(() => this.camera.zoomAt(factor, x, y)),
      choose,
      open,
      fold: (x, y) => {
        const frame = this.scene?.frameAt(...this.pointAt(x, y));
        if (frame) fold(frame.group);
      },
      idAt: (x, y) => this.idAt(x, y),
      leavesWheel: () => embedded && !this.element.contains(document.activeElement),
    });
    new ResizeObserver(() => this.resize()).observe(this.element);
    document.addEventListener('themechange', () => {
      this.painter.readColours();
      this.renew();
    });
  }

  /** Shows another scene. */
  show(scene) {
    this.scene = scene;
    this.renew();
  }

  /** Shows everything, or the beginning of a graph that would then be too small to read. */
  begin() {
    this.fit();
    this.readable = !this.marked.selected.size;
  }

  fit() {
    this.whole = true;
    this.readable = false;
    this.followed = this.opened = null;
    this.renew();
  }

  /** Shows an opened group, from its beginning if it is too large. */
  showFrame(group) {
    const frame = this.scene.frames.find((one) => one.group === group);
    if (!frame || !this.width) return this.begin();
    this.whole = false;
    this.followed = null;
    this.opened = group;
    this.camera.fit(frame, this.width, this.height - TOOLS_PX, {least: READABLE_FROM});
    this.renew();
  }

  reveal(id) {
    if (!this.width) this.awaited = id; // the window has no size yet
    const node = this.scene.nodes.get(id);
    if (!node || !this.width) return;
    this.whole = false; // the panel that opens must not change the zoom
    this.followed = id;
    this.opened = null;
    const seen = this.scene.visible(this.camera.view(this.width, this.height)).includes(node);
    if (this.camera.zoom < (seen ? READABLE_FROM : CARDS_FROM)) this.camera.fit(node, this.width, this.height, {most: 0.9});
    else this.camera.reveal(node, this.width, this.height);
    this.renew();
  }

  /** Repaints one card whose state changed. */
  touch(node) {
    if (!this.painted || !node) return;
    if (this.camera.zoom < CARDS_FROM) this.painter.paintBox(node);
    else this.later();
  }

  /** Repaints everything. */
  renew() {
    this.painted = null;
    this.later();
  }

  move(change) {
    this.whole = false;
    this.followed = this.opened = null;
    change();
    this.later();
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  resize() {
    this.painter ??= new Painter(this.canvas);
    this.width = this.element.clientWidth;
    this.height = this.element.clientHeight;
    if (!this.width || !this.height) return;
    this.painter.resize(this.width, this.height, Math.round(Math.min(this.width, this.height) * 0.4));
    this.painted = null;
    const followed = this.scene?.nodes.get(this.followed);
    if (followed) this.camera.reveal(followed, this.width, this.height);
    if (this.opened !== null) this.showFrame(this.opened);
    this.draw();
  }

  /** The zoom for a small graph that is higher than the window: less than its full size if that
   * keeps the last column from being cut. */
  fullSize() {
    const wide = (this.width - 2 * EDGE) / Math.max(this.scene.box().width, 1);
    return wide < NEARLY_FULL ? 1 : Math.min(1, wide);
  }

  /** Of a graph that is seen in part, moves from its beginning to where far more of it is seen. */
  leaveEmptyPart(high) {
    const {camera, scene} = this;
    const view = camera.view(this.width, high);
    const whole = (node) => node.x >= view.left && node.x + node.width <= view.right && node.y >= view.top && node.y + node.height <= view.bottom;
    const seen = [...scene.nodes.values()].filter(whole).length;
    const best = scene.fullest((this.width - 2 * EDGE) / camera.zoom, (high - 2 * EDGE) / camera.zoom);
    if (best.count < MUCH_MORE * seen || best.count < seen + 2) return;
    camera.x = EDGE - best.x * camera.zoom;
    camera.y = EDGE - best.y * camera.zoom;
  }

  draw() {
    if (!this.scene || !this.width) return;
    if (this.whole && !this.painted) {
      const high = this.height - TOOLS_PX;
      this.camera.fit(this.scene.box(), this.width, high);
      // A graph that nearly fits is shown whole, or its last card would be cut.
      const small = this.scene.nodes.size <= SMALL;
      if (this.readable && this.camera.zoom < (small ? NEARLY_FULL : READABLE_FROM)) {
        this.camera.fit(this.scene.box(), this.width, high, {least: small ? this.fullSize() : READABLE_FROM});
        this.leaveEmptyPart(high);
      }
    }
    const {camera, awaited} = this;
    if (awaited) {
      this.awaited = null;
      this.reveal(awaited);
    }
    if (this.mustPaint()) this.paint();
    else this.placeCanvas();
    this.grid.style.opacity = Math.min(1, Math.max(0, (camera.zoom - GRID_FROM) / GRID_FADES));
    this.grid.style.backgroundPosition = `${camera.x}px ${camera.y}px`;
    this.grid.style.backgroundSize = `${24 * camera.zoom}px ${24 * camera.zoom}px`;
    this.cards.style.transform = `translate(${camera.x}px, ${camera.y}px) scale(${camera.zoom})`;
    this.drawCards();
  }

  mustPaint() {
    if (!this.painted) return true;
    const scale = this.camera.zoom / this.painted.zoom;
    if (scale > 1.8 || scale < 0.6) return true;
    if ((this.camera.zoom < CARDS_FROM) !== (this.painted.zoom < CARDS_FROM)) return true;
    const {beyond} = this.painter;
    const left = this.camera.x - this.painted.x * scale - beyond * scale;
    const top = this.camera.y - this.painted.y * scale - beyond * scale;
    return left > 0 || top > 0 || left + (this.width + 2 * beyond) * scale < this.width || top + (this.height + 2 * beyond) * scale < this.height;
  }

  paint() {
    clearTimeout(this.settling);
    this.painted = this.camera.copy();
    this.painter.paint(this.scene, this.painted, this.marked, this.camera.view(this.width, this.height, this.painter.beyond));
    this.canvas.style.transform = '';
  }

  /** Moves and scales the painted picture until the user stops moving. */
  placeCanvas() {
    const scale = this.camera.zoom / this.painted.zoom;
    const {beyond} = this.painter;
    const x = this.camera.x - this.painted.x * scale + beyond * (1 - scale);
    const y = this.camera.y - this.painted.y * scale + beyond * (1 - scale);
    this.canvas.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    if (scale === 1) return;
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.renew(), SETTLE_MS);
  }

  drawCards() {
    const readable = this.camera.zoom >= CARDS_FROM;
    const nodes = readable ? this.scene.visible(this.camera.view(this.width, this.height, CARD_MARGIN)) : [];
    patch(this.cards, nodes.map((node) => card(node, this.marked)));
  }

  idAt(x, y) {
    return this.scene?.at(...this.pointAt(x, y))?.id ?? null;
  }

  /** The point of the graph at a point of the window. */
  pointAt(x, y) {
    const {camera} = this;
    return [(x - camera.x) / camera.zoom, (y - camera.y) / camera.zoom];
  }

  zoomBy(factor) {
    this.move(() => this.camera.zoomAt(factor, this.width / 2, this.height / 2));
  }

  tools() {
    const tool = (name, text, act) => h('button', {class: 'tool', type: 'button', title: text, 'aria-label': text, onclick: act}, icon(name));
    return h(
      'div',
      {class: 'graph-tools', role: 'group', 'aria-label': 'Zoom'},
      tool('plus', 'Zoom in (+)', () => this.zoomBy(STEP)),
      tool('minus', 'Zoom out (−)', () => this.zoomBy(1 / STEP)),
      tool('fit', 'Fit everything (0)', () => this.fit()),
    );
  }
}
