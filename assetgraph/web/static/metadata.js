// Shows metadata, each kind in its own way.

import {plainLine, plainText} from './ansi.js';
import {code} from './code.js';
import {h} from './dom.js';
import {exact, quantity} from './format.js';
import {laidOut} from './json_layout.js';
import {markdown} from './markdown.js';

const LONG = 400;
// With a point or a comma, groups of thousands, a currency or a percent sign.
const NUMBER = /^[-+]?[$€£¥]?(?:\d{1,30}|\d{1,3}(?:,\d{3}){1,9})?(?:[.,]\d{0,30})?(?:e[-+]?\d{1,4})?\s?%?$/i;
const NO_NUMBER = /^(?:nan|[-+]?inf(?:inity)?)?$/i; // may stand in a column of numbers
const LONGEST = 100_000;
const JSON_WIDTH = 56;
const MOST_ROWS = 100;
const MOST_COLUMNS = 100;

/** A table of names and values. */
export function metadataTable(metadata) {
  const entries = Object.entries(metadata);
  if (!entries.length) return h('p', {class: 'muted small'}, 'No metadata.');
  return h('dl', {class: 'facts metadata'}, entries.map(([name, value]) => [h('dt', {dir: 'auto'}, name), h('dd', {}, metadataValue(value))]));
}

/** One value. If it does not fit its kind, it is shown as recorded. */
export function metadataValue(recorded) {
  try {
    return shown(kindOf(recorded));
  } catch {
    return text(JSON.stringify(recorded));
  }
}

function shown({type, value}) {
  switch (type) {
    case 'int':
    case 'float':
      return typeof value === 'number' ? quantity(value) : String(value);
    case 'bool':
      return value ? 'true' : 'false';
    case 'url':
      return link(value);
    case 'path':
      return h('code', {dir: 'auto'}, plainLine(String(value)));
    case 'timestamp':
      return instant(value);
    case 'md':
      return markdown(value);
    case 'table':
      return tableOf(value);
    case 'json':
      return h('pre', {class: 'code metadata-json', tabindex: '0'}, code(laidOut(JSON.stringify(value).slice(0, LONGEST), JSON_WIDTH), 'json'));
    default:
      return text(String(value));
  }
}

export function isNumber(recorded) {
  return typeof recorded === 'number';
}

export function kindOf(recorded) {
  if (recorded !== null && typeof recorded === 'object' && 'type' in recorded && 'value' in recorded && Object.keys(recorded).length === 2) return recorded;
  const kinds = {number: 'float', boolean: 'bool', string: 'text'};
  return {type: kinds[typeof recorded] ?? 'json', value: recorded};
}

/** Seconds since 1970 as a date; a number outside the range of dates stays a number. */
function instant(seconds) {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : exact(date);
}

/** Only web addresses become links: a `javascript:` address would run. */
function link(value) {
  const href = String(value);
  if (!/^https?:\/\//i.test(href)) return text(href);
  return h('a', {class: 'link', href, target: '_blank', rel: 'noopener noreferrer'}, plainLine(href));
}

function text(value) {
  const lines = plainText(value);
  if (lines.length <= LONG) return h('span', {dir: 'auto', class: 'metadata-text'}, lines);
  return h('details', {}, h('summary', {}, `${lines.slice(0, LONG / 2)} …`), h('span', {class: 'metadata-text'}, lines.slice(0, LONGEST)));
}

function tableOf(rows) {
  const all = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const names = all.slice(0, MOST_COLUMNS);
  const kinds = names.map((name) => numbers(rows.slice(0, MOST_ROWS).map((row) => row[name])));
  return h(
    'div',
    {class: 'scroll table-box', tabindex: '0', role: 'group', 'aria-label': 'Rows'},
    h(
      'table',
      {class: 'data-table'},
      h('thead', {}, h('tr', {}, names.map((name, index) => h('th', {scope: 'col', class: kinds[index]}, name)))),
      h('tbody', {}, rows.slice(0, MOST_ROWS).map((row) => h('tr', {}, names.map((name, index) => cell(row[name], kinds[index]))))),
    ),
    rows.length > MOST_ROWS ? h('p', {class: 'muted small'}, `The first ${MOST_ROWS} of ${rows.length} rows.`) : null,
    all.length > names.length ? h('p', {class: 'muted small'}, `The first ${names.length} of ${all.length} columns.`) : null,
  );
}

/** The class of a column: of numbers, if all that it holds are numbers or look like them. */
export function numbers(values) {
  const present = values.filter((value) => value !== null && value !== undefined && !NO_NUMBER.test(value));
  return present.length && present.every((value) => typeof value === 'number' || (NUMBER.test(value) && /\d/.test(value))) ? 'number' : '';
}

export function cell(value, kind = typeof value === 'number' ? 'number' : '') {
  const shown = value === null || value === undefined ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return h('td', {class: kind, title: shown, dir: 'auto'}, plainLine(shown.replaceAll('\n', ' ')));
}
