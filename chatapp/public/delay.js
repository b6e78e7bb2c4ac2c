const FIRST = 500;
const LONGEST = 20_000;
const EARLY = 250;

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
