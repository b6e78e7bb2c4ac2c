import { Pace, patience, sleep } from './delay.js';
import { judge, NOTHING, outcomeOf } from './judge.js';

// However much there is to tell, a tab asks no oftener; ms.
const BURST = 5;
const INTERVAL = 700;
// Nor in vain: ten times a minute at most. A held poll that fails costs two, as one that is not held comes after it.
const VAIN_BURST = 3;
const VAIN_INTERVAL = 11_000;

/**
 * The poll loop: ask, hand the answer on, wait if need be, ask again. What an answer shows, judge.js says.
 *
 * ask(cursor, {hold, timeout}) starts a request, to be given up after `timeout` ms, and returns {answer, abort}; see wire.js.
 * onAnswer(data) gets each answer; onRejected(answer) each one that asking again will not mend, and says whether it
 *     mended the cause.
 * onLink(link) gets the state of the link: {state, until, line, foreign}, where `until` is the time (ms) of the next try,
 *     `line` what the server said and `foreign` whether something else answered in its place. The states are
 *     connecting   nothing is known yet
 *     connected    the chat answered
 *     waiting      it did not, or cannot serve now
 *     refused      it will not take what was asked
 *     cookies      it answers, but its cookies do not come back to it
 * seldom() gives the ms between two polls that are not held, or 0 if they shall be.
 *
 * A poll is held only once another was answered, so that the state is known at once.
 */
export class Poll {
  #ask;
  #onAnswer;
  #onRejected;
  #onLink;
  #seldom;
  #pace = new Pace(BURST, INTERVAL);
  #vain = new Pace(VAIN_BURST, VAIN_INTERVAL);
  #running = false;
  #loop = null;
  #answered = false; // whether the last request was; not once another is wanted anew
  #known = NOTHING;
  #request = null;
  #endPause = null;

  constructor({ ask, onAnswer, onRejected, onLink, seldom = () => 0 }) {
    this.#ask = ask;
    this.#onAnswer = onAnswer;
    this.#onRejected = onRejected;
    this.#onLink = onLink;
    this.#seldom = seldom;
    this.cursor = null;
  }

  start() {
    this.#running = true;
    // A loop that was told to stop may not have noticed yet: it goes on, rather than a second one beside it.
    this.#loop ??= this.#run().finally(() => (this.#loop = null));
  }

  stop() {
    this.#running = false;
    this.wake(true);
  }

  /** Ask now: ends a pause; with `anew`, also gives up a request that may be dead or out of date. */
  wake(anew = false) {
    this.#endPause?.();
    if (!anew) return;
    this.#answered = false;
    this.#request?.abort();
  }

  async #run() {
    this.#answered = false;
    while (this.#running) {
      // No timer where none is needed: those of a hidden tab may run but once a minute.
      const wait = this.#pace.next();
      if (wait > 0) await sleep(wait);
      if (!this.#running) break;
      const began = performance.now();
      const { unheld, told, givenUp } = this.#known;
      const hold = this.#answered && !unheld && !this.#seldom();
      this.#request = this.#ask(this.cursor, { hold, timeout: patience(told, givenUp, hold) });
      const answer = await this.#request.answer;
      this.#request = null;
      if (answer.aborted) continue;
      await this.#go(answer, { hold, took: performance.now() - began, cursor: this.cursor });
    }
  }

  /** Act on an answer, tell what it shows, and wait until it is time for the next question. */
  async #go(answer, how) {
    this.#answered = answer.status === 200;
    const acted = this.#act(outcomeOf(answer, how), answer);
    const { known, delay, vain, link } = judge(this.#known, acted.outcome, answer, { ...how, seldom: this.#seldom() }, acted.error);
    this.#known = known;
    await this.#pause(Math.max(delay, vain ? this.#vain.next(vain) : 0), link);
  }

  /** Have an answer or a refusal acted on; returns the outcome of that: {outcome, error}, see judge.js. */
  #act(outcome, answer) {
    if (outcome === 'refused') return { outcome: this.#onRejected(answer) ? 'mended' : outcome };
    if (outcome !== 'answered') return { outcome };
    try {
      this.#onAnswer(answer.data);
    } catch (error) {
      reportError(error);
      return { outcome: 'stumbled', error };
    }
    this.cursor = answer.data.cursor ?? this.cursor;
    return { outcome };
  }

  async #pause(delay, link) {
    if (!this.#running) return;
    const trouble = link && link.state !== 'connected';
    if (link) this.#onLink(trouble ? { ...link, until: Date.now() + delay } : link);
    if (delay === 0) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, delay);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#endPause = null;
  }
}
