// What is known of the data of an asset that something else makes.

import {h} from './dom.js';
import {bytes} from './format.js';
import {when} from './live_times.js';
import {metadataTable} from './metadata.js';

/** When its file was changed, or when it was last observed or reported. Null where nothing is known. */
export function externalAge({external}) {
  if (!external?.at) return null;
  return [external.source ? 'changed ' : `${external.origin} `, when(external.at)];
}

/** A card with its version, size and metadata. */
export function externalCard(asset) {
  const {external} = asset;
  const rows = [
    ['Source', external.source && h('code', {}, external.source)],
    ['Data version', external.data_version && h('code', {}, external.data_version)],
    ['Size', external.size === null ? null : bytes(external.size)],
  ].filter(([, value]) => value);
  return h(
    'section',
    {class: 'card', 'aria-labelledby': 'data-title', key: 'data'},
    h('div', {class: 'card-head'}, h('h2', {id: 'data-title'}, 'Data'), h('span', {class: 'muted small'}, externalAge(asset))),
    h(
      'div',
      {class: 'card-body'},
      rows.length ? null : h('p', {class: 'muted'}, external.observable ? 'Never observed. In a terminal: assetgraph observe' : 'Something else makes it.'),
      rows.length ? h('dl', {class: 'facts'}, rows.map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])) : null,
      Object.keys(external.metadata).length ? metadataTable(external.metadata) : null,
    ),
  );
}
