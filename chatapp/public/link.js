// What the page says of the link to the chat: one place for all states of it. See poll.js for what they mean.

const TROUBLE = {
  waiting: ({ line, foreign }) => line || (foreign ? 'Something between you and the chat answers in its place. Is there a page of this network to sign in on?' : 'Connection lost.'),
  refused: ({ line }) => line,
  cookies: () => 'This chat needs cookies to know you, and they do not reach it. Allow them for this site.',
  offline: () => 'You are offline.',
};
const WORDS = { connecting: 'Connecting…', connected: 'Connected', waiting: 'Not connected', refused: 'Not connected', cookies: 'No cookies', offline: 'Offline' };

/**
 * What is shown of a link: {state, word, line, act}, where `word` names the state; there is a line only if somebody has to
 * know, and `act` is what a button beside it does: 'retry', 'reload', 'dismiss' or nothing.
 *
 * notice: a line about something that is over, or ''. outdated: whether the server has a newer page.
 */
export function shownOf(link, { online, notice, outdated }) {
  const state = link.state === 'waiting' && !online ? 'offline' : link.state;
  const word = WORDS[state];
  if (TROUBLE[state]) return { state, word, line: TROUBLE[state](link), act: 'retry' };
  if (notice) return { state, word, line: notice, act: 'dismiss' };
  if (outdated) return { state, word, line: 'There is a new version of this page.', act: 'reload' };
  return { state, word, line: '', act: '' };
}
