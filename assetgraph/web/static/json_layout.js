// JSON in lines of a readable length. The text may end anywhere, as the beginning of a file does.

const WIDTH = 84;
const SHORT = 44; // an item of a list that may share a line with others, such as a pair of coordinates
const DEEPEST = 200;
const START = [',', ':', '[', '{'];
const END = ['value', ']', '}'];
const AFTER = {value: START, '[': START, '{': START, ',': END, ':': ['value'], ']': ['[', ...END], '}': ['{', ...END]};
const TOKEN = /\s*("(?:[^"\\]|\\[^])*"?|[[\]{},:]|[^\s"[\]{},:]+)/gy;

/** The text in new lines, or as it is if it is not the beginning of one JSON value. */
export function laidOut(text, width = WIDTH) {
  const root = parsed(text);
  return root ? printed(root, width) : text;
}

/** A tree of `{open, items, closed, length}`, whose leaves are texts; null for other text. */
function parsed(text) {
  const root = {open: '', items: []};
  const stack = [root];
  let last = ',';
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    const token = match[1];
    const parent = stack.at(-1);
    const kind = token.length > 1 || !'[]{},:'.includes(token) ? 'value' : token;
    if (!AFTER[kind].includes(last) || (parent === root && root.items.length)) return null;
    last = kind;
    if (kind === ':') {
      const item = parent.items.at(-1);
      if (parent.open !== '{' || item.key) return null;
      item.key = item.value;
      item.value = '';
    } else if (kind === ']' || kind === '}') {
      if (parent.open !== (kind === ']' ? '[' : '{')) return null;
      parent.closed = true;
      parent.length = parent.items.reduce((sum, item) => sum + lengthOf(item) + 2, 2);
      stack.pop();
    } else if (kind !== ',') {
      const value = kind === 'value' ? token : {open: token, items: [], closed: false, length: Infinity};
      const item = parent.items.at(-1);
      if (item?.value === '') item.value = value;
      else parent.items.push({key: null, value});
      if (kind !== 'value') stack.push(value);
      if (stack.length > DEEPEST) return null;
    }
  }
  const [top] = root.items;
  return top && typeof top.value === 'object' ? top.value : null;
}

function lengthOf({key, value}) {
  return (key ? key.length + 2 : 0) + value.length; // of a text or of a tree
}

function printed(node, width, indent = '', before = 0) {
  if (node.closed && node.length + indent.length + before <= width) return flat(node);
  if (!node.items.length) return node.open;
  const inner = `${indent}  `;
  const lines = mayShareLines(node) ? filled(node.items, width - inner.length) : node.items.map((item) => named(item, (value) => printed(value, width, inner, lengthOf({...item, value: ''}))));
  return `${node.open}\n${lines.map((line) => inner + line).join(',\n')}${node.closed ? `\n${indent}${close(node)}` : ''}`;
}

/** Whether a list holds only texts and short lists. The last of them may have been cut. */
function mayShareLines({open, items}) {
  const short = (value) => typeof value === 'string' || (value.open === '[' && (value.length <= SHORT || (!value.closed && value.items.every((item) => typeof item.value === 'string'))));
  return open === '[' && items.every(({value}) => short(value));
}

/** The items of a list, as many on each line as fit. */
function filled(items, width) {
  const lines = [];
  for (const item of items) {
    const text = named(item, flat);
    if (lines.length && lines.at(-1).length + text.length + 2 <= width) lines[lines.length - 1] += `, ${text}`;
    else lines.push(text);
  }
  return lines;
}

function flat(node) {
  return `${node.open}${node.items.map((item) => named(item, flat)).join(', ')}${node.closed ? close(node) : ''}`;
}

function named({key, value}, print) {
  return `${key ? `${key}: ` : ''}${typeof value === 'string' ? value : print(value)}`;
}

function close({open}) {
  return open === '[' ? ']' : '}';
}
