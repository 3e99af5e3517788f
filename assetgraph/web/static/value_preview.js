// Shows as much of a value as is possible without running code from it.

import {plainLine} from './ansi.js';
import {h} from './dom.js';
import {cell, numbers} from './metadata.js';

const LONG_LINE = 400; // characters: a longer line is broken, such as JSON in one line

export function previewOf(preview, picture, version) {
  return h('div', {class: 'preview', key: `preview-${version}`}, body(preview, picture, version), preview.note ? h('p', {class: 'muted small preview-note'}, preview.note) : null);
}

function body(preview, picture, version) {
  switch (preview.kind) {
    case 'table': {
      const kinds = preview.columns.map((_, index) => numbers(preview.rows.map((row) => row[index])));
      return h(
        'div',
        {class: 'scroll preview-table', tabindex: '0', role: 'group', 'aria-label': 'The first rows'},
        h(
          'table',
          {class: 'data-table'},
          h('thead', {}, h('tr', {}, preview.columns.map((column, index) => h('th', {scope: 'col', class: kinds[index]}, column.name, column.type ? h('div', {class: 'column-type mono'}, column.type) : null)))),
          h('tbody', {}, preview.rows.map((row) => h('tr', {}, row.map((value, index) => cell(value, kinds[index]))))),
        ),
      );
    }
    case 'text':
      return h('pre', {class: `code code-flush ${preview.text.split('\n').some((line) => line.length > LONG_LINE) ? 'wrapped' : ''}`, dir: 'auto', tabindex: '0'}, preview.text.split('\n').map(plainLine).join('\n'));
    case 'image':
      return h('img', {class: 'preview-image', src: `${picture}?run=${version}`, alt: 'The value as a picture'});
    case 'folder':
      return h('div', {class: 'card-body'}, h('p', {class: 'muted small'}, `A folder with ${preview.count} entries`), h('ul', {}, preview.names.map((name) => h('li', {class: 'mono', dir: 'auto'}, name))));
    default:
      return null;
  }
}
