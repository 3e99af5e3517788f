// Links that open a file at a line in the user's editor, which a browser does by an address of its
// own scheme. The choice of an editor is kept in this browser.

import {h, icon} from './dom.js';

const NAME = 'assetgraph-editor';
const OTHER = 'other';
const EDITORS = {
  code: ['VS Code', 'vscode://file{path}:{line}'],
  cursor: ['Cursor', 'cursor://file{path}:{line}'],
  codium: ['VSCodium', 'vscodium://file{path}:{line}'],
  windsurf: ['Windsurf', 'windsurf://file{path}:{line}'],
  zed: ['Zed', 'zed://file{path}:{line}'],
  pycharm: ['PyCharm', 'pycharm://open?file={path}&line={line}'],
  idea: ['IntelliJ IDEA', 'idea://open?file={path}&line={line}'],
  subl: ['Sublime Text', 'subl://open?url=file://{path}&line={line}'],
  mate: ['TextMate', 'txmt://open?url=file://{path}&line={line}'],
};
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);
const SAFE = /^(?!javascript:|data:|vbscript:|blob:|about:)[a-z][a-z0-9+.-]*:/i;
const {root, editor: ofServer} = document.body.dataset;

/** A link that opens a place such as `trips.py:12`, around `inner`; only `inner` where it cannot. */
export function editorLink(place, inner, classes) {
  const href = addressOf(place);
  return href ? h('a', {class: classes, href, title: opens(), key: 'editor'}, inner) : inner;
}

/** A small button that opens a place; null where it cannot. */
export function editorTool(place) {
  const href = addressOf(place);
  return href ? h('a', {class: 'tool tool-small', href, title: opens(), 'aria-label': `${opens()}: ${place}`}, icon('open', 'icon-small')) : null;
}

/** A button that opens a place, beside one that chooses the editor; null where it cannot. */
export function editorButtons(place, changed) {
  const href = addressOf(place);
  if (!href) return null;
  return h(
    'span',
    {class: 'editor-buttons', key: 'editor'},
    h('a', {class: 'button button-small', href, id: 'open-in-editor'}, icon('open', 'icon-small'), opens()),
    h('button', {class: 'button button-small', type: 'button', title: 'Choose the editor', 'aria-label': 'Choose the editor', onclick: () => choose(changed)}, icon('chevron', 'icon-small')),
  );
}

/** Opens a place in the editor, where it can. */
export function openInEditor(place) {
  const href = addressOf(place);
  if (href) location.assign(href);
}

function opens() {
  return `Open in ${EDITORS[chosen().name]?.[0] ?? 'the editor'}`;
}

/** The address that opens a place. Files are on the server's machine, so only there is one. */
function addressOf(place) {
  const [, file, line] = /^(.+):(\d+)$/.exec(place ?? '') ?? [];
  const {template} = chosen();
  if (!file || file.startsWith('<') || !LOOPBACK.has(location.hostname)) return null;
  const path = (file.startsWith('/') ? file : `${root}/${file}`).split('/').map(encodeURIComponent).join('/');
  return template.replaceAll('{path}', () => path).replaceAll('{line}', line);
}

function chosen() {
  const kept = localStorage.getItem(NAME) ?? '';
  const [, template] = /^other (.+)$/.exec(kept) ?? [];
  if (template && SAFE.test(template)) return {name: OTHER, template};
  const name = [kept, ofServer].find((one) => Object.hasOwn(EDITORS, one)) ?? 'code';
  return {name, template: EDITORS[name][1]};
}

function choose(changed) {
  const now = chosen();
  const template = h('input', {class: 'field mono', 'aria-label': 'Address for another editor', placeholder: 'editor://open?file={path}&line={line}', value: now.name === OTHER ? now.template : '', onfocus: () => (radio(OTHER).checked = true), oninput: () => keep(OTHER)});
  const one = (name, text, more = null) => h('li', {}, h('label', {class: 'row editor-choice'}, h('input', {type: 'radio', name: 'editor', value: name, checked: now.name === name, onchange: () => keep(name)}), h('span', {}, text)), more);
  const dialog = h(
    'dialog',
    {class: 'confirm', 'aria-labelledby': 'editor-title', onclose: () => dialog.remove()},
    h('div', {class: 'dialog-head'}, h('h2', {id: 'editor-title'}, 'Open code in'), h('button', {class: 'tool', type: 'button', 'aria-label': 'Close', onclick: () => dialog.close()}, icon('close'))),
    h(
      'div',
      {class: 'dialog-body stack'},
      h('ul', {class: 'editor-choices'}, Object.entries(EDITORS).map(([name, [text]]) => one(name, text)), one(OTHER, 'Another editor, by the address that opens a file in it', template)),
      h('p', {class: 'muted small'}, 'This browser keeps the choice.'),
    ),
  );
  const radio = (name) => dialog.querySelector(`input[value=${name}]`);
  function keep(name) {
    localStorage.setItem(NAME, name === OTHER ? `${OTHER} ${template.value.trim()}` : name);
    changed();
  }
  document.body.append(dialog);
  dialog.showModal();
  radio(now.name).focus();
}
