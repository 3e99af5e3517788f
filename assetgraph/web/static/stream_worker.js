// A worker that all pages share: it reads the stream once, and passes it on to each page from the
// page's own position. A position is `<epoch>.<number>`.

import {readStream} from './stream.js';

const KEPT = 2000;

const pages = new Map(); // the port of each page, with its position when it came
let kept = [];
let begun = ''; // the position from which all changes are kept
let state = {kind: 'lost'};
let close = null;

globalThis.onconnect = ({ports: [port]}) => {
  port.onmessage = ({data: {after}}) => (after ? join(port, after) : leave(port));
};

function join(port, after) {
  pages.set(port, after);
  if (!close) {
    [kept, begun] = [[], after];
    close = readStream(after, hear);
    return;
  }
  port.postMessage(state);
  if (epoch(after) !== epoch(begun) || number(after) < number(begun)) {
    port.postMessage({kind: 'reset', id: kept.at(-1)?.id ?? begun});
  } else {
    for (const change of kept) if (number(change.id) > number(after)) port.postMessage(change);
  }
}

function leave(port) {
  pages.delete(port);
  if (pages.size) return;
  close?.();
  close = null;
}

function hear(message) {
  if (message.kind === 'reset') [kept, begun] = [[], message.id];
  else if (message.kind === 'change') kept.push(message);
  else state = message;
  if (kept.length > KEPT) begun = kept.shift().id;
  for (const [port, after] of pages) {
    const known = message.kind === 'change' && epoch(after) === epoch(message.id) && number(message.id) <= number(after);
    if (!known) port.postMessage(message);
  }
}

function epoch(position) {
  return position.split('.')[0];
}

function number(position) {
  return Number(position.split('.')[1]);
}
