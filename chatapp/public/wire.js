// The wire: one XMLHttpRequest a call, JSON both ways. A call never rejects: no answer has status 0.

const CALL_TIMEOUT = 20_000;

/**
 * Start a request. Returns {answer, abort}; `answer` is a promise of
 * {status, data, error, retryAfter, aborted, timedOut}: `data` the JSON object or null, `error` the server's
 * line, `retryAfter` seconds or null; `aborted` by the page, `timedOut` after `timeout` ms.
 */
function request(method, url, { body, timeout = CALL_TIMEOUT } = {}) {
  const xhr = new XMLHttpRequest();
  const answer = new Promise((resolve) => {
    xhr.open(method, url);
    xhr.timeout = timeout;
    xhr.setRequestHeader('Accept', 'application/json');
    if (body !== undefined) xhr.setRequestHeader('Content-Type', 'application/json');
    xhr.onload = () => resolve(read(xhr));
    xhr.onerror = () => resolve(silence());
    xhr.ontimeout = () => resolve(silence({ timedOut: true }));
    xhr.onabort = () => resolve(silence({ aborted: true }));
    xhr.send(body === undefined ? null : JSON.stringify(body));
  });
  return { answer, abort: () => xhr.abort() };
}

function silence({ aborted = false, timedOut = false } = {}) {
  return { status: 0, data: null, error: '', retryAfter: null, aborted, timedOut };
}

function read(xhr) {
  const data = parse(xhr.responseText);
  const seconds = Number.parseFloat(xhr.getResponseHeader('Retry-After'));
  return {
    // A 200 that is not our JSON comes from something in between (a captive portal): no answer at all.
    status: xhr.status === 200 && data === null ? 0 : xhr.status,
    data,
    error: typeof data?.error === 'string' ? data.error : '',
    retryAfter: Number.isFinite(seconds) ? seconds : null,
    aborted: false,
    timedOut: false,
  };
}

function parse(text) {
  try {
    const data = JSON.parse(text);
    return data !== null && typeof data === 'object' ? data : null;
  } catch {
    return null;
  }
}

/** A held poll of `rooms`, from `cursor` (null: from now), given up after `timeout` ms. */
export function pull(rooms, client, cursor, timeout) {
  const query = new URLSearchParams({ client });
  if (cursor) query.set('since', cursor);
  const path = rooms.map(encodeURIComponent).join(',');
  return request('GET', `/chat/pull/${path}?${query}`, { timeout });
}

export function push(room, text, nonce) {
  return request('POST', `/chat/push/${encodeURIComponent(room)}`, { body: { text, nonce } }).answer;
}

/** Up to `limit` messages before `seq` (null: the newest). */
export function history(room, seq, limit) {
  const query = new URLSearchParams({ limit });
  if (seq !== null) query.set('before', seq);
  return request('GET', `/chat/history/${encodeURIComponent(room)}?${query}`).answer;
}

export function people(room) {
  return request('GET', `/chat/people/${encodeURIComponent(room)}`).answer;
}

export function getNick() {
  return request('GET', '/chat/nick').answer;
}

export function setNick(nick) {
  return request('POST', '/chat/nick', { body: { nick } }).answer;
}
