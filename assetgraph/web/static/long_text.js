// Texts that may be of any length: a browser lays a line of a megabyte out for seconds.

import {h} from './dom.js';
import {bytes} from './format.js';

const FIRST = 16_384;
const PIECE = 65_536;
const NEAR = 2_000; // how far back a piece may end for the sake of whole lines

/** Text that can be scrolled, the first of it at once and the rest in pieces, on a button. */
export function longText(text, {class: classes, 'aria-label': label, key}) {
  const box = h('pre', {class: `${classes} pieces`, tabindex: '0', role: 'region', 'aria-label': label, dir: 'auto'});
  const button = h('button', {class: 'button button-small', type: 'button', onclick: () => show(PIECE)});
  let shown = 0;
  function show(most) {
    const end = endOfPiece(text, shown, most);
    box.append(h('div', {}, text.slice(shown, end)));
    shown = end;
    const rest = text.length - shown;
    button.hidden = rest === 0;
    button.textContent = `Show ${bytes(Math.min(rest, PIECE))} more of ${bytes(text.length)}`;
  }
  show(FIRST);
  return h('div', {class: 'stack', keep: true, key}, box, h('div', {}, button));
}

/** The first lines of a text, as many as its style allows, and a button where there are more. */
export function clamped(text, {class: classes, key}) {
  const box = h('div', {class: `${classes} clamped`, dir: 'auto'}, text.slice(0, FIRST));
  const button = h('button', {class: 'button button-small', type: 'button', 'aria-expanded': 'false', hidden: true, onclick: toggle}, 'Show the whole message');
  function toggle() {
    const open = button.getAttribute('aria-expanded') !== 'true';
    box.classList.toggle('clamped', !open);
    if (open && text.length > FIRST) box.replaceChildren(longText(text, {class: 'code', 'aria-label': 'Message'}));
    button.setAttribute('aria-expanded', String(open));
    button.textContent = open ? 'Show less' : 'Show the whole message';
  }
  new ResizeObserver(() => {
    if (box.classList.contains('clamped')) button.hidden = box.scrollHeight <= box.clientHeight + 1 && text.length <= FIRST;
  }).observe(box);
  return h('div', {class: 'stack', keep: true, key}, box, h('div', {}, button));
}

function endOfPiece(text, start, most) {
  const end = start + most;
  if (end >= text.length) return text.length;
  const line = text.lastIndexOf('\n', end) + 1;
  return line > Math.max(start, end - NEAR) ? line : end;
}
