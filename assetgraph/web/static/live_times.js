// Keeps ages and growing durations current without redrawing the page.

import {h} from './dom.js';
import {ago, duration, exact} from './format.js';

const EVERY_MS = 1000;

/** How long ago, with the exact time on hover. */
export function when(iso, extra = '') {
  return h('time', {class: extra, datetime: iso, title: exact(iso), data: {tick: 'ago'}}, ago(iso));
}

/** A duration; without one, the growing time since `startedAt`. */
export function lasted(seconds, startedAt) {
  if (seconds !== null && seconds !== undefined) return h('span', {}, duration(seconds));
  if (!startedAt) return h('span', {class: 'muted'}, '–');
  return h('span', {data: {tick: 'since', since: startedAt}}, since(startedAt));
}

function since(iso) {
  return duration(Math.max(0, (Date.now() - new Date(iso)) / 1000));
}

setInterval(() => {
  for (const element of document.querySelectorAll('[data-tick]')) {
    const text = element.dataset.tick === 'ago' ? ago(element.dateTime) : since(element.dataset.since);
    if (element.textContent !== text) element.textContent = text;
  }
}, EVERY_MS);
