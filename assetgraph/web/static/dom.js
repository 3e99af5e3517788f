// Makes elements from descriptions, and patches an old tree to match a new one. Text stays text:
// nothing here parses markup.

const SVG = 'http://www.w3.org/2000/svg';
const OURS = new Set(['key', 'keep']); // how patch() finds an element again
const OF_PARTS = new Set(['data', 'style']);
const AS_PROPERTY = new Set(['value', 'checked', 'indeterminate', 'disabled', 'selected', 'open', 'hidden', 'required']);

/** An element: `h('a', {class: 'link', href, onclick}, 'text', child, [children])`. */
export function h(tag, props, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** An SVG element. */
export function s(tag, props, ...children) {
  return filled(document.createElementNS(SVG, tag), props, children);
}

export function icon(name, extra = '') {
  return s('svg', {class: `icon ${extra}`.trim(), 'aria-hidden': 'true'}, s('use', {href: `#i-${name}`}));
}

/** Text with the parts in backticks as code. */
export function withCode(text) {
  return text.split(/`([^`\n]+)`/).map((part, index) => (index % 2 ? h('code', {}, part) : part));
}

/** An element whose content another module draws. It stays when the page around it is redrawn. */
export function kept(element, key) {
  element.given = {...element.given, key, keep: true};
  if (!element.isConnected) return element;
  const stand = element.cloneNode(false); // appending the element itself would remove it from the page
  stand.given = element.given;
  return stand;
}

/** Makes the children of `parent` match the given ones, and keeps elements that stay the same. */
export function patch(parent, ...children) {
  patchChildren(parent, flat(children));
}

function filled(element, props, children) {
  element.given = props ?? {};
  element.append(...flat(children)); // first: a select takes its value from its options
  for (const [name, value] of Object.entries(element.given)) {
    if (!OURS.has(name)) set(element, name, value);
  }
  return element;
}

function set(element, name, value) {
  if (name === 'style') {
    for (const [property, text] of Object.entries(value)) element.style.setProperty(property, text);
  } else if (name === 'data') {
    for (const [key, text] of Object.entries(value)) {
      if (text !== null && text !== undefined) element.dataset[key] = text;
    }
  } else if (name.startsWith('on')) {
    element[name] = value ?? null;
  } else if (AS_PROPERTY.has(name)) {
    element[name] = value ?? (name === 'value' ? '' : false);
  } else if (value === true) {
    element.setAttribute(name, '');
  } else if (value === null || value === undefined || value === false) {
    element.removeAttribute(name);
  } else {
    element.setAttribute(name, value);
  }
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false && child !== '');
}

function patchChildren(parent, wanted) {
  removeGone(parent, wanted);
  const keyed = new Map();
  for (const child of parent.childNodes) {
    if (child.given?.key !== undefined) keyed.set(child.given.key, child);
  }
  let at = parent.firstChild;
  for (const next of wanted) {
    const node = next instanceof Node ? next : document.createTextNode(next);
    const key = node.given?.key;
    const known = key === undefined ? at : keyed.get(key);
    if (known && known !== node && alike(known, node)) {
      if (known !== at) parent.insertBefore(known, at);
      else at = at.nextSibling;
      patchNode(known, node);
    } else if (known === node) {
      if (node === at) at = at.nextSibling;
      else parent.insertBefore(node, at);
    } else {
      parent.insertBefore(node, at);
      if (at && key === undefined && at.given?.key === undefined) {
        const gone = at;
        at = at.nextSibling;
        gone.remove();
      }
    }
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

/** Removes the keyed children that are no longer wanted. They must go first: a child that moves past
 * them would lose the focus. */
function removeGone(parent, wanted) {
  const staying = new Set(wanted.map((next) => next.given?.key));
  for (const child of [...parent.childNodes]) {
    if (child.given?.key !== undefined && !staying.has(child.given.key)) child.remove();
  }
}

function alike(a, b) {
  return a.nodeName === b.nodeName && a.given?.key === b.given?.key;
}

function patchNode(old, next) {
  if (next.nodeType === Node.TEXT_NODE) {
    if (old.data !== next.data) old.data = next.data;
    return;
  }
  if (next.given?.keep) return; // another module owns its content
  patchProps(old, next.given ?? {});
  patchChildren(old, [...next.childNodes]);
}

function patchProps(element, props) {
  const before = element.given ?? {};
  for (const name of Object.keys(before)) {
    if (name in props || OURS.has(name)) continue;
    if (OF_PARTS.has(name)) removeParts(element, name, before[name], {});
    else set(element, name, null);
  }
  for (const [name, value] of Object.entries(props)) {
    if (OF_PARTS.has(name)) {
      removeParts(element, name, before[name] ?? {}, value);
      set(element, name, value);
    } else if (AS_PROPERTY.has(name)) {
      // Keep what the user is typing.
      const typing = name === 'value' && element === document.activeElement;
      if (!typing && before[name] !== value) set(element, name, value);
    } else if (!OURS.has(name) && (name.startsWith('on') || before[name] !== value)) {
      set(element, name, value);
    }
  }
  element.given = props;
}

/** Removes the parts of a style or of the data that are no longer given. */
function removeParts(element, name, before, after) {
  for (const key of Object.keys(before)) {
    if (after[key] !== null && after[key] !== undefined) continue;
    if (name === 'style') element.style.removeProperty(key);
    else delete element.dataset[key];
  }
}
