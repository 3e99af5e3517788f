// A small part of Markdown as elements: headings, paragraphs, lists, code, emphasis, and web links.
// Everything else stays plain text.

import {plainText} from './ansi.js';
import {code, languageOf} from './code.js';
import {h} from './dom.js';

const LONGEST = 100_000;
const FENCE = /^\s*```\s*([\w+-]*)/;
const HEADING = /^(#{1,6})\s+(?=\S)/;
const ITEM = /^\s*(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
// No part may read on past the character that it starts with: text of many such characters would
// then be read once for each of them.
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|__([^_\n]+)__|\*([^*\n]+)\*|(?<!\w)_([^_\n]+)_(?!\w)|\[([^[\]\n]+)\]\((https?:\/\/[^\s()]+)\)|(https?:\/\/[^\s<>()]+)/gi;

export function markdown(source) {
  const lines = new Lines(plainText(source.slice(0, LONGEST)));
  const blocks = [];
  while (!lines.atEnd) {
    if (!lines.next.trim()) lines.take();
    else blocks.push(block(lines));
  }
  if (source.length > LONGEST) blocks.push(h('p', {class: 'muted small'}, `The first ${LONGEST} of ${source.length} characters.`));
  return h('div', {class: 'prose markdown', dir: 'auto'}, blocks);
}

/** The first line of a text without the marks of Markdown. */
export function markdownGist(source) {
  const line = (source ?? '').split('\n').find((one) => one.trim()) ?? '';
  return line.trim().replace(HEADING, '').replace(INLINE, (whole, ...parts) => parts.slice(0, 6).find(Boolean) ?? whole);
}

/** The lines of a text, from a place that moves on. */
class Lines {
  constructor(text) {
    this.all = text.split('\n');
    this.at = 0;
  }

  get atEnd() {
    return this.at >= this.all.length;
  }

  get next() {
    return this.all[this.at];
  }

  take() {
    return this.all[this.at++];
  }

  takeWhile(wanted) {
    const start = this.at;
    while (!this.atEnd && wanted(this.next)) this.at += 1;
    return this.all.slice(start, this.at);
  }
}

/** Takes the next block from `lines`. */
function block(lines) {
  if (FENCE.test(lines.next)) return fenced(lines);
  const heading = HEADING.exec(lines.next);
  if (heading) {
    const text = withoutClosing(lines.take().slice(heading[0].length));
    return h('p', {class: 'markdown-heading', role: 'heading', 'aria-level': String(Math.min(6, heading[1].length + 2))}, inline(text));
  }
  if (ITEM.test(lines.next)) return list(lines);
  const text = lines.takeWhile((line) => line.trim() && !FENCE.test(line) && !HEADING.test(line) && !ITEM.test(line));
  return h('p', {}, inline(text.join('\n')));
}

/** A heading without the number signs that may close it. */
function withoutClosing(text) {
  const trimmed = text.trimEnd();
  let end = trimmed.length;
  while (end > 0 && trimmed[end - 1] === '#') end -= 1;
  return trimmed.slice(0, end).trimEnd();
}

function fenced(lines) {
  const [, name] = FENCE.exec(lines.take());
  const inside = lines.takeWhile((line) => !FENCE.test(line));
  lines.take();
  return h('pre', {class: 'code', tabindex: '0'}, code(inside.join('\n'), languageOf(name)));
}

function list(lines) {
  const [, number] = ITEM.exec(lines.next);
  const items = lines.takeWhile((line) => ITEM.test(line) && Boolean(ITEM.exec(line)[1]) === Boolean(number));
  return h(number ? 'ol' : 'ul', {start: number ?? null}, items.map((line) => h('li', {}, inline(ITEM.exec(line)[2]))));
}

function inline(text) {
  const parts = [];
  let at = 0;
  for (const match of text.matchAll(INLINE)) {
    parts.push(text.slice(at, match.index), marked(match));
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  return parts;
}

function marked([, inCode, strong, alsoStrong, emphasis, alsoEmphasis, title, href, bare]) {
  if (inCode) return h('code', {}, inCode);
  if (strong ?? alsoStrong) return h('strong', {}, strong ?? alsoStrong);
  if (emphasis ?? alsoEmphasis) return h('em', {}, emphasis ?? alsoEmphasis);
  return h('a', {class: 'link', href: href ?? bare, target: '_blank', rel: 'noopener noreferrer'}, title ?? bare);
}
