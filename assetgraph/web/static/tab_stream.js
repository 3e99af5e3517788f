// Follows the stream of changes. A browser opens only six connections to a server: the first tabs
// read the stream themselves, all others share a worker that reads it for them. A hidden tab reads
// nothing, and continues at the same position when it is visible again.

import {readStream} from './stream.js';

const OWN_STREAMS = 3;

const scripts = globalThis.trustedTypes?.createPolicy('assetgraph-stream', {createScriptURL: (url) => url});

/** Follows the stream from `position` on. Calls `heard(message)` with each change, `lost()` when
 * everything must be loaded again, and `shown(state)` with open or lost. */
export function follow(position, {heard, lost, shown}) {
  let last = position;
  let close = null;

  function tell({kind, id, data}) {
    if (id) last = id;
    if (kind === 'change') heard(JSON.parse(data));
    else if (kind === 'reset') lost();
    else shown(kind);
  }

  function open() {
    close ??= openStream(last, tell);
  }

  function stop() {
    close?.();
    close = null;
  }

  document.addEventListener('visibilitychange', () => (document.hidden ? stop() : open()));
  window.addEventListener('pagehide', stop);
  window.addEventListener('pageshow', open);
  open();
}

/** Opens a stream of its own where one is free, else the shared one. Returns what closes it. */
function openStream(after, tell) {
  let closed = false;
  let close = () => {};
  takeSlot().then((free) => {
    if (closed) {
      free?.();
      return;
    }
    const end = free ? readStream(after, tell) : readShared(after, tell);
    close = () => {
      end();
      free?.();
    };
  });
  return () => {
    closed = true;
    close();
  };
}

function readShared(after, tell) {
  const address = new URL('./stream_worker.js', import.meta.url).href;
  const {port} = new SharedWorker(scripts ? scripts.createScriptURL(address) : address, {type: 'module', name: 'assetgraph-stream'});
  port.onmessage = ({data}) => tell(data);
  port.postMessage({after});
  return () => {
    port.onmessage = null;
    port.postMessage({after: null});
  };
}

/** What frees the slot for a stream of this tab, or null if all are taken. */
async function takeSlot() {
  if (!globalThis.SharedWorker) return () => {};
  if (!navigator.locks) return null; // they exist only on this machine, or with HTTPS
  for (let number = 1; number <= OWN_STREAMS; number += 1) {
    const free = await lockIfFree(`assetgraph-stream-${number}`);
    if (free) return free;
  }
  return null;
}

function lockIfFree(name) {
  return new Promise((answer) => {
    navigator.locks.request(name, {ifAvailable: true}, (lock) => (lock ? new Promise(answer) : answer(null)));
  });
}
