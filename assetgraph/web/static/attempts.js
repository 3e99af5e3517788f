// An asset's materializations and failed attempts, newest first.

import {firstLine, plainText} from './ansi.js';
import {runPage} from './api.js';
import {caveatNote, caveatSign, warningIn, withoutWarning} from './caveat.js';
import {h, icon} from './dom.js';
import {duration} from './format.js';
import {longText} from './long_text.js';
import {kindOf, metadataTable, metadataValue} from './metadata.js';
import {withoutSchema} from './schema.js';
import {toggling} from './opening.js';
import {redraw} from './shell.js';
import {glyph} from './states.js';
import {when} from './live_times.js';

const SHOWN_FACTS = 3;
const LONGEST_GIST = 80;
const opened = new Set();

export function attemptList(attempts, {partitioned = false} = {}) {
  return h('ul', {class: 'attempts'}, attempts.map((attempt) => attemptLine(attempt, partitioned)));
}

/** An attempt, whose details are drawn only while they are open: there may be many, of any length. */
function attemptLine(attempt, partitioned) {
  const made = attempt.type === 'materialization';
  const found = attempt.evaluation; // of a check
  const state = !made || (found && !found.passed) ? (found?.severity === 'WARN' ? 'stale' : 'failed') : 'fresh';
  const key = `${attempt.run_id} ${attempt.timestamp} ${attempt.partition ?? ''}`;
  const toggled = (open) => {
    if (open === opened.has(key)) return;
    if (open) opened.add(key);
    else opened.delete(key);
    redraw();
  };
  return h(
    'li',
    {key},
    h(
      'details',
      {class: 'attempt', key: 'details', open: opened.has(key), ...toggling(toggled)},
      h(
        'summary',
        {},
        icon('chevron', 'icon-small'),
        h('span', {class: 'mark pill', data: {state}}, glyph(state), found ? (found.passed ? 'passed' : 'failed') : made ? attempt.origin || 'materialized' : 'failed'),
        partitioned && attempt.partition !== null ? h('span', {class: 'small nowrap', dir: 'auto'}, attempt.partition) : null,
        made ? caveatSign({warning: warningIn(attempt.metadata)}) : null,
        h('span', {class: 'cut grow muted attempt-gist', dir: 'auto'}, made ? gist(attempt.metadata) : firstLine(attempt.error)),
        when(attempt.timestamp, 'muted small'),
        h('span', {class: 'small attempt-duration'}, duration(attempt.duration_s)),
      ),
      opened.has(key) ? details(attempt, made) : null,
    ),
  );
}

function details(attempt, made) {
  return h(
    'div',
    {class: 'attempt-body'},
    made ? caveatNote({warning: warningIn(attempt.metadata)}) : null,
    made ? metadataTable(withoutWarning(withoutSchema(attempt.metadata))) : longText(plainText(attempt.error), {class: 'code', 'aria-label': 'Error', key: 'error'}),
    h(
      'dl',
      {class: 'facts'},
      attempt.run_id ? [h('dt', {}, 'Run'), h('dd', {}, h('a', {class: 'link mono', href: runPage(attempt.run_id)}, attempt.run_id))] : null,
      made ? [h('dt', {}, 'Data version'), h('dd', {}, h('code', {}, attempt.data_version))] : null,
      attempt.code_version ? [h('dt', {}, 'Code version'), h('dd', {}, h('code', {}, attempt.code_version))] : null,
      Object.keys(attempt.config).length ? [h('dt', {}, 'Config'), h('dd', {}, h('code', {}, JSON.stringify(attempt.config)))] : null,
      Object.entries(attempt.inputs).map(([name, version]) => [h('dt', {dir: 'auto'}, `read ${name}`), h('dd', {}, h('code', {}, version.slice(0, 12)))]),
    ),
  );
}

/** A value for a summary line, which may not contain links. */
function brief(recorded) {
  const {type, value} = kindOf(recorded);
  return type === 'text' ? firstLine(String(value)).slice(0, LONGEST_GIST) : metadataValue(recorded);
}

function gist(metadata) {
  const short = Object.entries(withoutWarning(metadata)).filter(([, value]) => ['int', 'float', 'bool', 'text'].includes(kindOf(value).type));
  return short.slice(0, SHOWN_FACTS).map(([name, value], index) => h('span', {}, index ? ' · ' : '', `${name} `, h('span', {class: 'attempt-value'}, brief(value))));
}
