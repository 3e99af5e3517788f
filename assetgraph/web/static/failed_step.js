// A failed step: its error, the user's line that raised it, and the full trace behind a button.

import {address, assetPage, read} from './api.js';
import {firstLine, plainLine, plainText} from './ansi.js';
import {codeLines} from './code.js';
import {h, icon, patch} from './dom.js';
import {editorTool} from './editor.js';
import {plural} from './format.js';
import {clamped, longText} from './long_text.js';
import {glyph} from './states.js';
import {complain} from './toast.js';

const LONGEST_GIST = 200;
const SHOWN = 6; // of several

/** The panels for the failed steps of run `runId`. Of several, each has a line, and the first is open:
 * so all are seen at once. */
export function failurePanels(runId, failures) {
  if (failures.length === 1) return failurePanel(failures[0], head(failures[0]), parts(runId, failures[0]));
  const lines = failures.map((failure, index) =>
    failurePanel(
      failure,
      h('details', {class: 'failure-one', open: index === 0, key: 'one'}, line(failure), h('div', {class: 'failure-parts'}, link(failure), parts(runId, failure))),
    ),
  );
  const rest = lines.splice(SHOWN);
  return [lines, rest.length ? h('details', {class: 'failure-more', key: 'rest'}, h('summary', {}, `${plural(rest.length, 'more failed step')}`), h('div', {class: 'stack failures'}, rest)) : null];
}

function failurePanel(failure, ...content) {
  return h('section', {class: 'failure', key: `failure-${failure.step}`, 'aria-label': `${failure.step} failed`}, content);
}

function head(failure) {
  return h('div', {class: 'failure-head'}, h('span', {class: 'mark', data: {state: 'failed'}}, glyph('failed')), failed(failure), attempts(failure));
}

/** One failure of several, in a line. */
function line(failure) {
  const {step, type, message, alike_count: alike} = failure;
  const more = alike ? ` and ${plural(alike, 'more partition')}` : '';
  return h(
    'summary',
    {class: 'failure-head'},
    icon('chevron', 'icon-small'),
    h('span', {class: 'mark', data: {state: 'failed'}}, glyph('failed')),
    h('span', {class: 'strong cut failure-step', title: step, dir: 'auto'}, step, more),
    h('span', {class: 'cut grow small failure-gist', dir: 'auto'}, [type, firstLine(message ?? '').slice(0, LONGEST_GIST)].filter(Boolean).join(': ')),
  );
}

function link(failure) {
  return h('div', {class: 'row small'}, failure.key === null ? null : h('a', {class: 'link', href: assetPage(failure.key), dir: 'auto'}, failure.key), attempts(failure));
}

function attempts({attempt}) {
  return h('span', {class: 'muted nowrap'}, attempt > 1 ? `failed on attempt ${attempt}` : 'failed');
}

/** What was raised, and where. */
function parts(runId, failure) {
  const own = failure.frames?.at(-1);
  const above = (failure.frames ?? []).slice(0, -1).reverse();
  return [
    h('div', {class: 'failure-what'}, h('div', {class: 'failure-type'}, failure.type), failure.message ? clamped(plainText(failure.message), {class: 'failure-message', key: `message-${runId}`}) : null),
    failure.causes?.length ? h('ul', {class: 'failure-causes small muted plain'}, failure.causes.map((text) => h('li', {}, plainText(text)))) : null,
    failure.hint ? h('p', {class: 'failure-hint'}, failure.hint) : null,
    own ? frame(own, true) : null,
    above.length
      ? h('details', {class: 'failure-more'}, h('summary', {}, above.length === 1 ? 'Called from 1 frame above' : `Called from ${above.length} frames above`), h('div', {class: 'stack'}, above.map((one) => frame(one, false))))
      : null,
    trace(runId, failure.step),
    failure.alike_count ? alike(failure) : null,
  ];
}

/** The other partitions of the asset that failed at the same place. */
function alike({alike_count: count, alike: steps}) {
  const key = (step) => step.slice(step.indexOf('@') + 1);
  const rest = count - steps.length;
  return h(
    'details',
    {class: 'failure-more', key: 'alike'},
    h('summary', {}, `${plural(count, 'more partition')} failed here`),
    h('p', {class: 'small muted', dir: 'auto'}, steps.map(key).join(', '), rest ? `, and ${plural(rest, 'other')}` : null),
  );
}

/** The name of the step, which leads to its asset, if it has only one. */
function failed({step, key}) {
  const name = {class: 'strong cut', title: step, dir: 'auto'};
  return key === null ? h('span', name, step) : h('a', {...name, href: assetPage(key)}, step);
}

/** The code around a line of a file. */
function frame({file, line, function: name, source: given = [], source_start: begin}, main) {
  const [source, start] = withoutBlankEnds(given, begin);
  return h(
    'div',
    {class: `frame ${main ? 'frame-main' : ''}`},
    h('div', {class: 'frame-place mono'}, icon('code', 'icon-small'), h('span', {class: 'cut'}, `${file}:${line}`), h('span', {class: 'muted cut'}, `in ${name}`), editorTool(`${file}:${line}`), copyButton(`${file}:${line}`)),
    source.length
      ? h(
          'pre',
          {class: 'frame-source'},
          codeLines(source.map(plainLine), 'python').map((parts, index) =>
            h(
              'div',
              {class: 'frame-line', 'aria-current': start + index === line ? 'true' : null},
              h('span', {class: 'frame-number'}, String(start + index)),
              h('span', {class: 'frame-text'}, parts.some(Boolean) ? parts : ' '),
            ),
          ),
        )
      : null,
  );
}

function withoutBlankEnds(lines, start) {
  const first = lines.findIndex((text) => text.trim());
  const last = lines.findLastIndex((text) => text.trim());
  return first < 0 ? [[], start] : [lines.slice(first, last + 1), start + first];
}

function trace(runId, step) {
  const box = h('div', {hidden: true});
  const button = h('button', {class: 'button button-small', type: 'button', 'aria-expanded': 'false', onclick: toggle}, 'Full stack trace');
  async function toggle() {
    try {
      if (!box.firstChild) {
        const {data} = await read(address('runs', runId, 'steps', step));
        patch(box, longText(plainText(data.error.trace), {class: 'code trace', 'aria-label': 'Full stack trace', key: 'text'}));
      }
    } catch (error) {
      complain(error);
      return;
    }
    box.hidden = !box.hidden;
    button.setAttribute('aria-expanded', String(!box.hidden));
  }
  return h('div', {class: 'stack', keep: true, key: 'trace'}, h('div', {}, button), box);
}

function copyButton(text) {
  const button = h('button', {class: 'tool tool-small', type: 'button', title: 'Copy the location', 'aria-label': `Copy ${text}`, onclick: copy}, icon('copy', 'icon-small'));
  async function copy() {
    await navigator.clipboard.writeText(text);
    button.title = 'Copied';
  }
  return button;
}
