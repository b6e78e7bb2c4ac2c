import { nextDelay } from './delay.js';
import { push } from './wire.js';
import { recall, recallNames, remember, token } from './shared.js';

const KEY = 'out.';
// Seconds. What the server will not take for longer than that is refused: it keeps other messages waiting.
const PATIENCE = 15;

/**
 * Own messages on their way: {nonce, room, text, at, state, late, why}, oldest first in `store`'s `outbox`.
 *
 * state: 'waiting' -> 'sending' -> 'sent' (answered with `seq`, not yet in the transcript) or 'failed' (refused
 * for good, `why` says it); `late` once a try found no answer. Each is kept until it is answered and sent again under its nonce, so that the server
 * stores it once however often it arrives. Only the leading tab sends, one message at a time.
 */
export class Outbox {
  #store;
  #post;
  #leading = false;
  #draining = false;
  #endPause = null;

  /** `post(message)` tells the other tabs; they give it to `receive`. */
  constructor(store, post) {
    this.#store = store;
    this.#post = post;
    this.#entries = recallNames(KEY).map((name) => recall(name)).filter(Boolean).map(resting);
  }

  get #entries() {
    return this.#store.get('outbox');
  }

  set #entries(entries) {
    this.#store.set('outbox', entries.toSorted((a, b) => a.at - b.at));
  }

  add(room, text) {
    this.#change({ nonce: token(), room, text, at: Date.now() / 1000, state: 'waiting', why: '' });
    this.drain();
  }

  retry(nonce) {
    const entry = this.#find(nonce);
    // A new nonce: the old one was answered, with a refusal.
    if (entry) this.discard(nonce);
    if (entry) this.add(entry.room, entry.text);
  }

  discard(nonce) {
    this.#drop(nonce);
    this.#post({ kind: 'dropped', nonce });
  }

  /** What another tab posted. */
  receive({ kind, nonce, entry }) {
    if (kind === 'dropped') this.#drop(nonce);
    if (kind !== 'entry') return;
    this.#put(entry);
    if (entry.state === 'waiting') this.drain();
  }

  /** This tab sends from now on. */
  lead() {
    this.#leading = true;
    this.#entries = this.#entries.map(resting);
    this.drain();
  }

  /** The server can be reached again: no need to wait out a delay. */
  wake() {
    this.#endPause?.();
  }

  /** A message of ours came by the poll, perhaps before its push was answered: show it once. */
  echo({ room, seq, text }) {
    const entry = this.#entries.find((each) => each.room === room && each.text === text && !each.seq);
    if (entry && entry.state !== 'failed') this.#put({ ...entry, seq });
  }

  /** Forget what was sent and is in the transcript. `heads`: {room: newest seq held}. */
  settle(heads) {
    const left = this.#entries.filter((each) => each.state !== 'sent' || each.seq > (heads[each.room] ?? Infinity));
    if (left.length < this.#entries.length) this.#entries = left;
  }

  async drain() {
    if (!this.#leading || this.#draining) return;
    this.#draining = true;
    let failures = 0;
    for (let next; (next = this.#entries.find((each) => each.state === 'waiting')); ) {
      this.#change({ ...next, state: 'sending' });
      const answer = await push(next.room, next.text, next.nonce);
      const outcome = judge(answer);
      failures = outcome === 'lost' || outcome === 'refused' ? failures + 1 : 0;
      this.#answered(next.nonce, outcome, answer);
      if (failures) await this.#pause(nextDelay(outcome, failures, answer.retryAfter), outcome === 'lost');
    }
    this.#draining = false;
  }

  #answered(nonce, outcome, { data, error }) {
    const entry = this.#find(nonce);
    if (!entry) return;
    if (outcome === 'sent') this.#change({ ...entry, state: 'sent', seq: data.seq });
    else if (outcome === 'failed') this.#change({ ...entry, state: 'failed', seq: 0, why: error || 'The server refused it.' });
    else this.#change({ ...entry, state: 'waiting', late: true, why: outcome === 'refused' ? error : '' });
  }

  #pause(delay, wakeable) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      if (wakeable) this.#endPause = () => resolve(clearTimeout(timer));
    }).finally(() => (this.#endPause = null));
  }

  /** Keep, show and tell a new state. */
  #change(entry) {
    remember(KEY + entry.nonce, entry.state === 'sent' ? null : entry);
    this.#put(entry);
    this.#post({ kind: 'entry', entry });
  }

  #put(entry) {
    this.#entries = [...this.#entries.filter((each) => each.nonce !== entry.nonce), entry];
  }

  #drop(nonce) {
    remember(KEY + nonce, null);
    this.#entries = this.#entries.filter((each) => each.nonce !== nonce);
  }

  #find(nonce) {
    return this.#entries.find((each) => each.nonce === nonce);
  }
}

/** An entry found in storage or left by a tab that is gone: nobody is sending it. */
function resting(entry) {
  return entry.state === 'sending' ? { ...entry, state: 'waiting' } : entry;
}

function judge({ status, retryAfter }) {
  if (status === 200 || status === 201) return 'sent';
  if (status === 429 || status === 503) return retryAfter > PATIENCE ? 'failed' : 'refused';
  return status >= 400 && status < 500 && status !== 408 ? 'failed' : 'lost';
}
