// The stream of changes. It is closed while the tab is hidden, since a browser opens only six
// connections to a server, and goes on from where it was when the tab is seen again.

const RETRY_MS = 1000;

/** Follow the stream from `position` on. `heard(message)` gets each change, `lost()` is told that
 * everything must be read anew, `shown(state)` hears open, lost or closed. */
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
    // A server that was restarted refuses at first; the browser itself would give up then.
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
