// Turns mouse, touch and wheel input into camera moves and selected cards.

const STILL_PX = 4;
const WHEEL = 0.0016;
const PINCH = 0.012;

/** Listens on `element`. `hands` has pan(dx, dy), zoom(factor, x, y), choose(id, adding), open(id),
 * fold(x, y), idAt(x, y), which returns the id of the card at a point of the element, and
 * leavesWheel(), whether the wheel scrolls the page instead. */
export function listen(element, hands) {
  const fingers = new Map();
  let start = null;
  let spread = 0;

  element.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || event.target.closest('a, button, .graph-tools')) return;
    fingers.set(event.pointerId, place(event));
    element.setPointerCapture(event.pointerId);
    start = fingers.size === 1 ? {...place(event), moved: false} : null;
    spread = distance(fingers);
  });

  element.addEventListener('pointermove', (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    fingers.set(event.pointerId, now);
    if (fingers.size === 2) {
      pinch();
    } else if (start && (start.moved || Math.hypot(now.x - start.x, now.y - start.y) > STILL_PX)) {
      start.moved = true;
      element.classList.add('grabbing');
      hands.pan(now.x - before.x, now.y - before.y);
    }
  });

  function pinch() {
    const wide = distance(fingers);
    const [a, b] = [...fingers.values()];
    if (spread > 0) hands.zoom(wide / spread, (a.x + b.x) / 2, (a.y + b.y) / 2);
    spread = wide;
  }

  function end(event) {
    const known = fingers.delete(event.pointerId);
    element.classList.remove('grabbing');
    if (known && start && !start.moved && event.type === 'pointerup') {
      hands.choose(hands.idAt(start.x, start.y), event.shiftKey || event.ctrlKey || event.metaKey);
    }
    start = null;
  }

  element.addEventListener('pointerup', end);
  element.addEventListener('pointercancel', end);

  element.addEventListener('dblclick', (event) => {
    if (event.target.closest('a, button, .graph-tools')) return;
    const {x, y} = place(event);
    const id = hands.idAt(x, y);
    if (id) hands.open(id);
    else hands.fold(x, y);
  });

  element.addEventListener(
    'wheel',
    (event) => {
      if (hands.leavesWheel() && !event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      const {x, y} = place(event);
      if (event.ctrlKey || event.metaKey) hands.zoom(Math.exp(-event.deltaY * PINCH), x, y);
      else if (isMouseWheel(event)) hands.zoom(Math.exp(-event.deltaY * WHEEL * (event.deltaMode ? 30 : 1)), x, y);
      else hands.pan(-event.deltaX, -event.deltaY);
    },
    {passive: false},
  );

  function place(event) {
    const box = element.getBoundingClientRect();
    return {x: event.clientX - box.left, y: event.clientY - box.top};
  }
}

/** A wheel scrolls in large steps along one axis; a touchpad scrolls freely. */
function isMouseWheel(event) {
  return event.deltaMode !== 0 || (event.deltaX === 0 && Math.abs(event.deltaY) >= 40 && !event.shiftKey);
}

function distance(fingers) {
  if (fingers.size < 2) return 0;
  const [a, b] = [...fingers.values()];
  return Math.hypot(a.x - b.x, a.y - b.y);
}
