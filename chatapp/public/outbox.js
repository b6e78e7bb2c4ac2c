import { me } from './server.js';
import { nextDelay } from './delay.js';
import { push } from './wire.js';
import { isMoment, isName, isText, oneOf, record } from './shape.js';
import { recall, recallNames, remember, token } from './shared.js';

const KEY = 'out.';
const isEntry = record(
  { nonce: isName, room: isName, text: isText, at: isMoment, state: oneOf('waiting', 'sending', 'failed') },
  { why: isText },
);
// Seconds. What the server will not take for longer than that is refused: it keeps other messages waiting.
const PATIENCE = 15;
// What something on the way refuses so often, while the chat can be reached, is refused: a firewall dislikes the text.
const REFUSALS = 4;

/**
 * Own messages on their way: {nonce, room, text, at, state, late, why}, oldest first in `store`'s `outbox`.
 *
 * state: 'waiting' -> 'sending' -> 'sent' (answered with `seq`, not yet in the transcript) or 'failed' (refused
 * for good, `why` says it); `late` once a try found no answer. Each is kept until it is answered and sent again under its
 * nonce, so that the server stores it once however often it arrives. Only the leading tab sends, one message at a time,
 * and none while the server would not know whose it is.
 */
export class Outbox {
  #store;
  #post;
  #leading = false;
  #refusals = 0; // of the message that is sent, by something that is not the chat
  #draining = false;
  #endPause = null;

  /** `post(message)` tells the other tabs; they give it to `receive`. */
  constructor(store, post) {
    this.#store = store;
    this.#post = post;
    this.#entries = recallNames(KEY).map((name) => recall(name, isEntry)).filter(Boolean).map(resting);
  }

  get #entries() {
    return this.#store.get('outbox');
  }

  set #entries(entries) {
    this.#store.set('outbox', [...entries].sort((a, b) => a.at - b.at));
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

  /** Another tab sends. */
  yield() {
    this.#leading = false;
    this.#endPause?.();
  }

  /** The server can be reached again: no need to wait out a delay. */
  wake() {
    this.#endPause?.();
    this.drain();
  }

  /** A room is called `name` by the server. */
  rename(room, name) {
    for (const entry of this.#entries) if (entry.room === room) this.#put({ ...entry, room: name });
  }

  /** A message of ours came by the poll, perhaps before its push was answered: it is stored, whatever became of that. */
  echo({ nonce, room, seq }) {
    const entry = this.#find(nonce);
    if (!entry) return;
    const sent = { ...entry, state: 'sent', room, seq };
    if (this.#leading) this.#change(sent);
    else this.#put(sent);
  }

  /** Forget what was sent and is in the transcript. `heads`: {room: newest seq held}. */
  settle(heads) {
    const left = this.#entries.filter((each) => each.state !== 'sent' || each.seq > (heads[each.room] ?? Infinity));
    if (left.length < this.#entries.length) this.#entries = left;
  }

  async drain() {
    if (this.#draining) return;
    this.#draining = true;
    try {
      for (let next, failures = 0; (next = this.#next()); ) failures = await this.#send(next, failures);
    } finally {
      this.#draining = false;
    }
  }

  /** Try once; returns how often in a row it was in vain, after the delay for that. */
  async #send(entry, failures) {
    this.#change({ ...entry, state: 'sending' });
    const answer = await push(entry.room, entry.text, entry.nonce);
    const outcome = this.#judge(answer);
    this.#answered(entry.nonce, outcome, answer);
    if (outcome !== 'lost' && outcome !== 'refused') return 0;
    await this.#pause(nextDelay(failures + 1, answer.retryAfter), outcome === 'lost');
    return failures + 1;
  }

  /** The message that is to be sent now, if one is. */
  #next() {
    // Before a poll is answered somebody else may have signed in.
    const known = this.#store.get('named') && (!me.fixed || this.#store.get('link').state === 'connected');
    return this.#leading && known ? this.#entries.find((each) => each.state === 'waiting') : undefined;
  }

  #judge({ status, retryAfter, foreign }) {
    const disliked = foreign >= 400 && foreign < 500 && this.#store.get('link').state === 'connected';
    this.#refusals = disliked ? this.#refusals + 1 : 0;
    if (this.#refusals >= REFUSALS) return 'failed';
    if (status === 200) return 'sent';
    if (status === 429 || status === 503) return retryAfter > PATIENCE ? 'failed' : 'refused';
    return status >= 400 && status < 500 && status !== 408 ? 'failed' : 'lost';
  }

  #answered(nonce, outcome, { data, error, foreign }) {
    const entry = this.#find(nonce);
    if (!entry) return;
    const reason = error || (foreign ? `Something between you and the chat refuses it (${foreign}).` : 'The server refused it.');
    if (outcome === 'sent') this.#change({ ...entry, state: 'sent', room: data.room, seq: data.seq });
    else if (outcome === 'failed') this.#change({ ...entry, state: 'failed', seq: 0, why: reason });
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
