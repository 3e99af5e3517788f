// What is shown beside the state of an asset whose last attempt failed.

import {runPage} from './api.js';
import {h} from './dom.js';
import {when} from './ticks.js';

/** The reason for a failed state, if it is one. */
export function failedReason(asset) {
  return asset.reasons.find((reason) => reason.kind === 'attempt_failed');
}

/** One line about why an asset is in its state. */
export function mainReason(asset) {
  return failedReason(asset) ?? asset.reasons[0] ?? asset.past_failure ?? null;
}

/** How old the failure is, and that the value of an earlier run is still used. */
export function failedNote(asset) {
  if (asset.state !== 'failed' || !asset.failure) return null;
  const inUse = failedReason(asset)?.value_run_id && asset.materialization;
  return [
    h('a', {class: 'quiet-link nowrap', href: runPage(asset.failure.run_id), key: 'failed-at'}, when(asset.failure.timestamp)),
    inUse ? h('span', {class: 'muted', key: 'in-use'}, ' · value from ', when(asset.materialization.timestamp), ' still in use') : null,
  ];
}
