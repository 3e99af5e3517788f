// Keeps the state of a page in its address, so that it can be linked to.

/** The parameters of the address. */
export function parameters() {
  return new URLSearchParams(location.search);
}

/** Puts `values` into the address, without empty ones; `keep` names those that may be empty. With
 * `step`, the browser's Back button returns to the address as it was. */
export function remember(values, {step = false, keep = []} = {}) {
  const query = parameters();
  for (const [name, value] of Object.entries(values)) {
    query.delete(name);
    for (const one of [value].flat()) {
      if (one !== null && one !== undefined && (one !== '' || keep.includes(name))) query.append(name, one);
    }
  }
  const text = query.toString();
  const address = text ? `?${text}` : location.pathname;
  if (step && text !== parameters().toString()) history.pushState(null, '', address);
  else history.replaceState(history.state, '', address);
}

/** Calls `again()` after Back or Forward changed the parameters of the address. */
export function onStep(again) {
  window.addEventListener('popstate', again);
}
