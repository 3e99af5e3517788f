// The page for an address that does not exist.

import {h, icon} from '../dom.js';
import {openFind} from '../global_search.js';
import {start} from '../shell.js';

start({
  load: async () => null,
  hear: () => false,
  draw: () =>
    h(
      'div',
      {class: 'empty'},
      icon('search', 'empty-art'),
      h('h2', {}, document.body.dataset.text),
      h('p', {}, 'It may be mistyped, or cut where it was copied.'),
      h('div', {class: 'row wrap'}, h('button', {class: 'button button-main', type: 'button', onclick: openFind}, icon('search', 'icon-small'), 'Find something'), h('a', {class: 'button', href: '/'}, 'Go to the overview')),
    ),
});
