// Paints the canvas: the edges, and when zoomed out the cards as boxes. The canvas is larger than the
// window, so that panning only moves it.

import {ASSET_STATES, sign} from '../states.js';
import {groupState} from './scene.js';

export const CARDS_FROM = 0.7;
export const READABLE_FROM = 0.45; // the least zoom at which the names on the boxes are readable
const NAMES_FROM = 0.2;
const TONES = ['fresh', 'running', 'stale', 'failed', 'missing'];
const SOLID_BELOW = 0.1;
const FRAME_RADIUS = 12;
const FRAME_NAME = 21; // from the top of a frame to the middle of its name
const ARROW = 6;
const CORNER = 10;
const BOX_RADIUS = 8;
const LINE = 1.25; // the height of a line of text, relative to the font size

export class Painter {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.readColours();
  }

  readColours() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    this.colours = Object.fromEntries(['surface', 'background', 'text', 'muted', 'line', 'edge', 'accent'].map((name) => [name, colour(name)]));
    for (const tone of TONES) this.colours[tone] = {line: colour(tone), tint: colour(`${tone}-tint`)};
  }

  /** Resizes the canvas to the window plus `beyond` pixels on every side. */
  resize(width, height, beyond) {
    this.ratio = Math.min(devicePixelRatio || 1, 2);
    this.beyond = beyond;
    const [wide, high] = [width + 2 * beyond, height + 2 * beyond];
    this.canvas.width = Math.round(wide * this.ratio);
    this.canvas.height = Math.round(high * this.ratio);
    this.canvas.style.width = `${wide}px`;
    this.canvas.style.height = `${high}px`;
    this.canvas.style.left = `${-beyond}px`;
    this.canvas.style.top = `${-beyond}px`;
  }

  paint(scene, camera, marked, view) {
    const {context, ratio, beyond} = this;
    this.camera = camera;
    this.marked = marked;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(ratio * camera.zoom, 0, 0, ratio * camera.zoom, ratio * (camera.x + beyond), ratio * (camera.y + beyond));
    for (const frame of scene.frames) this.paintFrame(frame);
    this.paintEdges(scene.edges, view);
    if (camera.zoom < CARDS_FROM) for (const node of scene.visible(view)) this.paintBox(node);
  }

  paintEdges(edges, view) {
    const {context, camera, colours, marked} = this;
    const seen = edges.filter((edge) => edge.left < view.right && edge.right > view.left && edge.top < view.bottom && edge.bottom > view.top);
    const lit = [];
    context.beginPath();
    for (const edge of seen) {
      if (marked.isLit(edge)) lit.push(edge);
      else trace(context, edge.points);
    }
    const thin = Math.max(1.25, 0.7 / camera.zoom);
    const dimmed = marked.dims ? 0.45 : 1;
    context.globalAlpha = (camera.zoom < SOLID_BELOW ? 0.5 : 1) * dimmed;
    context.lineWidth = thin;
    context.strokeStyle = colours.edge;
    context.stroke();
    if (camera.zoom >= NAMES_FROM) this.paintArrows(seen.filter((edge) => !marked.isLit(edge)), colours.edge);
    context.globalAlpha = 1;
    if (!lit.length) return;
    context.beginPath();
    for (const edge of lit) trace(context, edge.points);
    context.lineWidth = thin * 1.6;
    context.strokeStyle = colours.accent;
    context.stroke();
    this.paintArrows(lit, colours.accent);
  }

  /** Paints the frame around an opened group, with its name. */
  paintFrame({group, x, y, width, height}) {
    const {context, camera, colours} = this;
    context.beginPath();
    context.roundRect(x, y, width, height, FRAME_RADIUS);
    context.globalAlpha = 0.55;
    context.fillStyle = colours.surface;
    context.fill();
    context.globalAlpha = 1;
    context.lineWidth = 1 / camera.zoom;
    context.strokeStyle = colours.edge;
    context.stroke();
    if (camera.zoom < SOLID_BELOW) return;
    const size = Math.max(12.5, Math.min(26, 12 / camera.zoom));
    context.font = `600 ${size}px ui-sans-serif, system-ui, sans-serif`;
    context.textBaseline = 'middle';
    context.fillStyle = colours.muted;
    context.fillText(cutTo(context, group, width - 32), x + 16, y + FRAME_NAME);
  }

  paintArrows(edges, colour) {
    const {context} = this;
    context.beginPath();
    for (const {points} of edges) {
      const [x, y] = points.at(-1);
      context.moveTo(x, y);
      context.lineTo(x - ARROW * 1.3, y - ARROW * 0.7);
      context.lineTo(x - ARROW * 1.3, y + ARROW * 0.7);
    }
    context.fillStyle = colour;
    context.fill();
  }

  /** Paints one card as a box. It covers the old one, so that a change needs no other repaint. */
  paintBox(node) {
    const {context, camera, colours, marked} = this;
    const tone = colours[node.collapsed ? groupState(node.counts) : node.state];
    const solid = camera.zoom < SOLID_BELOW;
    context.beginPath();
    context.roundRect(node.x, node.y, node.width, node.height, BOX_RADIUS);
    context.fillStyle = colours.background;
    context.fill();
    context.globalAlpha = marked.isDim(node.id) ? 0.3 : 1;
    context.fillStyle = solid ? tone.line : node.collapsed ? colours.surface : tone.tint;
    context.fill();
    const selected = marked.isSelected(node.id);
    context.lineWidth = Math.max(1, (selected ? 2.5 : 1) / camera.zoom);
    context.strokeStyle = selected ? colours.accent : solid ? tone.line : colours.edge;
    context.stroke();
    if (camera.zoom >= NAMES_FROM) this.paintName(node, tone);
    context.globalAlpha = 1;
  }

  paintName(node, tone) {
    const {context, camera, colours} = this;
    const size = Math.min(30, 11 / camera.zoom);
    context.font = `600 ${size}px ui-sans-serif, system-ui, sans-serif`;
    context.textBaseline = 'middle';
    const left = node.x + size * (node.collapsed ? 0.8 : 1.4);
    const width = node.x + node.width - left - size * 0.5;
    const lines = inLines(context, node.collapsed ? node.group : node.key, width);
    const rows = lines.length + (node.collapsed ? 1 : 0);
    const top = node.y + node.height / 2 - ((rows - 1) * size * LINE) / 2;
    if (!node.collapsed) {
      context.fillStyle = tone.line;
      context.beginPath();
      context.arc(node.x + size * 0.8, top, size * 0.32, 0, 7);
      context.fill();
    }
    context.fillStyle = colours.text;
    lines.forEach((line, index) => context.fillText(line, left, top + index * size * LINE));
    if (node.collapsed) this.paintCounts(node, left, top + lines.length * size * LINE);
  }

  /** How many assets of a collapsed group are in each state. */
  paintCounts(node, left, middle) {
    const {context, colours} = this;
    let at = left;
    for (const state of ASSET_STATES.filter((one) => node.counts[one])) {
      const text = `${sign(state)} ${node.counts[state]}  `;
      const width = context.measureText(text).width;
      if (at + width > node.x + node.width) return;
      context.fillStyle = colours[state].line;
      context.fillText(text, at, middle);
      at += width;
    }
  }
}

function trace(context, points) {
  if (!points.length) return;
  let [x, y] = points[0];
  context.moveTo(x, y);
  for (let at = 1; at < points.length; at += 1) {
    const [nextX, nextY] = points[at];
    const after = points[at + 1];
    if (after && (nextX === x || nextX === after[0])) {
      const far = Math.abs(nextX - x) + Math.abs(nextY - y);
      const further = Math.abs(after[0] - nextX) + Math.abs(after[1] - nextY);
      context.arcTo(nextX, nextY, ...after, Math.min(CORNER, far / 2, further / 2));
    } else if (nextY === y || nextX === x) {
      context.lineTo(nextX, nextY);
    } else {
      const middle = (x + nextX) / 2;
      context.bezierCurveTo(middle, y, middle, nextY, nextX, nextY);
    }
    [x, y] = [nextX, nextY];
  }
}

const cuts = new Map();

/** A name on one line, or on two if it is too long, broken after one of its parts where possible.
 * Text that still does not fit is cut from the middle: names mostly differ at their ends. */
function inLines(context, text, width) {
  const whole = cutTo(context, text, width);
  if (whole === text) return [text];
  const begin = whole.slice(0, -1);
  const end = /^.*[/_.-]/.exec(begin)?.[0].length ?? begin.length;
  const rest = text.slice(end);
  return [text.slice(0, end), mirrored(cutTo(context, mirrored(rest), width))];
}

function mirrored(text) {
  return [...text].reverse().join('');
}

function cutTo(context, text, width) {
  const key = `${context.font} ${Math.round(width)} ${text}`;
  let known = cuts.get(key);
  if (known === undefined) {
    known = text;
    const letter = context.measureText('n').width;
    let count = Math.max(1, Math.floor(width / letter));
    while (known.length > 1 && context.measureText(known).width > width) {
      count = Math.min(count, known.length) - 1;
      known = `${text.slice(0, count)}…`;
    }
    if (cuts.size > 20_000) cuts.clear();
    cuts.set(key, known);
  }
  return known;
}
