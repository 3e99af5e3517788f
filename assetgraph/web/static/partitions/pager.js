// Which rows of very many are shown, and the buttons that show others.

import {h} from '../dom.js';

/** Nothing, if all `count` rows are shown; `turn(row)` shows those from `row` on. */
export function pager({first, most, count}, turn) {
  if (count <= most) return null;
  const last = Math.min(first + most, count);
  const button = (text, disabled, row) => h('button', {class: 'button button-small', type: 'button', disabled, onclick: () => turn(row)}, text);
  return h(
    'div',
    {class: 'row', key: 'pager'},
    button('Rows before', !first, Math.max(0, first - most)),
    button('Rows after', last >= count, last),
    h('span', {class: 'muted small nowrap'}, `${(first + 1).toLocaleString('en')} to ${last.toLocaleString('en')} of ${count.toLocaleString('en')}`),
  );
}
