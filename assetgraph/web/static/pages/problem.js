// The page for an address that does not exist.

import {h, icon} from '../dom.js';
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
      h('p', {}, 'It may have been renamed or deleted.'),
      h('a', {class: 'button', href: '/'}, 'Go to the overview'),
    ),
});
