// The cards as elements, used when the zoom is large enough to read them.

import {runPage} from '../api.js';
import {caveatSign} from '../caveat.js';
import {checkSign} from '../checks.js';
import {h, icon} from '../dom.js';
import {keyText} from '../key_text.js';
import {markdownGist} from '../markdown.js';
import {plural} from '../format.js';
import {partitionShare} from '../partition_share.js';
import {percent} from '../progress.js';
import {ASSET_STATES, assetMark, assetWord, glyph, word} from '../states.js';
import {when} from '../live_times.js';

export function card(node, marked) {
  const classes = ['graph-card', marked.isSelected(node.id) ? 'selected' : '', marked.isDim(node.id) ? 'dim' : ''];
  return h(
    'div',
    {
      class: classes.filter(Boolean).join(' '),
      key: node.id,
      data: {id: node.id, state: node.state},
      style: {left: `${node.x}px`, top: `${node.y}px`, width: `${node.width}px`, height: `${node.height}px`},
    },
    node.collapsed ? groupBody(node) : assetBody(node),
  );
}

function assetBody(node) {
  return [
    h(
      'div',
      {class: 'graph-card-body'},
      h('div', {class: 'graph-card-top'}, keyText(node.key, 'graph-card-name')),
      h('div', {class: 'graph-card-text cut', title: node.description, dir: 'auto'}, markdownGist(node.description) || 'No description'),
      h('div', {class: 'graph-card-group'}, icon('group', 'icon-small'), h('span', {class: 'cut grow', dir: 'auto'}, node.group), node.kinds[0] ? h('span', {class: 'graph-card-kind cut'}, node.kinds.join(', ')) : null),
    ),
    h('div', {class: 'graph-card-foot', title: node.reason ?? assetWord(node)}, assetMark(node), partitionShare(node), checkSign(node), caveatSign(node), node.state === 'running' && node.progress ? h('span', {class: 'muted'}, percent(node.progress)) : null, lastLink(node)),
  ];
}

function lastLink(node) {
  const link = (run, text) => h('a', {class: 'graph-card-link', href: runPage(run), tabindex: '-1'}, text);
  if (node.state === 'running' && node.running_run_id) return link(node.running_run_id, 'see the run');
  if (node.state === 'failed' && node.failure) return link(node.failure.run_id, when(node.failure.timestamp));
  if (node.external) return node.external.at ? h('span', {class: 'muted'}, when(node.external.at)) : null;
  if (node.last) return link(node.last.run_id, when(node.last.timestamp));
  return null;
}

/** How many assets of a collapsed group are in each state. */
export function stateCounts(counts) {
  return ASSET_STATES.filter((state) => counts[state]).map((state) => h('span', {class: 'mark', data: {state}, title: word(state)}, glyph(state), String(counts[state]), h('span', {class: 'visually-hidden'}, word(state))));
}

/** A name that may be broken after each of its words. */
function inWords(name) {
  return name.split(/(?<=[_/.-])/).map((part) => [part, h('wbr')]);
}

function groupBody(node) {
  return [
    h(
      'div',
      {class: 'graph-card-body', title: 'Double-click to open'},
      h('div', {class: 'graph-card-top'}, icon('group'), h('span', {class: 'graph-card-name graph-card-lines', title: node.group, dir: 'auto'}, inWords(node.group))),
      h('div', {class: 'graph-card-text'}, plural(node.count, 'asset')),
    ),
    h(
      'div',
      {class: 'graph-card-foot'},
      stateCounts(node.counts),
    ),
  ];
}
