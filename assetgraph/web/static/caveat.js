// What to know of a value before using it: its metadata entry `warning`.

import {plainText} from './ansi.js';
import {h, icon} from './dom.js';
import {kindOf} from './metadata.js';

const WARNING = 'warning';

/** The warning in an attempt's metadata. */
export function warningIn(metadata) {
  const recorded = metadata[WARNING];
  return recorded ? String(kindOf(recorded).value) : null;
}

/** The metadata without the warning, which is shown beside the state. */
export function withoutWarning(metadata) {
  const {[WARNING]: _, ...rest} = metadata;
  return rest;
}

/** The warning as a note. */
export function caveatNote({warning}) {
  if (!warning) return null;
  return h('div', {class: 'warning-note caveat-note', role: 'note', 'aria-label': 'About the value', key: 'caveat'}, icon('warning', 'icon-small'), h('span', {dir: 'auto'}, plainText(warning)));
}

/** A sign beside a state, with the warning as its text. */
export function caveatSign({warning}) {
  if (!warning) return null;
  return h('span', {class: 'caveat-sign', title: plainText(warning), key: 'caveat'}, icon('warning', 'icon-small'), h('span', {class: 'visually-hidden'}, `Warning: ${plainText(warning)}`));
}
