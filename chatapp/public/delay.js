const FIRST = 500;
const LONGEST = 20_000;
const EARLY = 250;
// Seconds. A server holds a poll for as long as it says, and for 300 at most (chat.poll_timeout).
const MARGIN = 30;
const UNTOLD = 60;
const MOST = 300 + MARGIN;

/**
 * How long to wait before the next request, in milliseconds.
 *
 * outcome: 'answered' (go on at once), 'early' (an empty answer that was not held, as to a poll that another
 *     one replaced), 'refused' (429 or 503) or 'lost' (no answer).
 * failures: how many outcomes in a row were not 'answered', this one included.
 * advice: seconds the server asked for (advice.retry, Retry-After), or null. Never waited less than that.
 * random: a number in [0, 1); spreads clients so that a restart is no stampede.
 */
export function nextDelay(outcome, failures, advice = null, random = Math.random()) {
  const asked = Math.max(0, (Number(advice) || 0) * 1000);
  if (outcome === 'answered') return asked;
  const first = outcome === 'early' ? EARLY : FIRST;
  const grown = Math.min(LONGEST, first * 2 ** Math.max(0, failures - 1));
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
export function patience(told, givenUp = 0) {
  return 1000 * Math.min(MOST, ((told ?? UNTOLD) + MARGIN) * 2 ** givenUp);
}
