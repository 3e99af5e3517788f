// In a row of choices, Tab reaches the current one, and the arrow keys move to and choose the others.

/** An `onkeydown` handler for a container of elements with this `role`. */
export function roving(role) {
  return (event) => {
    const items = [...event.currentTarget.querySelectorAll(`[role=${role}]`)];
    const at = items.indexOf(document.activeElement);
    const to = {ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: items.length - 1}[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    const next = items[(to + items.length) % items.length];
    next.focus();
    next.click();
  };
}

/** The `tabindex` of a choice. */
export function reached(chosen) {
  return chosen ? '0' : '-1';
}
