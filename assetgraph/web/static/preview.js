// Shows as much of a value as is possible without running code from it.

import {plainLine} from './ansi.js';
import {h} from './dom.js';
import {cell} from './metadata.js';

export function previewOf(preview, picture, version) {
  return h('div', {class: 'preview', key: `preview-${version}`}, body(preview, picture, version), preview.note ? h('p', {class: 'muted small preview-note'}, preview.note) : null);
}

function body(preview, picture, version) {
  switch (preview.kind) {
    case 'table':
      return h(
        'div',
        {class: 'scroll preview-table', tabindex: '0', role: 'group', 'aria-label': 'The first rows'},
        h(
          'table',
          {class: 'data-table'},
          h('thead', {}, h('tr', {}, preview.columns.map((column) => h('th', {scope: 'col'}, column.name, column.type ? h('div', {class: 'column-type mono'}, column.type) : null)))),
          h('tbody', {}, preview.rows.map((row) => h('tr', {}, row.map(cell)))),
        ),
      );
    case 'text':
      return h('pre', {class: 'code code-flush', dir: 'auto', tabindex: '0'}, preview.text.split('\n').map(plainLine).join('\n'));
    case 'image':
      return h('img', {class: 'preview-image', src: `${picture}?run=${version}`, alt: 'The value as a picture'});
    case 'folder':
      return h('div', {class: 'card-body'}, h('p', {class: 'muted small'}, `A folder with ${preview.count} entries`), h('ul', {}, preview.names.map((name) => h('li', {class: 'mono', dir: 'auto'}, name))));
    default:
      return null;
  }
}
