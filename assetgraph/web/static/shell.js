// The life of every page: load, draw, follow the stream, draw again. Also draws the frame.

import {address, assetPage, read, runPage, write} from './api.js';
import {h, icon, patch} from './dom.js';
import {plural, runName} from './format.js';
import {openFind} from './global_search.js';
import {follow} from './tab_stream.js';
import {setUpShortcuts} from './shortcuts.js';
import {setUpTheme} from './theme_switch.js';
import {announce, complain, toast} from './toast.js';

const main = document.getElementById('main');
let summary = null;
let page = null;
let waiting = false;
let listening = false;
let reloading = false;
let rereads = 0;
const underway = new Set(); // of each load: the changes since it began

/**
 * Runs a page.
 *
 * `load()` loads the page's data and returns its position in the stream, or null. `draw()` returns
 * the content of the main part. `hear(change)` applies a change from the stream and returns whether
 * to draw again. `fill` removes the padding of the main part.
 */
export async function start(given) {
  page = given;
  main.classList.toggle('fill', Boolean(page.fill));
  history.scrollRestoration = 'manual';
  window.addEventListener('pagehide', () => sessionStorage.setItem(placeName(), String(scrollY)));
  setUpTheme();
  setUpShortcuts();
  await loadAll();
}

/** Draws the page again in the next frame. */
export function redraw() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    if (!page.broken) patch(main, page.draw());
  });
}

export function definitions() {
  return summary?.definitions ?? null;
}

function setTitle(...parts) {
  patch(document.getElementById('bar-title'), ...parts);
}

export function setActions(...parts) {
  patch(document.getElementById('bar-actions'), ...parts);
}

export function crumbs(links, title) {
  setTitle(
    links.map(([text, href]) => [h('a', {class: 'crumb', href}, text), h('span', {class: 'crumb-line', 'aria-hidden': 'true'}, '/')]),
    h('h1', {title}, title),
  );
}

async function loadAll() {
  const [around, own] = await Promise.allSettled([read(address('summary')), loadPage()]);
  try {
    const {data, position} = valueOf(around);
    summary = data;
    drawFrame();
    listen(own.status === 'fulfilled' ? earlier(position, own.value) : position);
    valueOf(own);
    page.broken = false;
    patch(main, page.draw());
    if (!page.started) {
      page.ready?.();
      returnToPlace();
    }
    page.started = true;
    document.body.dataset.ready = '';
  } catch (error) {
    breakOff(error);
  }
}

/** Loads the data of the page, or what `load` does. Changes that come while the answer is on its way
 * are heard once more after it: the answer may be from before them. */
export async function loadPage(load = page.load) {
  const heard = [];
  underway.add(heard);
  try {
    const position = await load();
    for (const change of heard) page.hear(change);
    return position;
  } finally {
    underway.delete(heard);
  }
}

/** Loads the data of the page again and draws it. What it is about may be gone by now. */
export async function reread() {
  const number = (rereads += 1);
  try {
    await loadPage();
    redraw();
  } catch (error) {
    if (number === rereads) breakOff(error);
  }
}

function breakOff(error) {
  page.broken = true;
  patch(main, problem(error));
  document.body.dataset.ready = 'problem';
  if (error.status === 0) setTimeout(loadAll, 1000);
  else if (!error.status) throw error;
}

/** After Back, Forward or a reload, scrolls to where the reader was: the browser would try before
 * the content is there. */
function returnToPlace() {
  const [{type} = {}] = performance.getEntriesByType('navigation');
  const place = Number(sessionStorage.getItem(placeName()));
  if (place && (type === 'back_forward' || type === 'reload')) scrollTo(0, place);
}

function placeName() {
  return `assetgraph-place ${location.pathname}${location.search}`;
}

function valueOf({status, value, reason}) {
  if (status === 'rejected') throw reason;
  return value;
}

function listen(position) {
  if (listening) return;
  listening = true;
  follow(position, {
    heard: hear,
    lost: loadAll,
    shown(state) {
      const live = document.getElementById('live');
      if (live.dataset.live === 'lost' && state === 'open') loadAll();
      for (const one of document.querySelectorAll('[data-live]')) one.dataset.live = state;
      document.querySelector('.nav-more').title = state === 'open' ? 'Live' : 'Reconnecting …';
      patch(document.getElementById('live-text'), state === 'open' ? 'Live' : 'Reconnecting …');
    },
  });
}

function hear(change) {
  hearSummary(change);
  if (page.broken) retry(change);
  else {
    for (const heard of underway) heard.push(change);
    if (page.hear(change)) redraw();
  }
}

/** Tries again when a change may have fixed the problem. */
function retry(change) {
  const loaded = change.definitions && !change.definitions.loading;
  if (loaded || change.runs || change.gone_runs) loadAll();
}

function hearSummary(change) {
  let touched = Boolean(change.definitions);
  if (change.definitions) {
    const loaded = change.definitions.loaded_at !== summary.definitions.loaded_at;
    summary.definitions = change.definitions;
    if (loaded) document.dispatchEvent(new Event('definitions-loaded'));
  }
  if ('trouble' in change) {
    summary.trouble = change.trouble;
    touched = true;
  }
  if (change.counts) {
    summary.counts = change.counts;
    touched = true;
  }
  for (const run of change.runs ?? []) {
    const before = summary.running.find((one) => one.run_id === run.run_id);
    summary.running = summary.running.filter((one) => one.run_id !== run.run_id);
    if (run.status === 'STARTED') summary.running.push(run);
    if (run.status !== 'STARTED' || !before) tell(run);
    touched = true;
  }
  if (touched) drawFrame();
}

function tell(run) {
  const name = subject(run);
  const link = h('a', {class: 'link nowrap', href: runPage(run.run_id)}, runName(run.run_id));
  const elsewhere = document.body.dataset.about === run.run_id;
  const [tone, text] = {
    STARTED: ['running', 'Materializing '],
    SUCCESS: ['fresh', 'Materialized '],
    FAILURE: ['failed', 'Failed: '],
    CANCELED: ['missing', 'Canceled: '],
    INTERRUPTED: ['stale', 'Interrupted: '],
  }[run.status];
  if (elsewhere) announce(`${text}${name}`);
  else toast(tone, [text, h('span', {class: 'strong'}, name), ' · run ', link], {key: run.run_id});
}

/** What a note about a run is about: the assets that failed, or else how many were made. */
function subject(run) {
  const failed = run.failed_steps ?? [];
  if (run.status === 'FAILURE' && failed.length) return `${failed.length === 1 ? failed[0] : plural(failed.length, 'asset')}${run.asset_count > failed.length ? ` (of ${run.asset_count})` : ''}`;
  const made = (run.step_counts.success ?? 0) + (run.step_counts.unchanged ?? 0);
  if (run.asset_count > 1 && ['CANCELED', 'INTERRUPTED'].includes(run.status)) return `${made} of ${run.asset_count} assets were done`;
  return run.asset_count === 1 ? run.assets[0] : plural(run.asset_count, 'asset');
}

function drawFrame() {
  const {counts, running} = summary;
  badge('assets', counts.failed ? 'failed' : counts.stale ? 'stale' : null, counts.failed || counts.stale);
  badge('runs', running.length ? 'running' : null, running.length);
  badge('definitions', summary.definitions.failure ? 'failed' : null, '!');
  patch(document.getElementById('banners'), banners());
}

async function reload() {
  reloading = true;
  drawFrame();
  try {
    await write(address('definitions', 'reload'));
  } catch (error) {
    complain(error);
  }
  reloading = false;
  drawFrame();
}

function badge(name, state, text) {
  const element = document.getElementById(`badge-${name}`);
  if (state) element.dataset.state = state;
  else delete element.dataset.state;
  patch(element, state ? String(text) : '');
  element.title = {failed: 'failed', stale: 'stale', running: 'running'}[state] ?? '';
}

function banners() {
  const {failure, changed_on_disk: changed, loaded_at: loaded} = summary.definitions;
  const found = [];
  if (failure && document.body.dataset.page !== 'definitions') {
    const kept = loaded ? ' The page shows the last valid ones, and no run can start.' : '';
    const text = changed ? `The definitions did not load: ${failure.message} Files changed since then. ` : `The definitions do not load: ${failure.message}${kept} `;
    found.push(banner('failed', text, h('a', {href: '/definitions'}, 'See the error'), ' ', reloadButton()));
  } else if (changed && document.body.dataset.page !== 'definitions') {
    found.push(banner('stale', 'Files changed since the definitions were loaded. ', reloadButton()));
  }
  for (const {message} of summary.damage) found.push(banner('failed', message));
  if (summary.trouble) found.push(banner('failed', summary.trouble));
  return found;
}

function reloadButton() {
  return h('button', {class: 'banner-button', type: 'button', disabled: reloading, onclick: reload}, reloading ? 'Reloading …' : 'Reload definitions');
}

function banner(state, ...parts) {
  return h('div', {class: 'banner', data: {state}}, icon('warning'), h('span', {}, parts));
}

function problem(error) {
  return h(
    'div',
    {class: 'empty'},
    icon('warning', 'empty-art'),
    h('h2', {}, error.status === 404 ? 'Not found' : 'Something went wrong'),
    h('p', {}, error.message),
    error.assets ? h('ul', {class: 'row wrap', 'aria-label': 'Assets that may be meant'}, error.assets.map((key) => h('li', {key}, h('a', {class: 'button', href: assetPage(key), dir: 'auto'}, key)))) : error.hint ? h('p', {class: 'muted'}, error.hint) : null,
    error.status === 404 ? h('button', {class: 'button', type: 'button', onclick: openFind}, icon('search', 'icon-small'), 'Find something else') : null,
  );
}

function earlier(a, b) {
  if (!b) return a;
  const number = (position) => Number(position.split('.')[1]);
  return number(b) < number(a) ? b : a;
}
