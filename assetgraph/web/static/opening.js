// Parts of a page that a person opens and closes.

/** The handlers of a `details` element: `told(open)` hears of each change at once. The browser's own
 * event comes a little later, and a page that is drawn in between would undo what the person did. */
export function toggling(told) {
  return {
    ontoggle: ({currentTarget}) => told(currentTarget.open),
    onclick: (event) => {
      const {currentTarget: whole, target} = event;
      if (target.closest('summary')?.parentElement !== whole || target.closest('a, button')) return;
      event.preventDefault();
      whole.open = !whole.open;
      told(whole.open);
    },
  };
}
