// What to do next, for pages that have nothing to show yet.

import {h, icon} from './dom.js';

/** No assets: still loading, broken, or none defined. */
export function noAssets(definitions) {
  if (definitions?.loading) {
    return empty('clock', 'Loading the definitions', h('p', {}, 'The server is importing the project’s modules.'));
  }
  if (definitions?.failure) {
    return empty(
      'warning',
      'The definitions do not load',
      h('p', {}, definitions.failure.message),
      h('a', {class: 'button button-main', href: '/definitions'}, 'See the error'),
    );
  }
  return empty(
    'assets',
    'No assets yet',
    h('p', {}, 'An asset is a function that returns a table, a file or another value. Scaffold the first one in a terminal, then reload the definitions.'),
    h('pre', {class: 'code'}, 'assetgraph scaffold asset assets/trips.py'),
    h('a', {class: 'button', href: '/definitions'}, 'Go to the definitions'),
  );
}

export function noRuns() {
  return empty(
    'runs',
    'No runs yet',
    h('p', {}, 'A run materializes assets and records what happened. Start one on the Assets page, or in a terminal:'),
    h('pre', {class: 'code'}, 'assetgraph materialize --all'),
    h('a', {class: 'button button-main', href: '/assets'}, 'Go to the assets'),
  );
}

export function empty(name, title, ...parts) {
  return h('div', {class: 'empty', key: 'empty'}, icon(name, 'empty-art'), h('h2', {}, title), parts);
}
