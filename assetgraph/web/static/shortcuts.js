// Keyboard shortcuts of every page, and the dialog that lists them.

import {h, icon} from './dom.js';
import {openFind} from './global_search.js';

const GO = {o: '/', a: '/assets', l: '/lineage', r: '/runs', d: '/definitions'};
const own = [];
let afterG = false;

/** Adds a shortcut to this page and to the list. `act` is called when the key is pressed. */
export function shortcut(key, text, act) {
  own.push({key, text, act});
}

export function setUpShortcuts() {
  document.getElementById('help-open').addEventListener('click', showHelp);
  for (const one of document.querySelectorAll('[data-find]')) one.addEventListener('click', openFind);
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'k') {
      event.preventDefault();
      openFind();
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector('dialog[open]')) return;
    if (afterG && GO[event.key]) location.assign(GO[event.key]);
    afterG = event.key === 'g';
    if (event.key === '?') showHelp();
    if (event.key === '/') {
      event.preventDefault();
      openFind();
    }
    if (event.key === 'f') focusSearch(event);
    own.find((one) => one.key === event.key)?.act?.(event);
  });
}

function focusSearch(event) {
  const field = document.querySelector('[data-search]');
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
}

function isTyping(element) {
  return element.closest?.('input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]') !== null;
}

function showHelp() {
  const rows = [
    ['/', 'Find assets, groups, columns and runs'],
    document.querySelector('[data-search]') ? ['f', 'Search on this page'] : null,
    ['g o', 'Overview'],
    ['g a', 'Assets'],
    ['g l', 'Lineage'],
    ['g r', 'Runs'],
    ['g d', 'Definitions'],
    ...own.map(({key, text}) => [key, text]),
  ].filter(Boolean);
  const dialog = h(
    'dialog',
    {class: 'help', 'aria-labelledby': 'help-title', onclose: () => dialog.remove()},
    h(
      'div',
      {class: 'dialog-head'},
      h('h2', {id: 'help-title'}, 'Keyboard'),
      h('button', {class: 'tool', type: 'button', 'aria-label': 'Close', onclick: () => dialog.close()}, icon('close')),
    ),
    h(
      'dl',
      {class: 'dialog-body help-list'},
      rows.map(([keys, text]) => [h('dt', {}, keys.split(' ').map((key) => h('kbd', {class: 'kbd'}, key))), h('dd', {}, text)]),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
}
