// A dialog that asks before something is done that cannot be undone.

import {h, icon} from './dom.js';

/** Asks, and returns whether the user agrees. The focus begins at the button that does nothing. */
export function confirmed({title, body, refuse, agree}) {
  return new Promise((answer) => {
    let agreed = false;
    const button = h('button', {class: 'button', type: 'button', onclick: () => dialog.close()}, refuse);
    const dialog = h(
      'dialog',
      {class: 'confirm', 'aria-labelledby': 'confirm-title', onclose: close},
      h('div', {class: 'dialog-head'}, h('h2', {id: 'confirm-title'}, title), h('button', {class: 'tool', type: 'button', 'aria-label': 'Close', onclick: () => dialog.close()}, icon('close'))),
      h('div', {class: 'dialog-body stack'}, body),
      h('div', {class: 'dialog-foot'}, button, h('button', {class: 'button button-danger button-danger-main', type: 'button', onclick: agreeAndClose}, agree)),
    );
    function agreeAndClose() {
      agreed = true;
      dialog.close();
    }
    function close() {
      dialog.remove();
      answer(agreed);
    }
    document.body.append(dialog);
    dialog.showModal();
    button.focus();
  });
}
