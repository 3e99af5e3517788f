// What stands beside an asset: the facts of its definition, and its neighbours in the graph.

import {assetPage} from './api.js';
import {h, icon} from './dom.js';
import {editorLink} from './editor.js';
import {metadataTable} from './metadata.js';
import {glyph} from './states.js';

export function facts(asset) {
  const tags = Object.entries(asset.tags);
  return h(
    'section',
    {class: 'card', 'aria-label': 'Facts', key: 'facts'},
    h('div', {class: 'card-head'}, h('h2', {}, 'Facts')),
    h(
      'dl',
      {class: 'facts card-body'},
      pair('Group', h('a', {class: 'chip', href: `/lineage?select=${encodeURIComponent(`group:"${asset.group_name}"`)}`}, icon('group', 'icon-small'), asset.group_name)),
      pair('Kinds', asset.kinds.length ? h('div', {class: 'row wrap chips'}, asset.kinds.map((kind) => facetChip('kind', kind))) : null),
      pair('Owners', asset.owners.length ? h('div', {class: 'row wrap chips'}, asset.owners.map((owner) => facetChip('owner', owner))) : null),
      pair('Tags', tags.length ? h('div', {class: 'row wrap chips'}, tags.map(([name, value]) => facetChip('tag', value ? `${name}=${value}` : name))) : null),
      pair('Made with', asset.made_with.length ? h('div', {class: 'row wrap chips'}, asset.made_with.map((one) => h('a', {class: 'chip', href: assetPage(one)}, one))) : null),
      pair('Module', h('code', {}, breakable(asset.module))),
      pair('Defined at', editorLink(asset.place, h('code', {}, breakable(asset.place)), 'quiet-link')),
      asset.partitions_def ? pair('Partitions', h('code', {}, breakable(asset.partitions_def.definition))) : null,
      asset.partitions_def?.default ? pair('Default', h('code', {}, asset.partitions_def.default)) : null,
      pair('Code version', asset.code_version ? h('code', {title: asset.code_version}, asset.code_version.slice(0, 12)) : null),
      pair('Data version', asset.data_version ? h('code', {title: asset.data_version}, asset.data_version.slice(0, 12)) : null),
      pair('Config', asset.config_fields ? h('code', {}, asset.config_fields.map((field) => field.name).join(', ') || 'no fields') : null),
      asset.resources.length ? pair('Resources', h('code', {}, asset.resources.map(({name, type}) => `${name}: ${type}`).join(', '))) : null,
      Object.keys(asset.definition_metadata).length ? pair('Metadata', metadataTable(asset.definition_metadata)) : null,
    ),
  );
}

/** A link to all assets with this value. */
function facetChip(name, value) {
  return h('a', {class: 'chip', href: `/assets?${name}=${encodeURIComponent(value)}`, title: `Assets with this ${name}`, dir: 'auto'}, h('span', {class: 'cut'}, value));
}

/** A path or dotted name with possible line breaks after its parts. */
function breakable(text) {
  return text.split(/(?<=[/.])/).map((part) => [part, h('wbr', {})]);
}

function pair(name, value) {
  return value === null ? null : [h('dt', {}, name), h('dd', {}, value)];
}

/** The assets upstream or downstream of one; their links lead to `tab` of their pages. */
export function neighbours(title, list, tab = null) {
  const href = (key) => `${assetPage(key)}${tab ? `?tab=${tab}` : ''}`;
  return h(
    'section',
    {class: 'card', 'aria-label': title, key: title},
    h('div', {class: 'card-head'}, h('h2', {}, title), h('span', {class: 'muted small'}, String(list.length))),
    list.length
      ? h('ul', {class: 'lines'}, list.map((one) => h('li', {key: one.key}, h('a', {class: 'line', href: href(one.key)}, h('span', {class: 'mark', data: {state: one.state}, title: one.state}, glyph(one.state), h('span', {class: 'visually-hidden'}, one.state)), h('span', {class: 'cut grow', dir: 'auto'}, one.key)))))
      : h('p', {class: 'card-body muted small'}, title === 'Upstream' ? 'No upstream assets.' : 'No downstream assets.'),
  );
}
