// Deletes or cancels several runs at once, after asking.

import {address, write} from './api.js';
import {confirmed} from './confirm.js';
import {h} from './dom.js';
import {plural, runName} from './format.js';
import {runMark} from './states.js';
import {complain, toast} from './toast.js';

const NAMED = 8;

export function inProgress(run) {
  return run.status === 'STARTED';
}

/** Asks whether to delete the ended ones of `runs`, and deletes them. Returns those. */
export async function deleteRuns(runs) {
  const ended = runs.filter((run) => !inProgress(run));
  const living = runs.length - ended.length;
  const agreed = await confirmed({
    title: `Delete ${plural(ended.length, 'run')}?`,
    body: [
      listed(ended),
      h('p', {class: 'muted'}, 'Their logs and all that their steps printed are deleted. The values and the history of the assets stay.'),
      living ? h('p', {class: 'muted'}, `${plural(living, 'selected run')} in progress ${living === 1 ? 'stays' : 'stay'}. Cancel ${living === 1 ? 'it' : 'them'} first.`) : null,
    ],
    refuse: ended.length === 1 ? 'Keep it' : 'Keep them',
    agree: `Delete ${plural(ended.length, 'run')}`,
  });
  return agreed ? act('delete', ended, 'Deleted') : [];
}

/** Asks whether to cancel those of `runs` that are in progress, and does. Returns those. */
export async function cancelRuns(runs) {
  const living = runs.filter(inProgress);
  const agreed = await confirmed({
    title: `Cancel ${plural(living.length, 'run')}?`,
    body: [listed(living), h('p', {class: 'muted'}, 'Running steps are stopped, and the rest does not start. What is materialized by then stays.')],
    refuse: living.length === 1 ? 'Let it run' : 'Let them run',
    agree: `Cancel ${plural(living.length, 'run')}`,
  });
  return agreed ? act('cancel', living, 'Canceling') : [];
}

async function act(verb, runs, said) {
  try {
    const {done, refused} = await write(address('runs', verb), {runs: runs.map((run) => run.run_id)});
    if (done.length) toast('fresh', [`${said} ${plural(done.length, 'run')}.`]);
    for (const {message, hint} of refused.slice(0, 2)) complain({message, hint});
    return runs;
  } catch (error) {
    complain(error);
    return [];
  }
}

function listed(runs) {
  const rest = runs.length - NAMED;
  return h(
    'ul',
    {class: 'confirm-list'},
    runs.slice(0, NAMED).map((run) => h('li', {class: 'row'}, runMark(run.status), h('span', {class: 'nowrap', title: run.run_id}, runName(run.run_id)), h('span', {class: 'cut grow muted', dir: 'auto'}, run.asset_count === 1 ? run.assets[0] : plural(run.asset_count, 'asset')))),
    rest > 0 ? h('li', {class: 'muted small'}, `and ${plural(rest, 'other')}`) : null,
  );
}
