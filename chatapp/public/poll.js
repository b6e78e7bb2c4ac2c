import { nextDelay, Pace, patience, sleep } from './delay.js';

// However much there is to tell, a tab asks no oftener; ms.
const BURST = 5;
const INTERVAL = 700;
// Nor in vain: ten times a minute at most. A held poll that fails costs two, as one that is not held comes after it.
const VAIN_BURST = 3;
const VAIN_INTERVAL = 11_000;
// A poll that ended this much sooner than the server says was not held.
const HELD = 0.8;
// A waiting request that lived this long without an answer was cut by something on the way, ms. If that happens
// within CUT_SOON, time and again, it is of no use to have the server hold one.
const LIVED = 1000;
const CUT_SOON = 15_000;
const CUTS = 2;
const UNHELD = 10_000; // between two polls then
const UNHELD_TIMES = 12; // until one is held again

/**
 * The poll loop: ask, hand the answer on, wait if need be, ask again.
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
  #failures = 0; // requests in a row that brought nothing forward
  #answered = false; // whether the last request was
  #told = null; // seconds for which the server holds a poll, as it said last
  #givenUp = 0; // polls since then that were given up
  #cuts = 0; // held polls in a row that were cut soon
  #unheld = 0; // polls that are still not to be held, since held ones are cut
  #strange = 0; // answers in a row that no cookie came with
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
      const hold = this.#answered && !this.#unheld && !this.#seldom();
      this.#request = this.#ask(this.cursor, { hold, timeout: patience(this.#told, this.#givenUp, hold) });
      const answer = await this.#request.answer;
      this.#request = null;
      if (answer.aborted) continue;
      await this.#pause(this.#judge(answer, { hold, took: performance.now() - began }));
    }
  }

  /** Act on an answer; returns {delay, link}: how long to wait, and the state of the link if it is told. */
  #judge(answer, how) {
    this.#answered = answer.status === 200;
    if (answer.timedOut) this.#givenUp += 1;
    if (answer.status === 200) return this.#take(answer.data, how);
    const { status, error: line, foreign } = answer;
    if (status >= 400 && status < 500 && status !== 429) return this.#reject(answer);
    if (how.hold && how.took > LIVED && !answer.timedOut && status === 0) return this.#cut(how.took);
    return this.#failed({ state: 'waiting', line, foreign: isOther(foreign) }, answer.retryAfter, how.hold);
  }

  #take(data, { hold, took }) {
    const moved = Boolean(data.cursor && data.cursor !== this.cursor) || hasNews(data);
    const due = hold && took >= HELD * 1000 * (this.#told ?? 1);
    try {
      this.#onAnswer(data);
    } catch (error) {
      // The cursor stays: the answer was not handed on.
      reportError(error);
      return this.#failed({ state: 'waiting', line: `The page stumbled over an answer (${error}).` });
    }
    this.cursor = data.cursor ?? this.cursor;
    this.#told = data.advice?.timeout ?? this.#told;
    this.#givenUp = 0;
    if (hold) this.#cuts = 0;
    if (this.#unheld > 0) this.#unheld -= 1;
    this.#strange = data.you?.cookie === false ? this.#strange + 1 : 0;
    // The first may have come before the cookie: the page was kept by a cache.
    if (this.#strange > 1) return this.#failed({ state: 'cookies' });
    // Sooner than it should, and with nothing: another tab asks under our token, or a cache answers.
    const early = hold && !moved && !due && !data.people;
    if (this.#strange || early) return this.#failed({ state: 'connected' });
    if (moved || due) this.#failures = 0;
    const between = this.#unheld ? UNHELD : this.#seldom();
    const delay = Math.max(between, nextDelay(0, data.advice?.retry), moved || due || !hold ? 0 : this.#vain.next());
    return { delay, link: { state: 'connected' } };
  }

  #reject(answer) {
    if (this.#onRejected(answer)) return { delay: nextDelay(0, answer.retryAfter) };
    return this.#failed({ state: 'refused', line: answer.error }, answer.retryAfter);
  }

  /** A request that waited was cut: nothing is lost by that, and the next one, at once, shows whether all is well. */
  #cut(took) {
    this.#failures += 1;
    this.#cuts = took < CUT_SOON ? this.#cuts + 1 : 0;
    if (this.#cuts >= CUTS) this.#unheld = UNHELD_TIMES;
    return { delay: this.#vain.next(2) };
  }

  #failed(link, advice = null, hold = false) {
    this.#failures += 1;
    return { delay: Math.max(nextDelay(this.#failures, advice), this.#vain.next(hold ? 2 : 1)), link };
  }

  async #pause({ delay, link }) {
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

function hasNews(data) {
  return data.messages.length > 0 || Boolean(data.gap) || Boolean(data.presence?.length);
}

/** Whether a status that is not the chat's comes from something that answers in its place, rather than from its proxy. */
function isOther(status) {
  return status > 0 && status < 500;
}
