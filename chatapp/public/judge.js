import { nextDelay } from './delay.js';

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
 * What the polls so far have shown, before the first:
 *     failures   requests in a row that brought nothing forward
 *     told       seconds for which the server holds a poll, as it said last
 *     givenUp    polls since then that were given up
 *     cuts       held polls in a row that were cut soon
 *     unheld     polls that are still not to be held, since held ones are cut
 *     strange    answers in a row that no cookie came with
 */
export const NOTHING = { failures: 0, told: null, givenUp: 0, cuts: 0, unheld: 0, strange: 0 };

/**
 * What became of a poll: 'answered', 'refused' (asking again will not mend it), 'cut' (it waited, and something on the way
 * ended that) or 'failed'. `answer` is that of wire.js; `hold` whether it was to be held, `took` its time in ms.
 */
export function outcomeOf({ status, timedOut }, { hold, took }) {
  if (status === 200) return 'answered';
  if (status >= 400 && status < 500 && status !== 429) return 'refused';
  return hold && took > LIVED && !timedOut && status === 0 ? 'cut' : 'failed';
}

/**
 * What a poll shows: {known, delay, vain, link}. It does nothing: whoever asks for it acts.
 *
 * known: what `known` becomes by it. delay: the ms before the next poll, at least. vain: as how many polls in vain it
 * counts. link: the state of the link, see poll.js, if it is told.
 *
 * outcome: as `outcomeOf` has it; or 'mended', a refusal whose cause is gone, or 'stumbled', an answer over which the page
 * stumbled, which `error` says. how: {hold, took, cursor, seldom}, the cursor of the question, and the ms between two polls
 * that are not held.
 */
export function judge(known, outcome, answer, how, error = null) {
  const next = { ...known, givenUp: known.givenUp + (answer.timedOut ? 1 : 0) };
  if (outcome === 'answered') return answered(next, answer.data, how);
  // The cursor stays: the answer was not handed on.
  if (outcome === 'stumbled') return failed(next, { state: 'waiting', line: `The page stumbled over an answer (${error}).` });
  if (outcome === 'mended') return { known: next, delay: nextDelay(0, answer.retryAfter), vain: 0 };
  if (outcome === 'refused') return failed(next, { state: 'refused', line: answer.error }, answer.retryAfter);
  if (outcome === 'cut') return cut(next, how.took);
  const link = { state: 'waiting', line: answer.error, foreign: isOther(answer.foreign) };
  return failed(next, link, answer.retryAfter, how.hold);
}

function answered(known, data, { hold, took, cursor, seldom }) {
  const moved = Boolean(data.cursor && data.cursor !== cursor) || hasNews(data);
  const due = hold && took >= HELD * 1000 * (known.told ?? 1);
  const next = {
    ...known,
    told: data.advice?.timeout ?? known.told,
    givenUp: 0,
    cuts: hold ? 0 : known.cuts,
    unheld: Math.max(0, known.unheld - 1),
    strange: data.you?.cookie === false ? known.strange + 1 : 0,
  };
  // The first may have come before the cookie: the page was kept by a cache.
  if (next.strange > 1) return failed(next, { state: 'cookies' });
  // Sooner than it should, and with nothing: another tab asks under our token, or a cache answers.
  const early = hold && !moved && !due && !data.people;
  if (next.strange || early) return failed(next, { state: 'connected' });
  if (moved || due) next.failures = 0;
  const between = next.unheld ? UNHELD : seldom;
  const delay = Math.max(between, nextDelay(0, data.advice?.retry));
  return { known: next, delay, vain: moved || due || !hold ? 0 : 1, link: { state: 'connected' } };
}

/** A request that waited was cut: nothing is lost by that, and the next one, at once, shows whether all is well. */
function cut(known, took) {
  const cuts = took < CUT_SOON ? known.cuts + 1 : 0;
  const unheld = cuts >= CUTS ? UNHELD_TIMES : known.unheld;
  return { known: { ...known, failures: known.failures + 1, cuts, unheld }, delay: 0, vain: 2 };
}

function failed(known, link, advice = null, hold = false) {
  const failures = known.failures + 1;
  return { known: { ...known, failures }, delay: nextDelay(failures, advice), vain: hold ? 2 : 1, link };
}

function hasNews(data) {
  return data.messages.length > 0 || Boolean(data.gap) || Boolean(data.presence?.length);
}

/** Whether a status that is not the chat's comes from something that answers in its place, rather than from its proxy. */
function isOther(status) {
  return status > 0 && status < 500;
}
