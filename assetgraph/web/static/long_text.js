// Shows texts of any length in pieces, because a browser takes seconds to lay out a megabyte.

import {code} from './code.js';
import {h} from './dom.js';
import {bytes} from './format.js';

const FIRST = 16_384;
const PIECE = 65_536;
const NEAR = 2_000; // how much shorter a piece may be to end with a whole line

/** Scrollable text. Its first piece shows at once, each further piece on a button. */
export function longText(text, {class: classes, 'aria-label': label, key, language = null}) {
  const box = h('pre', {class: `${classes} pieces`, tabindex: '0', role: 'group', 'aria-label': label, dir: 'auto'});
  const button = h('button', {class: 'button button-small button-more', type: 'button', onclick: () => show(PIECE)});
  let shown = 0;
  function show(most) {
    const end = endOfPiece(text, shown, most);
    box.append(h('div', {}, code(text.slice(shown, end), language)));
    shown = end;
    const rest = text.length - shown;
    button.hidden = rest === 0;
    button.textContent = `Show ${bytes(Math.min(rest, PIECE))} more of ${bytes(text.length)}`;
  }
  show(FIRST);
  return h('div', {class: 'stack', keep: true, key}, box, button);
}

/** The first lines of a text, as many as its style allows, with a button to show all of it. */
export function clamped(text, {class: classes, key}) {
  const box = h('div', {class: `${classes} clamped`, dir: 'auto'}, text.slice(0, FIRST));
  const button = h('button', {class: 'button button-small button-more', type: 'button', 'aria-expanded': 'false', onclick: toggle}, 'Show the whole message');
  const both = h('div', {class: 'stack', keep: true, key}, box);
  function toggle() {
    const open = box.classList.contains('clamped');
    box.classList.toggle('clamped', !open);
    if (open && text.length > FIRST) box.replaceChildren(longText(text, {class: 'code', 'aria-label': 'Message'}));
    button.setAttribute('aria-expanded', String(open));
    button.textContent = open ? 'Show less' : 'Show the whole message';
  }
  new ResizeObserver(() => {
    if (!box.classList.contains('clamped')) return;
    if (text.length > FIRST || box.scrollHeight > box.clientHeight + 1) both.append(button);
    else button.remove();
  }).observe(box);
  return both;
}

function endOfPiece(text, start, most) {
  const end = start + most;
  if (end >= text.length) return text.length;
  const line = text.lastIndexOf('\n', end) + 1;
  return line > Math.max(start, end - NEAR) ? line : end;
}
