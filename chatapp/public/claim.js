import { takeNick } from './session.js';

const BETWEEN = 10_000; // ms from one time that our nick is told to the server to the next
const OUTWAITS = 3; // refusals in which the server forgets who is not there any more

/**
 * Tells the server the nick of this browser, which it may have forgotten, or given to another one meanwhile.
 *
 * store: its `nick` is told, and its `named` says whether the server knows it. onRefused({nick, line}) is called where the
 * server gives it to somebody else; that nick is not told again.
 */
export class Claim {
  #store;
  #onRefused;
  #nick = null; // that is on its way, or was refused
  #notBefore = 0;
  #outwaits = 0; // refusals that are waited out: the nick may be that of an identity of ours that was lost

  constructor(store, onRefused) {
    this.#store = store;
    this.#onRefused = onRefused;
  }

  /** Tell our nick, unless it is on its way, was refused, or was told just now. Returns when that is over. */
  async make() {
    const nick = this.#store.get('nick');
    if (nick === this.#nick || Date.now() < this.#notBefore) return;
    this.#nick = nick;
    this.#notBefore = Date.now() + BETWEEN;
    const { refused, line } = await takeNick(this.#store, nick);
    if (refused && this.#outwaits === 0) return this.#onRefused({ nick, line });
    if (refused) this.#outwaits -= 1;
    this.#nick = null;
  }

  /** The server lost who we are: some refusals are of what it still holds of us. */
  outwait() {
    this.#outwaits = OUTWAITS;
  }
}
