import { nextDelay, patience } from './delay.js';

const HELD = 1000; // ms: an empty answer that came sooner was not held

/**
 * The poll loop: ask, hand the answer on, wait if need be, ask again.
 *
 * ask(cursor, timeout) starts a request, to be given up after `timeout` ms, and returns {answer, abort}.
 * onAnswer(data) gets each 200; onRejected(status, error) each answer that asking again will not mend.
 * onLink(link) gets {state: 'connected'} or {state: 'waiting', until}: `until` is the time (ms) of the next try.
 */
export class Poll {
  #ask;
  #onAnswer;
  #onRejected;
  #onLink;
  #running = false;
  #loop = null;
  #failures = 0;
  #told = null; // seconds for which the server holds a poll, as it said last
  #givenUp = 0; // polls since then that were given up
  #request = null;
  #endPause = null;

  constructor({ ask, onAnswer, onRejected, onLink }) {
    this.#ask = ask;
    this.#onAnswer = onAnswer;
    this.#onRejected = onRejected;
    this.#onLink = onLink;
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
    if (anew) this.#request?.abort();
  }

  async #run() {
    while (this.#running) {
      const began = performance.now();
      const timeout = patience(this.#told, this.#givenUp);
      this.#request = this.#ask(this.cursor, timeout);
      const answer = await this.#request.answer;
      this.#request = null;
      if (answer.aborted) continue;
      if (answer.timedOut) this.#givenUp += 1;
      const outcome = this.#judge(answer, performance.now() - began);
      this.#failures = outcome === 'answered' ? 0 : this.#failures + 1;
      const advice = answer.data?.advice?.retry ?? answer.retryAfter;
      await this.#pause(nextDelay(outcome, this.#failures, advice), answer.status !== 200);
    }
  }

  #judge(answer, took) {
    if (answer.status === 200) {
      this.cursor = answer.data.cursor ?? this.cursor;
      this.#told = answer.data.advice?.timeout ?? this.#told;
      this.#givenUp = 0;
      this.#onLink({ state: 'connected' });
      this.#onAnswer(answer.data);
      return isEmpty(answer.data) && took < HELD ? 'early' : 'answered';
    }
    if (answer.status === 429 || answer.status === 503) return 'refused';
    if (answer.status >= 400 && answer.status < 500) this.#onRejected(answer.status, answer.error);
    return 'lost';
  }

  async #pause(delay, failed) {
    if (!this.#running || delay === 0) return;
    if (failed) this.#onLink({ state: 'waiting', until: Date.now() + delay });
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

function isEmpty(data) {
  return !data.messages?.length && !data.gap && !data.people && !data.presence && !data.advice?.retry;
}
