// The position of the window over the graph. A point of the graph is on screen at
// `point * zoom + offset`.

export const EDGE = 28; // the margin around the graph
const LEAST_ZOOM = 0.02;
const MOST_ZOOM = 2;

export class Camera {
  constructor() {
    this.x = 0;
    this.y = 0;
    this.zoom = 1;
  }

  pan(dx, dy) {
    this.x += dx;
    this.y += dy;
  }

  /** Zooms by a factor around a point on the screen. */
  zoomAt(factor, x, y) {
    const zoom = Math.min(MOST_ZOOM, Math.max(LEAST_ZOOM, this.zoom * factor));
    this.x = x - ((x - this.x) / this.zoom) * zoom;
    this.y = y - ((y - this.y) / this.zoom) * zoom;
    this.zoom = zoom;
  }

  /** Fits a box of the graph into the window, with a margin. Of a box that is too large at the
   * `least` zoom, it shows the beginning. */
  fit(box, width, height, {edge = EDGE, most = 1, least = LEAST_ZOOM} = {}) {
    const zoom = Math.min((width - 2 * edge) / Math.max(box.width, 1), (height - 2 * edge) / Math.max(box.height, 1), most);
    this.zoom = Math.min(MOST_ZOOM, Math.max(least, zoom));
    this.x = Math.max(edge, (width - box.width * this.zoom) / 2) - box.x * this.zoom;
    this.y = Math.max(edge, (height - box.height * this.zoom) / 2) - box.y * this.zoom;
  }

  /** Moves just enough to bring a box into the window. */
  reveal(box, width, height, edge = EDGE) {
    const left = box.x * this.zoom + this.x;
    const top = box.y * this.zoom + this.y;
    this.x += shift(left, left + box.width * this.zoom, width, edge);
    this.y += shift(top, top + box.height * this.zoom, height, edge);
  }

  /** The part of the graph in the window, and `beyond` pixels around it. */
  view(width, height, beyond = 0) {
    return {
      left: (-beyond - this.x) / this.zoom,
      top: (-beyond - this.y) / this.zoom,
      right: (width + beyond - this.x) / this.zoom,
      bottom: (height + beyond - this.y) / this.zoom,
    };
  }

  copy() {
    return Object.assign(new Camera(), this);
  }
}

function shift(begin, end, size, edge) {
  if (begin < edge) return edge - begin;
  if (end > size - edge) return Math.max(size - edge - end, edge - begin);
  return 0;
}
