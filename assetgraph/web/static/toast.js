// Short notes in a corner of the page.

import {h, icon} from './dom.js';
import {glyph} from './states.js';

const STAYS_MS = 8000;
const MOST = 4;

/** Shows a note with text and links. `tone` colours it, and `more` is output to show below. A note
 * about a failure stays until the user closes it. A note replaces an earlier one with its `key`. */
export function toast(tone, parts, {more = null, key = null} = {}) {
  const box = document.getElementById('toasts');
  const note = h(
    'div',
    {class: 'toast', data: {state: tone, key}},
    h('span', {class: 'mark', data: {state: tone}}, glyph(tone)),
    h('div', {class: 'toast-text'}, parts, more ? h('div', {class: 'toast-more'}, more) : null),
    h('button', {class: 'tool', type: 'button', 'aria-label': 'Close', onclick: () => note.remove()}, icon('close', 'icon-small')),
  );
  if (key) box.querySelector(`[data-key="${CSS.escape(key)}"]`)?.remove();
  box.append(note);
  while (box.childElementCount > MOST) box.firstElementChild.remove();
  announce(note.querySelector('.toast-text').textContent);
  if (tone !== 'failed') setTimeout(() => note.remove(), STAYS_MS);
}

/** Shows a failed request as a note. */
export function complain(error) {
  const [first, ...rest] = error.message.split('\n');
  toast('failed', [first, error.hint ? ` ${error.hint}` : null], {more: rest.join('\n').trim() || null});
}

/** Announces a text to screen readers. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}
