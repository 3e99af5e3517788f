// A small part of Markdown as elements: headings, paragraphs, lists, code, emphasis, and web links.
// Everything else stays plain text.

import {plainText} from './ansi.js';
import {h} from './dom.js';

const LONGEST = 100_000;
const FENCE = /^\s*```/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const ITEM = /^\s*(?:[-*+]|(\d{1,9})[.)])\s+(.*)$/;
const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|__([^_\n]+)__|\*([^*\n]+)\*|(?<!\w)_([^_\n]+)_(?!\w)|\[([^\]\n]+)\]\((https?:\/\/[^\s()]+)\)|(https?:\/\/[^\s<>()]+)/gi;

export function markdown(source) {
  const lines = plainText(source.slice(0, LONGEST)).split('\n');
  const blocks = [];
  while (lines.length) {
    if (!lines[0].trim()) lines.shift();
    else blocks.push(block(lines));
  }
  if (source.length > LONGEST) blocks.push(h('p', {class: 'muted small'}, `The first ${LONGEST} of ${source.length} characters.`));
  return h('div', {class: 'prose markdown', dir: 'auto'}, blocks);
}

/** Removes the lines of the next block from `lines` and returns the block. */
function block(lines) {
  if (FENCE.test(lines[0])) return fenced(lines);
  const heading = HEADING.exec(lines[0]);
  if (heading) {
    lines.shift();
    return h('p', {class: 'markdown-heading', role: 'heading', 'aria-level': String(Math.min(6, heading[1].length + 2))}, inline(heading[2]));
  }
  if (ITEM.test(lines[0])) return list(lines);
  const text = taken(lines, (line) => line.trim() && !FENCE.test(line) && !HEADING.test(line) && !ITEM.test(line));
  return h('p', {}, inline(text.join('\n')));
}

function fenced(lines) {
  lines.shift();
  const code = taken(lines, (line) => !FENCE.test(line));
  lines.shift();
  return h('pre', {class: 'code', tabindex: '0'}, code.join('\n'));
}

function list(lines) {
  const [, number] = ITEM.exec(lines[0]);
  const items = taken(lines, (line) => ITEM.test(line) && Boolean(ITEM.exec(line)[1]) === Boolean(number));
  return h(number ? 'ol' : 'ul', {start: number ?? null}, items.map((line) => h('li', {}, inline(ITEM.exec(line)[2]))));
}

function taken(lines, wanted) {
  const end = lines.findIndex((line) => !wanted(line));
  return lines.splice(0, end < 0 ? lines.length : end);
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

function marked([, code, strong, alsoStrong, emphasis, alsoEmphasis, title, href, bare]) {
  if (code) return h('code', {}, code);
  if (strong ?? alsoStrong) return h('strong', {}, strong ?? alsoStrong);
  if (emphasis ?? alsoEmphasis) return h('em', {}, emphasis ?? alsoEmphasis);
  return h('a', {class: 'link', href: href ?? bare, target: '_blank', rel: 'noopener noreferrer'}, title ?? bare);
}
