// How many partitions of an asset are up to date.

import {h} from './dom.js';

/** The number of partitions that are up to date, and of all: from counts by state, or as they are. */
export function share({partitions}) {
  if (!partitions) return null;
  if (Array.isArray(partitions)) return partitions;
  return [partitions.fresh ?? 0, Object.values(partitions).reduce((sum, count) => sum + count, 0)];
}

/** `34/36`, for an asset with partitions. */
export function partitionShare(asset) {
  const counts = share(asset);
  if (!counts?.[1]) return null;
  const [fresh, all] = counts.map((count) => count.toLocaleString('en'));
  const text = `${fresh} of ${all} partitions are up to date`;
  return h('span', {class: 'muted small nowrap partition-share', title: text}, h('span', {'aria-hidden': 'true'}, `${fresh}/${all}`), h('span', {class: 'visually-hidden'}, text));
}
