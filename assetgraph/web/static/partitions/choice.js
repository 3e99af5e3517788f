// The line below the bar of partitions: what is selected, and what can be done with it.

import {assetPage} from '../api.js';
import {h, icon} from '../dom.js';
import {plural} from '../format.js';
import {ASSET_STATES, glyph, word} from '../states.js';
import {spanOf} from './tip.js';

/** `acts` has `clear` and `launch`, and `zoom` where that would show less than now. */
export function choiceOf(key, chosen, acts) {
  const {about} = chosen;
  const count = (chosen.end - chosen.first) * chosen.rows;
  const button = (name, text, act) => h('button', {class: 'button button-small', type: 'button', key: name, onclick: act}, text);
  return [
    h('span', {class: 'strong nowrap'}, `${plural(count, 'partition')} selected`),
    about ? named(key, about) : null,
    h('span', {class: 'row'}, about ? ASSET_STATES.filter((state) => about.counts[state]).map((state) => counted(state, about.counts[state])) : null),
    h(
      'span',
      {class: 'row partition-choice-acts', key: 'acts'},
      acts.zoom ? button('zoom', 'Zoom to it', acts.zoom) : null,
      button('clear', 'Clear', acts.clear),
      h('button', {class: 'button button-small button-main', type: 'button', key: 'launch', disabled: !about, onclick: acts.launch}, icon('play', 'icon-small'), 'Materialize selected'),
    ),
  ];
}

/** What is selected; a single partition is a link to its page. */
function named(key, about) {
  const name = spanOf(about);
  if (about.count > 1) return h('span', {class: 'muted cut', dir: 'auto', title: name}, name);
  return h('a', {class: 'link cut', dir: 'auto', href: `${assetPage(key)}?partition=${encodeURIComponent(name)}`}, name);
}

function counted(state, count) {
  return h('span', {class: 'mark small', data: {state}, title: word(state), key: state}, glyph(state), count.toLocaleString('en'), h('span', {class: 'visually-hidden'}, word(state)));
}
