// Output as a terminal would show it: with colours, and without the parts of a line that a carriage
// return wrote over. All other control sequences are dropped, or shown as visible signs.

import {h} from './dom.js';

const ESCAPE = /\x1b(?:\[([0-9;:?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;
const LINE_END = /\r\n|\r|\n/;
const LONGEST_LINE = 4000;
const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];

/** Lines of output as elements. */
export function terminalLines(text) {
  const style = {colour: null, bold: false};
  return text.split('\n').map((line) => h('div', {class: 'out-line'}, pieces(overwritten(line), style)));
}

/** A line as plain text. */
export function plainLine(text) {
  return visible(overwritten(text).replace(ESCAPE, ''));
}

/** Several lines as plain text. Every line end breaks a line, so that no text is lost. */
export function plainText(text) {
  return text
    .split(LINE_END)
    .map((line) => visible(line.replace(ESCAPE, '')))
    .join('\n');
}

/** The first line of a text that is not empty. */
export function firstLine(text) {
  const start = text.trimStart().slice(0, LONGEST_LINE);
  return plainText(start.split(LINE_END, 1)[0]);
}

function overwritten(line) {
  return line.split('\r').findLast((part) => part !== '') ?? '';
}

function pieces(line, style) {
  const found = [];
  let at = 0;
  for (const match of line.matchAll(ESCAPE)) {
    add(found, line.slice(at, match.index), style);
    at = match.index + match[0].length;
    if (match[2] === 'm') restyle(style, match[1]);
  }
  add(found, line.slice(at), style);
  return found;
}

function add(found, text, {colour, bold}) {
  if (!text) return;
  const shown = visible(text);
  if (!colour && !bold) found.push(shown);
  else found.push(h('span', {class: `${colour ? `ansi-${colour}` : ''} ${bold ? 'strong' : ''}`.trim()}, shown));
}

function restyle(style, codes) {
  for (const code of (codes || '0').split(';').map(Number)) {
    if (code === 0) Object.assign(style, {colour: null, bold: false});
    else if (code === 1) style.bold = true;
    else if (code === 22) style.bold = false;
    else if (code === 39) style.colour = null;
    else if (code >= 30 && code <= 37) style.colour = COLOURS[code - 30];
    else if (code >= 90 && code <= 97) style.colour = COLOURS[code - 90];
  }
}

/** Replaces control characters by visible signs, so that they hide nothing and have no effect. */
function visible(text) {
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/g, (sign) => {
    const code = sign.charCodeAt(0);
    if (code === 0x7f) return '\u2421';
    return code < 0x20 ? String.fromCharCode(0x2400 + code) : `\u27e8U+${code.toString(16).toUpperCase()}\u27e9`;
  });
}
