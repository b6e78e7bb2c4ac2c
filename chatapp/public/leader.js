// One poll for all tabs of a browser. The tab that holds a Web Lock leads: it polls, sends the outbox and hands
// every answer on by BroadcastChannel. When it goes, however it goes, the browser gives the lock to the next tab.
// Where Web Locks is missing (plain http on another host than localhost) every tab leads itself.

const NAME = 'chat';

/**
 * Join the tabs of this browser.
 *
 * onLead(tookOver) is called once this tab leads; `tookOver` says that another led before.
 * onMessage(message) gets what the other tabs post.
 * Returns {post, together}: post(message) to the other tabs; `together` is false if every tab leads itself.
 */
export function joinTabs({ onLead, onMessage }) {
  if (!navigator.locks || typeof BroadcastChannel === 'undefined') {
    queueMicrotask(() => onLead(false));
    return { post() {}, together: false };
  }
  const channel = new BroadcastChannel(NAME);
  channel.onmessage = (event) => onMessage(event.data);
  waitForLead(onLead);
  return { post: (message) => channel.postMessage(message), together: true };
}

async function waitForLead(onLead) {
  const forever = new Promise(() => {});
  const lead = (tookOver) => {
    onLead(tookOver);
    return forever;
  };
  const taken = await navigator.locks.request(NAME, { ifAvailable: true }, (lock) => (lock ? lead(false) : true));
  if (taken) await navigator.locks.request(NAME, () => lead(true));
}
