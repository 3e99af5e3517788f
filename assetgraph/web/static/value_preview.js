// Shows as much of a value as is possible without running code from it.

import {plainLine} from './ansi.js';
import {code, languageOf} from './code.js';
import {h, kept} from './dom.js';
import {laidOut} from './json_layout.js';
import {markdown} from './markdown.js';
import {cell, numbers} from './metadata.js';

const LONG_LINE = 400; // characters: a longer line is broken
const UNREADABLE = 160; // characters: JSON of a file keeps its own lines if none is longer

const drawn = new WeakMap(); // a preview is long, and the page around it is drawn often

/** `file` has the `path` of the value, its `version`, and the address of its `picture`. */
export function previewOf(preview, file) {
  if (!drawn.has(preview)) drawn.set(preview, h('div', {class: 'preview'}, body(preview, file), preview.note ? h('p', {class: 'muted small preview-note'}, preview.note) : null));
  return kept(drawn.get(preview), `preview-${file.version}`);
}

function body(preview, file) {
  switch (preview.kind) {
    case 'table':
      return table(preview);
    case 'text':
      return text(preview, file.path);
    case 'image':
      return h('img', {class: 'preview-image', src: `${file.picture}?${new URLSearchParams({run: file.version, ...(file.partition ? {partition: file.partition} : {})})}`, alt: 'The value as a picture'});
    case 'folder':
      return h('div', {class: 'card-body'}, h('p', {class: 'muted small'}, `A folder with ${preview.count} entries`), h('ul', {}, preview.names.map((name) => h('li', {class: 'mono', dir: 'auto'}, name))));
    default:
      return null;
  }
}

function table({columns, rows}) {
  const kinds = columns.map((_, index) => numbers(rows.map((row) => row[index])));
  return h(
    'div',
    {class: 'scroll preview-table', tabindex: '0', role: 'group', 'aria-label': 'The first rows'},
    h(
      'table',
      {class: 'data-table'},
      h('thead', {}, h('tr', {}, columns.map((column, index) => h('th', {scope: 'col', class: kinds[index]}, column.name, column.type ? h('div', {class: 'column-type mono'}, column.type) : null)))),
      h('tbody', {}, rows.map((row) => h('tr', {}, row.map((value, index) => cell(value, kinds[index]))))),
    ),
  );
}

function text({text: given, format}, path) {
  const suffix = format === 'path' ? /[^./]+$/.exec(path ?? '')?.[0].toLowerCase() : format;
  if (suffix === 'md') return h('div', {class: 'card-body'}, markdown(given));
  const language = languageOf(suffix);
  const unreadable = format !== 'path' || longest(given) > UNREADABLE;
  const shown = language === 'json' && unreadable ? laidOut(given) : given;
  const plain = shown.split('\n').map(plainLine).join('\n');
  return h('pre', {class: `code code-flush ${longest(plain) > LONG_LINE ? 'wrapped' : ''}`, dir: 'auto', tabindex: '0'}, code(plain, language));
}

function longest(given) {
  return given.split('\n').reduce((most, line) => Math.max(most, line.length), 0);
}
