// The stream of changes. It closes while the tab is hidden, because a browser opens only six
// connections to a server, and continues at the same position when the tab is visible again.

const RETRY_MS = 1000;

/** Follows the stream from `position` on. Calls `heard(message)` with each change, `lost()` when
 * everything must be loaded again, and `shown(state)` with open, lost or closed. */
export function follow(position, {heard, lost, shown}) {
  let source = null;
  let timer = 0;
  let last = position;

  function open() {
    source = new EventSource(`/api/stream?after=${encodeURIComponent(last)}`);
    source.onopen = () => shown('open');
    source.onerror = retry;
    source.addEventListener('change', (event) => {
      last = event.lastEventId;
      heard(JSON.parse(event.data));
    });
    source.addEventListener('reset', (event) => {
      last = event.lastEventId;
      lost();
    });
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
  }

  function retry() {
    // A server that restarts refuses connections at first, and the browser would give up.
    shown('lost');
    close();
    timer = setTimeout(open, RETRY_MS);
  }

  document.addEventListener('visibilitychange', () => {
    if (document.hidden) close();
    else if (!source) open();
  });
  window.addEventListener('pagehide', close);
  open();
}
