// The tabs of a page whose address names the one that is shown, so that each can be linked to.

import {h} from './dom.js';
import {parameters, remember} from './address_state.js';

const NAME = 'tab';

/** The tab that the address names; the first of `names` where it names none of them. */
export function tabInAddress(names) {
  const named = parameters().get(NAME);
  return names.includes(named) ? named : names[0];
}

/** Links to the tabs, `[name, text, count]` each; `choose(name)` is called for another one. */
export function tabLinks(label, tabs, chosen, choose) {
  const [[first]] = tabs;
  const href = (name) => {
    const query = parameters();
    query.delete(NAME);
    if (name !== first) query.set(NAME, name);
    return `?${query}`;
  };
  const follow = (event, name) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return; // a tab of the browser
    event.preventDefault();
    if (name === chosen) return;
    remember({[NAME]: name === first ? null : name}, {step: true});
    choose(name);
  };
  return h(
    'nav',
    {class: 'page-tabs', 'aria-label': label, key: 'tabs'},
    tabs.map(([name, text, count]) =>
      h('a', {href: href(name), 'aria-current': name === chosen ? 'page' : null, onclick: (event) => follow(event, name), key: name}, text, count ? h('span', {class: 'count'}, count.toLocaleString('en')) : null),
    ),
  );
}
