// A key in a narrow place: what tells it from others stays readable longest.

import {h} from './dom.js';

/** A key or a step such as `city/trips@2023-03`. Its prefix is shortened first, then its name; the
 * partition stays. */
export function keyText(text, classes = '') {
  const [, prefix, name, partition] = /^((?:[^@]*\/)?)([^@]*)(@.*)?$/s.exec(text);
  return h(
    'span',
    {class: `key-text ${classes}`.trim(), title: text, dir: 'auto'},
    prefix ? h('span', {class: 'key-prefix cut'}, prefix) : null,
    h('span', {class: 'cut'}, name),
    partition ? h('span', {class: 'key-partition cut'}, partition) : null,
  );
}
