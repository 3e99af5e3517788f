// The graph to draw: cards with their places and states, edges with their routes.

import {mainReason} from '../failed_state.js';

const FRAME_HEAD = 40;

export class Scene {
  constructor(answer) {
    const [cardWidth, cardHeight] = answer.card;
    const [groupWidth, groupHeight] = answer.group_card;
    this.nodes = new Map();
    for (const node of answer.nodes) {
      node.width = node.collapsed ? groupWidth : cardWidth;
      node.height = node.collapsed ? groupHeight : cardHeight;
      if (node.collapsed) node.counts = counted(node.member_states);
      this.nodes.set(node.id, node);
    }
    this.edges = answer.edges.map((edge) => ({...edge, ...bounds(edge.points)}));
    this.groups = answer.groups;
    this.frames = answer.frames;
    this.assetCount = answer.asset_count;
    this.width = answer.width;
    this.height = answer.height;
    this.parents = neighbours(answer.edges, 'to', 'from');
    this.children = neighbours(answer.edges, 'from', 'to');
    this.drawnAs = new Map();
    for (const node of this.nodes.values()) {
      for (const key of node.collapsed ? Object.keys(node.member_states) : [node.key]) this.drawnAs.set(key, node);
    }
  }

  /** Applies an asset's new row. Returns the card that shows the asset, if there is one. */
  update(row) {
    const node = this.drawnAs.get(row.key);
    if (!node) return null;
    if (node.collapsed) {
      node.member_states[row.key] = row.state;
      node.counts = counted(node.member_states);
    } else {
      node.state = row.state;
      if (row.state !== 'running') node.progress = null;
      node.reason = mainReason(row)?.text ?? null;
      node.damage = row.damage;
      node.warning = row.warning;
      node.checks = row.checks;
      node.last = row.materialization;
      node.external = row.external;
      node.failure = row.failure;
      node.running_run_id = row.running_run_id;
    }
    return node;
  }

  /** Applies a running asset's progress. Returns the card that shows the asset, if there is one. */
  report(key, progress) {
    const node = this.drawnAs.get(key);
    if (!node || node.collapsed) return null;
    node.progress = progress;
    return node;
  }

  /** The box around some cards, or around the whole graph. */
  box(ids = null) {
    const boxes = (ids ?? []).map((id) => this.nodes.get(id)).filter(Boolean);
    if (!boxes.length) return {x: 0, y: 0, width: this.width, height: this.height};
    const x = Math.min(...boxes.map((node) => node.x));
    const y = Math.min(...boxes.map((node) => node.y));
    return {
      x,
      y,
      width: Math.max(...boxes.map((node) => node.x + node.width)) - x,
      height: Math.max(...boxes.map((node) => node.y + node.height)) - y,
    };
  }

  visible({left, top, right, bottom}) {
    const found = [];
    for (const node of this.nodes.values()) {
      if (node.x < right && node.x + node.width > left && node.y < bottom && node.y + node.height > top) found.push(node);
    }
    return found;
  }

  /** The place of the view of this size, from the left edge of a card, that holds the most cards
   * whole: its corner and their number. */
  fullest(width, height) {
    let best = {x: 0, y: 0, count: 0};
    const byHeight = [...this.nodes.values()].sort((a, b) => a.y - b.y);
    for (const x of new Set(byHeight.map((node) => node.x))) {
      const within = byHeight.filter((node) => node.x >= x && node.x + node.width <= x + width);
      let first = 0;
      within.forEach((node, last) => {
        while (node.y + node.height > within[first].y + height && first < last) first += 1;
        const count = last - first + 1;
        if (count > best.count || (count === best.count && x < best.x)) best = {x, y: within[first].y, count};
      });
    }
    return best;
  }

  at(x, y) {
    for (const node of this.nodes.values()) {
      if (x >= node.x && x <= node.x + node.width && y >= node.y && y <= node.y + node.height) return node;
    }
    return null;
  }

  /** The opened group whose name is at a point. */
  frameAt(x, y) {
    return this.frames.find((frame) => x >= frame.x && x <= frame.x + frame.width && y >= frame.y && y <= frame.y + FRAME_HEAD) ?? null;
  }

  /** All ids that can be reached from `ids` through `near`, including `ids`. */
  reach(ids, near) {
    const found = new Set(ids);
    const waiting = [...ids];
    while (waiting.length) {
      for (const id of near.get(waiting.pop()) ?? []) {
        if (!found.has(id)) {
          found.add(id);
          waiting.push(id);
        }
      }
    }
    return found;
  }

  /** The card that an arrow key leads to: along an edge, or up or down in a column. */
  towards(id, key) {
    const from = this.nodes.get(id);
    if (!from) return null;
    if (key === 'ArrowLeft' || key === 'ArrowRight') {
      const near = (key === 'ArrowLeft' ? this.parents : this.children).get(id) ?? [];
      return nearest(near.map((other) => this.nodes.get(other)), from);
    }
    const down = key === 'ArrowDown';
    const beside = [...this.nodes.values()].filter((node) => (down ? node.y > from.y : node.y < from.y) && Math.abs(node.x - from.x) < from.width);
    return nearest(beside, from);
  }
}

/** The most important state among the assets of a collapsed group. */
export function groupState(counts) {
  return ['running', 'failed', 'stale', 'missing', 'fresh'].find((state) => counts[state]) ?? 'missing';
}

function nearest(nodes, from) {
  const distance = (node) => Math.hypot(node.x - from.x, node.y - from.y);
  return nodes.reduce((best, node) => (!best || distance(node) < distance(best) ? node : best), null);
}

function counted(states) {
  const counts = {};
  for (const state of Object.values(states)) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function neighbours(edges, of, to) {
  const found = new Map();
  for (const edge of edges) {
    if (!found.has(edge[of])) found.set(edge[of], []);
    found.get(edge[of]).push(edge[to]);
  }
  return found;
}

function bounds(points) {
  let [left, top] = points[0] ?? [0, 0];
  let [right, bottom] = [left, top];
  for (const [x, y] of points) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  return {left, top, right, bottom};
}
