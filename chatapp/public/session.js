import { deviceCode, setNick } from './wire.js';

// A background tab's timers may run but once a minute; a longer silence was sleep.
const TICK = 5_000;
const SLEPT = 90_000;
// What was out of view for longer may have lost its connection, ms.
const AWAY = 15_000;

let last = Date.now(); // when the timers ran

/** Take `nick` on the server and keep it in `store`, where `named` says that the server knows it. Returns {refused, line}: line '' if it is ours now. */
export async function takeNick(store, nick) {
  const { status, data, error, foreign } = await setNick(nick);
  if (status === 200) {
    store.set('nick', data.nick);
    store.set('named', true);
    return { refused: false, line: '' };
  }
  if (status === 409) return { refused: true, line: error };
  const nobody = foreign > 0 && foreign < 500 ? 'Something between you and the chat answers in its place.' : 'The server does not answer.';
  return { refused: status === 400, line: error || `${nobody} Try again in a moment.` };
}

/** A link for another device: {url, qr, line}, where line is '' or says why there is none; `qr` is {size, path}. */
export async function deviceLink() {
  const { status, data, error } = await deviceCode();
  if (status === 200) return { url: data.url, qr: data.qr, line: '' };
  return { url: '', qr: null, line: error || 'The server does not answer. Try again in a moment.' };
}

/** Whether this tab stood still until now, asleep for more than `limit` ms; told once. */
export function wokeUp(limit = AWAY) {
  const slept = Date.now() - last > limit;
  last = Date.now();
  return slept;
}

/** Call `act(anew)` when this tab may have missed something: shown again, back online, woken from sleep. */
export function onReturn(act) {
  let left = null;
  document.addEventListener('visibilitychange', () => {
    const away = left === null ? 0 : Date.now() - left;
    left = document.visibilityState === 'visible' ? null : Date.now();
    if (document.visibilityState === 'visible') act(away > AWAY);
  });
  addEventListener('pageshow', (event) => event.persisted && act(true));
  addEventListener('online', () => act(true));
  addEventListener('offline', () => act(true));
  setInterval(() => {
    if (wokeUp(left === null ? AWAY : SLEPT)) act(true);
  }, TICK);
}
