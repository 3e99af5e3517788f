// Code with colours: Python, SQL and JSON.
//
// The text may be hostile and long, so no pattern requires anything after a part of any length: each
// then reads the text once.

import {h} from './dom.js';

const LONGEST = 60_000; // characters with colours: each token is an element
const LANGUAGES = {py: 'python', python: 'python', python3: 'python', pyi: 'python', sql: 'sql', json: 'json', jsonc: 'json', jsonl: 'json', ndjson: 'json', ipynb: 'json', geojson: 'json', topojson: 'json'};

const words = (text) => new Set(text.split(' '));
const WORDS = {
  python: {
    keyword: words('and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield'),
    constant: words('True False None self cls'),
    names: words('def class'), // the word after these is a name
  },
  sql: {
    keyword: words('select from where group by order having limit offset as on using join left right full inner outer cross lateral union all intersect except distinct and or not in is between like ilike exists case when then else end cast over partition rows range window with recursive insert into values update set delete create table view replace temp temporary drop alter copy to if asc desc nulls first last qualify sample pivot unpivot returning filter interval'),
    constant: words('null true false'),
    names: words('table view'),
  },
  json: {keyword: new Set(), constant: words('true false null NaN Infinity'), names: new Set()},
};

const NUMBER = String.raw`0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJ]?`;
const NAME = String.raw`[\p{L}_][\p{L}\p{N}_]*`;
const PATTERNS = {
  python: pattern({
    comment: '#.*',
    string: String.raw`[rRbBfFuU]{0,2}(?:"""(?:[^"\\]|\\[^]|"(?!""))*(?:"""|$)|'''(?:[^'\\]|\\[^]|'(?!''))*(?:'''|$)|"(?:[^"\\\n]|\\[^])*"?|'(?:[^'\\\n]|\\[^])*'?)`,
    mark: `@${NAME}(?:\\.${NAME})*`,
    word: NAME,
    number: NUMBER,
  }),
  sql: pattern({
    comment: String.raw`--.*|\/\*[^]*?(?:\*\/|$)`,
    string: String.raw`'(?:[^']|'')*'?|"[^"\n]*"?`,
    word: NAME,
    number: NUMBER,
  }),
  json: pattern({
    string: String.raw`"(?:[^"\\\n]|\\[^])*"?`,
    word: NAME,
    number: `-?(?:${NUMBER})`,
  }),
};
const KEY = /\s*:/y;
const COLOURED = ['comment', 'string', 'mark', 'number'];

function pattern(parts) {
  const each = Object.entries(parts).map(([name, source]) => `(?<${name}>${source})`);
  return new RegExp(`${each.join('|')}|\\s+|[^]`, 'gu');
}

/** The language that a name or the end of a file name stands for, or null. */
export function languageOf(name) {
  return LANGUAGES[(name ?? '').toLowerCase()] ?? null;
}

/** The text as elements with colours; plain in an unknown language. */
export function code(text, language) {
  if (!PATTERNS[language]) return [text];
  const shown = text.slice(0, LONGEST);
  return [...tokens(shown, language).map(element), text.slice(LONGEST)];
}

/** The same for each line. */
export function codeLines(lines, language) {
  const found = [[]];
  for (const token of PATTERNS[language] ? tokens(lines.join('\n'), language) : [[null, lines.join('\n')]]) {
    const [first, ...rest] = token[1].split('\n');
    found.at(-1).push(element([token[0], first]));
    for (const line of rest) found.push([element([token[0], line])]);
  }
  return found;
}

function element([kind, text]) {
  return kind && text ? h('span', {class: `code-${kind}`}, text) : text;
}

/** Pairs of a kind (or null) and a text, which together are the whole text. */
function tokens(text, language) {
  const {keyword, constant, names} = WORDS[language];
  const found = [];
  let before = '';
  const add = (kind, part) => {
    if (kind === null && found.length && found.at(-1)[0] === null) found.at(-1)[1] += part;
    else found.push([kind, part]);
  };
  for (const {0: part, index, groups} of text.matchAll(PATTERNS[language])) {
    if (groups.word !== undefined) {
      const word = language === 'sql' ? part.toLowerCase() : part;
      add(names.has(before) ? 'name' : keyword.has(word) ? 'keyword' : constant.has(word) ? 'number' : null, part);
      before = word;
    } else if (groups.string !== undefined && language === 'json') {
      KEY.lastIndex = index + part.length;
      add(KEY.test(text) ? 'name' : 'string', part);
    } else {
      add(COLOURED.find((name) => groups[name] !== undefined) ?? null, part);
      if (part.trim()) before = '';
    }
  }
  return found;
}
