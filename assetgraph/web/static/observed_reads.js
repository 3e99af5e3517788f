// What the step of an asset read without declaring it, and how that is compared.

import {h} from './dom.js';

const SHOWN = 100;

/** A card with a line for each file, folder, variable and so on. Null where there is none. */
export function observedReads({observed}) {
  const {reads, known, remedies} = observed;
  if (known && !reads.length) return null;
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'reads-title', key: 'reads'},
    h('div', {class: 'card-head'}, h('h2', {id: 'reads-title'}, 'Observed reads'), h('span', {class: 'muted small'}, known ? String(reads.length) : null)),
    known ? null : h('p', {class: 'card-body muted'}, 'Not known any more: the store lost it.'),
    h(
      'ul',
      {class: 'schema'},
      reads.slice(0, SHOWN).map(line),
      reads.length > SHOWN ? h('li', {class: 'muted small schema-column', key: 'rest'}, `${reads.length - SHOWN} more`) : null,
    ),
    remedies.map((remedy) => h('p', {class: 'card-body muted small', key: remedy}, remedy)),
  );
}

function line(read) {
  const state = read.change ? 'stale' : undefined;
  const how = [read.compared ?? (read.note?.includes('compared') ? null : 'cannot be compared'), read.note, read.made_by && (read.kind === 'asset' ? 'it is not an upstream' : `made by ${read.made_by}, not an upstream`)].filter(Boolean).join('; ');
  return h(
    'li',
    {class: 'schema-column', data: {state}, key: `${read.kind} ${read.name}`},
    read.change ? h('span', {class: 'mark', data: {state}, title: read.change}, '~', h('span', {class: 'visually-hidden'}, read.change)) : null,
    h('span', {class: 'cut', title: read.name, dir: 'auto'}, read.name),
    h('span', {class: 'muted cut small', title: how}, `${read.kind}, ${how}`),
  );
}
