// Requests to the server. An answer carries its position in the live stream.

class ApiError extends Error {
  constructor(status, {message, hint, text, column, assets}) {
    super(message);
    Object.assign(this, {status, hint, text, column, assets});
  }
}

let reading = 0;

/**
 * The JSON at an address, and the position from which to follow the stream.
 *
 * The body has `data-loading` until what was read is drawn.
 */
export async function read(path, options = {}) {
  reading += 1;
  document.body.dataset.loading = '';
  try {
    const answer = await send(path, {signal: options.signal});
    return {data: await content(answer), position: answer.headers.get('Live-Position')};
  } finally {
    // The frame after the next one: in the next one the page is drawn.
    requestAnimationFrame(() => requestAnimationFrame(loaded));
  }
}

function loaded() {
  reading -= 1;
  if (!reading) delete document.body.dataset.loading;
}

/** Posts `body` to an address and returns the answer. */
export async function write(path, body = {}) {
  const answer = await send(path, {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify(body),
  });
  return content(answer);
}

/** An address below `/api`. Each part is quoted, except for the slashes of a key. */
export function address(...parts) {
  return ['/api', ...parts.map((part) => part.split('/').map(encodeURIComponent).join('/'))].join('/');
}

export function assetPage(key) {
  return `/assets/${key.split('/').map(encodeURIComponent).join('/')}`;
}

export function runPage(runId) {
  return `/runs/${encodeURIComponent(runId)}`;
}

async function send(path, options) {
  let answer;
  try {
    answer = await fetch(path, {...options, headers: {...options.headers, 'Errors-In-Body': 'yes'}});
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError(0, {message: 'The server does not respond.', hint: 'Is assetgraph dev still running?'});
  }
  if (!answer.ok) throw new ApiError(answer.status, {message: `The server answered ${answer.status}.`});
  return answer;
}

async function content(answer) {
  const found = await answer.json();
  if (found?.error?.status) throw new ApiError(found.error.status, found.error);
  return found;
}
