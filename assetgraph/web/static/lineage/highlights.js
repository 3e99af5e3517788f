// Which cards and edges are highlighted: the selection, its neighbours, and search results.

export class Marked {
  constructor() {
    this.selected = new Set();
    this.related = null;
    this.found = null;
  }

  get dims() {
    return this.related !== null;
  }

  select(scene, ids) {
    this.selected = new Set(ids.filter((id) => scene.nodes.has(id)));
    this.related = null;
    if (!this.selected.size) return;
    this.up = scene.reach(this.selected, scene.parents);
    this.down = scene.reach(this.selected, scene.children);
    this.related = new Set([...this.up, ...this.down]);
  }

  isSelected(id) {
    return this.selected.has(id);
  }

  isDim(id) {
    return this.found !== null && !this.found.has(id);
  }

  isLit({from, to}) {
    return this.related !== null && ((this.up.has(from) && this.up.has(to)) || (this.down.has(from) && this.down.has(to)));
  }
}
