// The wire: one XMLHttpRequest a call, JSON both ways. A call never rejects: no answer has status 0.

import { base } from './server.js';
import { answers, isRefusal } from './shape.js';

const CALL_TIMEOUT = 20_000;
const LONGEST_PATH = 3500; // with the host and the headers this stays below the 4 KiB that some proxies take
const IN_PATH = /[/,]/; // a room whose name has one cannot stand in a path

let asked = 0;

/**
 * Start a request. Returns {answer, abort}; `answer` is a promise of
 * {status, data, error, room, retryAfter, foreign, aborted, timedOut}: `data` the JSON object or null, `error` the
 * server's line and `room` the one that it is about, `retryAfter` seconds or null; `aborted` by the page, `timedOut`
 * after `timeout` ms. `foreign` is the status of an answer that is not the chat's but of something in between (a
 * captive portal, a proxy): it counts as no answer, and is 0 otherwise.
 */
export function request(method, path, isAnswer, { body, timeout = CALL_TIMEOUT } = {}) {
  const xhr = new XMLHttpRequest();
  const answer = new Promise((resolve) => {
    xhr.open(method, base + (method === 'GET' ? unlike(path) : path));
    xhr.timeout = timeout;
    xhr.setRequestHeader('Accept', 'application/json');
    if (body !== undefined) xhr.setRequestHeader('Content-Type', 'application/json');
    xhr.onload = () => resolve(read(xhr, isAnswer));
    xhr.onerror = () => resolve(silence());
    xhr.ontimeout = () => resolve(silence({ timedOut: true }));
    xhr.onabort = () => resolve(silence({ aborted: true }));
    xhr.send(body === undefined ? null : JSON.stringify(body));
  });
  return { answer, abort: () => xhr.abort() };
}

/** `path` as nobody asked for it before: a cache that heeds no header would give the answer of another time. */
function unlike(path) {
  asked += 1;
  return `${path}${path.includes('?') ? '&' : '?'}at=${Date.now().toString(36)}.${asked}`;
}

function silence(how = {}) {
  return { status: 0, data: null, error: '', room: null, retryAfter: null, foreign: 0, aborted: false, timedOut: false, ...how };
}

function read(xhr, isAnswer) {
  const data = parse(xhr.responseText);
  const own = xhr.status === 200 ? isAnswer(data) : xhr.status >= 400 && isRefusal(data);
  if (!own) return silence({ foreign: xhr.status });
  const seconds = Number.parseFloat(xhr.getResponseHeader('Retry-After'));
  const retryAfter = Number.isFinite(seconds) ? seconds : null;
  return silence({ status: xhr.status, data, error: data.error ?? '', room: data.room ?? null, retryAfter });
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * A poll of `rooms`, from `cursor` (null: from now), given up after `timeout` ms. Without `hold` it is answered at once.
 */
export function pull(rooms, client, cursor, { hold, timeout }) {
  const since = cursor === null ? {} : { since: cursor };
  const held = hold ? {} : { hold: 0 };
  const path = `/chat/pull/${rooms.map(encodeURIComponent).join(',')}?${new URLSearchParams({ client, ...since, ...held })}`;
  if (path.length <= LONGEST_PATH && !rooms.some((name) => IN_PATH.test(name))) {
    return request('GET', path, answers.pull, { timeout });
  }
  return request('POST', '/chat/pull', answers.pull, { body: { rooms, client, ...since, ...held }, timeout });
}

export function push(room, text, nonce) {
  return request('POST', `/chat/push/${encodeURIComponent(room)}`, answers.push, { body: { text, nonce } }).answer;
}

/** Up to `limit` messages before `seq` (null: the newest). */
export function history(room, seq, limit) {
  const query = new URLSearchParams({ limit });
  if (seq !== null) query.set('before', seq);
  return request('GET', `/chat/history/${encodeURIComponent(room)}?${query}`, answers.history).answer;
}

export function people(room) {
  return request('GET', `/chat/people/${encodeURIComponent(room)}`, answers.people).answer;
}

/** A link with which another device, once, becomes this one. */
export function deviceCode() {
  return request('POST', '/chat/device', answers.device, { body: { base: `${location.origin}${base}` } }).answer;
}

export function setNick(nick) {
  return request('POST', '/chat/nick', answers.nick, { body: { nick } }).answer;
}

/** '' where the server did what it was asked for, or a line that says why not. */
export function lineOf({ status, error }) {
  return status === 200 ? '' : error || 'The server does not answer. Try again in a moment.';
}

/** The rooms that I may see. */
export function roomList() {
  return request('GET', '/chat/rooms', answers.rooms).answer;
}
