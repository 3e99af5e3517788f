// The columns of a table, and how they differ from the previous materialization.

import {h} from './dom.js';
import {plural} from './format.js';
import {kindOf} from './metadata.js';

const COLUMNS = 'columns'; // the metadata name of a table's columns
const SHOWN = 200;
const SIGNS = {added: ['fresh', '+'], removed: ['failed', '\u2212'], retyped: ['stale', '~']};

/** The metadata without the columns, which are shown in their own section. */
export function withoutSchema(metadata) {
  const {[COLUMNS]: columns, ...rest} = metadata;
  return columnsOf(metadata) ? rest : {...rest, ...(columns === undefined ? {} : {[COLUMNS]: columns})};
}

export function schema({metadata, schema_changes: changes}) {
  const columns = columnsOf(metadata);
  if (!columns) return null;
  const changed = new Map(changes.map((change) => [change.column, change]));
  const shown = columns.filter(({name}, index) => index < SHOWN || changed.has(name)).slice(0, 2 * SHOWN);
  const removed = changes.filter((change) => change.change === 'removed');
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'schema-title', key: 'schema'},
    h(
      'div',
      {class: 'card-head'},
      h('h2', {id: 'schema-title'}, 'Columns'),
      h('span', {class: 'muted small'}, changes.length ? `${plural(changes.length, 'change')} since the previous materialization` : String(columns.length)),
    ),
    h(
      'ul',
      {class: 'schema'},
      shown.map(({name, type}) => column(name, type, changed.get(name))),
      removed.map((change) => column(change.column, change.from, change)),
      columns.length > shown.length ? h('li', {class: 'muted small schema-column', key: 'rest'}, `${columns.length - shown.length} more`) : null,
    ),
  );
}

function column(name, type, change) {
  const [state, sign] = change ? SIGNS[change.change] : [];
  const types = change?.change === 'retyped' ? `${change.from} \u2192 ${change.to}` : type;
  return h(
    'li',
    {class: 'schema-column', data: {state}, key: name},
    change ? h('span', {class: 'mark', data: {state}, title: change.change}, sign, h('span', {class: 'visually-hidden'}, change.change)) : null,
    h('span', {class: 'cut', title: name, dir: 'auto'}, name),
    h('code', {class: 'muted cut', title: types}, types),
  );
}

function columnsOf(metadata) {
  const {type, value} = kindOf(metadata[COLUMNS] ?? null);
  const described = (row) => row !== null && typeof row === 'object' && 'name' in row && 'type' in row;
  return type === 'table' && Array.isArray(value) && value.every(described) ? value : null;
}
