const FIRST = 1000;
const LONGEST = 30_000;
// Seconds. A server holds a poll for as long as it says, and for 300 at most (chat.poll_timeout).
const MARGIN = 30;
const UNTOLD = 60;
const MOST = 300 + MARGIN;
const AT_ONCE = 10; // for a poll that is not held

/**
 * How long to wait before the next request, in milliseconds. With these delays nobody asks more than ten times a
 * minute in vain.
 *
 * failures: how many requests in a row brought nothing forward, the last one included; 0: it did.
 * advice: seconds the server asked for (advice.retry, Retry-After), or null. Never waited less than that.
 * random: a number in [0, 1); spreads clients so that a restart is no stampede.
 */
export function nextDelay(failures, advice = null, random = Math.random()) {
  const asked = Math.max(0, (Number(advice) || 0) * 1000);
  if (failures === 0) return asked;
  const grown = Math.min(LONGEST, FIRST * 2 ** (failures - 1));
  // Half of the delay is certain, half is drawn: growing, and never in step with others.
  return Math.round(Math.max(grown * (0.5 + random / 2), asked * (1 + random / 10)));
}

/**
 * How long to wait for the answer to a poll, in milliseconds: far longer than the server holds it, for then the
 * connection is dead and nobody said so.
 *
 * told: for how many seconds the server says that it holds a poll (advice.timeout), or null before it has.
 * givenUp: how many polls in a row got no answer in that time: it may hold them longer by now.
 */
export function patience(told, givenUp = 0, hold = true) {
  const seconds = hold ? (told ?? UNTOLD) + MARGIN : AT_ONCE;
  return 1000 * Math.min(MOST, seconds * 2 ** givenUp);
}

/** A bound on a rate: `burst` at once, and from then on one in `interval` ms. */
export class Pace {
  #free = -Infinity; // the time at which nothing would be owed any more

  constructor(burst, interval) {
    this.burst = burst;
    this.interval = interval;
  }

  /** Count `many` more; returns how many ms they have to wait. */
  next(many = 1, now = performance.now()) {
    this.#free = Math.max(this.#free, now) + many * this.interval;
    return Math.max(0, this.#free - now - this.burst * this.interval);
  }
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A function that has `act` called once this turn of the browser's loop is over, however often it is called in it. */
export function oncePerTurn(act) {
  let due = false;
  return () => {
    if (due) return;
    due = true;
    // Not requestAnimationFrame: a hidden tab has no frames, but a title that counts.
    queueMicrotask(() => {
      due = false;
      act();
    });
  };
}
