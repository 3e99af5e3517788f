// What is known of a place on the bar of partitions: a note beside the pointer.

import {h, patch, withCode} from '../dom.js';
import {duration, plural} from '../format.js';
import {when} from '../live_times.js';
import {ASSET_STATES, glyph, word} from '../states.js';

const OFFSET = 10;
const MARGIN = 8;
const LINES = 3;

export class Tip {
  constructor() {
    this.element = h('div', {class: 'partition-tip', hidden: true, 'aria-hidden': 'true'});
  }

  hide() {
    this.element.hidden = true;
  }

  /** Shows `about` above a spot of the window, or below it; until that is known, the states that
   * were painted. */
  show(spot, about, painted) {
    this.showParts(spot, about ? known(about) : states(painted));
  }

  showParts({x, above, below}, ...parts) {
    const {element} = this;
    if (!element.isConnected) document.body.append(element);
    patch(element, parts);
    element.hidden = false;
    const {offsetWidth: width, offsetHeight: height} = element;
    const left = Math.min(Math.max(MARGIN, x - width / 2), innerWidth - width - MARGIN);
    element.style.left = `${left}px`;
    element.style.top = `${above - OFFSET - height > MARGIN ? above - OFFSET - height : below + OFFSET}px`;
  }
}

function known(about) {
  return [
    h('div', {class: 'partition-tip-key', dir: 'auto'}, nameOf(about)),
    states(about.counts, about.count),
    about.one ? single(about.one) : null,
  ];
}

function single(one) {
  const why = reasonsOf(one);
  return [
    why.slice(0, LINES).map((text) => h('div', {class: 'partition-tip-why'}, withCode(text))),
    one.updated_at ? h('div', {class: 'muted'}, 'Materialized ', when(one.updated_at), one.duration_s === null ? '' : ` in ${duration(one.duration_s)}`) : null,
  ];
}

/** Why a partition is not up to date; its state alone says that it was never materialized. */
export function reasonsOf(one) {
  if (one.failure) return [one.failure.error];
  return one.reasons.filter((reason) => reason.kind !== 'never_materialized').map((reason) => reason.text);
}

function states(counts, total = 0) {
  const there = ASSET_STATES.filter((state) => counts[state]);
  return h(
    'div',
    {class: 'partition-tip-states'},
    there.map((state) => h('span', {class: 'mark', data: {state}}, glyph(state), total > 1 ? `${counts[state].toLocaleString('en')} ` : null, word(state))),
  );
}

/** The partitions of a place: a key, or the first and the last along the axis and among the rows. */
export function spanOf({partitions, first_key: first, last_key: last, count, rows}) {
  if (count === 1) return partitions[0];
  const along = first === last ? first : `${first} to ${last}`;
  return rows?.length ? `${along}, ${rows.length > 1 ? `${rows[0]} to ${rows.at(-1)}` : rows[0]}` : along;
}

/** The same, and how many there are. */
export function nameOf(about) {
  return about.count === 1 ? spanOf(about) : `${plural(about.count, 'partition')}, ${spanOf(about)}`;
}

/** One sentence on a place, for those who hear it. */
export function sentence(about) {
  const there = ASSET_STATES.filter((state) => about.counts[state]);
  const said = about.count === 1 ? word(there[0]) : there.map((state) => `${about.counts[state]} ${word(state)}`).join(', ');
  const why = about.one ? reasonsOf(about.one).join('. ') : '';
  return `${nameOf(about)}: ${said}. ${why}`;
}
