// Reads the stream of changes, for a page or for the worker that reads it for several pages.

const RETRY_MS = 1000;

/** Reads the stream from `position` on, and calls `tell({kind, id, data})` with each `change` and
 * `reset`, and with `open` and `lost` about the connection. Returns what ends it. */
export function readStream(position, tell) {
  let source = null;
  let timer = 0;
  let last = position;
  function open() {
    source = new EventSource(`/api/stream?after=${encodeURIComponent(last)}`);
    source.onopen = () => tell({kind: 'open'});
    source.onerror = () => {
      // A server that restarts refuses connections at first, and the browser would give up.
      source.close();
      timer = setTimeout(open, RETRY_MS);
      tell({kind: 'lost'});
    };
    for (const kind of ['change', 'reset']) {
      source.addEventListener(kind, (event) => {
        last = event.lastEventId;
        tell({kind, id: last, data: event.data});
      });
    }
  }
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
