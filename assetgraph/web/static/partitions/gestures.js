// Turns mouse, touch, wheel and keys on the bar of partitions into what its hands do.

const WHEEL = 0.0022;
const PINCH = 0.012;
const ZOOM = 2;
const PAGE = 0.5; // of what is in view

/**
 * Listens on `stage`. `hands` has hover(x, y), leave(), begin(x, y, extending), stretch(x, y), end(),
 * zoom(factor, x), pan(pixels), and for keys step(along, rows, extending), page(share, extending),
 * edge(side, extending), whole(), choose() and forget(). `canZoom(factor)` says whether a zoom would
 * do anything: else the wheel scrolls the page.
 */
export function listen(stage, hands) {
  const place = (event) => {
    const box = stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  stage.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    hands.begin(...place(event), event.shiftKey);
  });
  stage.addEventListener('pointermove', (event) => {
    if (stage.hasPointerCapture(event.pointerId)) hands.stretch(...place(event));
    else if (event.pointerType !== 'touch') hands.hover(...place(event));
  });
  stage.addEventListener('pointerup', () => hands.end());
  stage.addEventListener('pointercancel', () => hands.end());
  stage.addEventListener('pointerleave', () => hands.leave());
  stage.addEventListener('wheel', (event) => turned(event, stage, hands, place(event)), {passive: false});
  stage.addEventListener('keydown', (event) => pressed(event, hands));
}

/** The wheel zooms with Ctrl, or once the bar has the focus: else the page scrolls on past it. */
function turned(event, stage, hands, [x]) {
  const lines = event.deltaMode ? 30 : 1;
  const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY) || event.shiftKey;
  if (sideways) {
    if (hands.pan((event.deltaX || event.deltaY) * lines)) event.preventDefault();
    return;
  }
  const pinched = event.ctrlKey || event.metaKey;
  if (!pinched && document.activeElement !== stage) return;
  const factor = Math.exp(-event.deltaY * lines * (pinched && Math.abs(event.deltaY) < 40 ? PINCH : WHEEL));
  if (pinched || hands.canZoom(factor)) {
    event.preventDefault();
    hands.zoom(factor, x);
  }
}

function pressed(event, hands) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const more = event.shiftKey;
  const acts = {
    ArrowLeft: () => hands.step(-1, 0, more),
    ArrowRight: () => hands.step(1, 0, more),
    ArrowUp: () => hands.step(0, -1, more),
    ArrowDown: () => hands.step(0, 1, more),
    PageUp: () => hands.page(-PAGE, more),
    PageDown: () => hands.page(PAGE, more),
    Home: () => hands.edge(-1, more),
    End: () => hands.edge(1, more),
    '+': () => hands.zoom(ZOOM),
    '=': () => hands.zoom(ZOOM),
    '-': () => hands.zoom(1 / ZOOM),
    0: () => hands.whole(),
    ' ': () => hands.take(),
    Enter: () => hands.choose(),
    Escape: () => hands.forget(),
  };
  const act = acts[event.key];
  if (!act) return;
  event.preventDefault();
  event.stopPropagation();
  act();
}
