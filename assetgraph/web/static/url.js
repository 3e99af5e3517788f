// Keeps the state of a page in its address, so that it can be linked to.

/** The parameters of the address. */
export function parameters() {
  return new URLSearchParams(location.search);
}

/** Puts `values` into the address, without empty ones. */
export function remember(values) {
  const query = parameters();
  for (const [name, value] of Object.entries(values)) {
    query.delete(name);
    for (const one of [value].flat()) {
      if (one !== null && one !== undefined && one !== '') query.append(name, one);
    }
  }
  const text = query.toString();
  history.replaceState(null, '', text ? `?${text}` : location.pathname);
}
