// The keys of a graph: arrows follow its edges, Enter opens a card, and others zoom.

const ARROWS = new Set(['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown']);
const STEP = 1.35;

/** Listens on a graph. `hands` has scene() and selected(), the ids that are; choose(ids) and open(id). */
export function listenToKeys(graph, {scene, selected, choose, open}) {
  graph.element.addEventListener('keydown', (event) => {
    const id = [...selected()].at(-1);
    if (ARROWS.has(event.key)) {
      event.preventDefault();
      const next = id ? scene().towards(id, event.key) : scene().nodes.values().next().value;
      if (next) choose([next.id]);
    } else if (event.key === 'Enter' && id) {
      open(id);
    } else if (event.key === '+' || event.key === '=') {
      graph.zoomBy(STEP);
    } else if (event.key === '-') {
      graph.zoomBy(1 / STEP);
    } else if (event.key === '0') {
      graph.fit();
    }
  });
}
