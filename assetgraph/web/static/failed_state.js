// What is shown beside the state of an asset whose last attempt failed.

import {runPage} from './api.js';
import {h, withCode} from './dom.js';
import {when} from './live_times.js';

const FAILURES = {
  attempt_failed: (reason) => `its last attempt failed: ${reason.error}`,
  past_failure: (reason) => [...withCode(`its last attempt failed ${reason.changes.join(' and ')}`), `: ${reason.error}`],
};

/** The reasons to show, after those the failure that no longer counts. */
export function shownReasons(asset) {
  return [...asset.reasons.filter((reason) => reason.kind !== 'never_materialized'), asset.past_failure].filter(Boolean);
}

/** A reason as text. A failure has its error in place of the ids of runs, which are links. */
export function reasonText(reason) {
  return FAILURES[reason.kind]?.(reason) ?? withCode(reason.text);
}

/** The tone of a reason. */
export function reasonTone(reason) {
  return reason.kind in FAILURES ? 'failed' : 'stale';
}

/** One line about why an asset is in its state. */
export function mainReason(asset) {
  return failedReason(asset) ?? asset.reasons[0] ?? asset.past_failure ?? null;
}

/** Whether the asset failed and the value of an earlier run is still used. */
export function valueInUse(asset) {
  return asset.state === 'failed' && Boolean(failedReason(asset)?.value_run_id && asset.materialization);
}

/** How old the failure is, with a link to its run. */
export function failedAge(asset) {
  if (asset.state !== 'failed' || !asset.failure) return null;
  return h('a', {class: 'quiet-link nowrap failed-age', href: runPage(asset.failure.run_id)}, when(asset.failure.timestamp));
}

/** How old the failure is, and the value that is still in use. */
export function failedNote(asset) {
  const age = failedAge(asset);
  if (!age || !valueInUse(asset)) return age;
  return [age, h('span', {class: 'muted'}, ' · value from ', when(asset.materialization.timestamp), ' still in use')];
}

function failedReason(asset) {
  return asset.reasons.find((reason) => reason.kind === 'attempt_failed');
}
