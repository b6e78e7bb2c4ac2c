import { setNick } from './wire.js';

// A background tab's timers may run but once a minute; a longer silence was sleep.
const TICK = 5_000;
const SLEPT = 90_000;

/** Take `nick` on the server and keep it in `store`. Returns {taken, line}: line '' if it is ours now. */
export async function takeNick(store, nick) {
  const { status, data, error } = await setNick(nick);
  if (status === 200) store.set('nick', data.nick ?? nick);
  if (status === 200) return { taken: false, line: '' };
  if (status === 409) return { taken: true, line: `“${nick}” is taken here. Try another name.` };
  return { taken: false, line: error || 'The server does not answer. Try again in a moment.' };
}

/** Call `act` when this tab may have missed something: shown again, back online, woken from sleep. */
export function onReturn(act) {
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && act(false));
  addEventListener('pageshow', (event) => event.persisted && act(true));
  addEventListener('online', () => act(true));
  addEventListener('offline', () => act(true));
  let last = Date.now();
  setInterval(() => {
    const slept = Date.now() - last > SLEPT;
    last = Date.now();
    if (slept) act(true);
  }, TICK);
}
