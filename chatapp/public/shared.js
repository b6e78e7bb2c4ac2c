// What all tabs of a browser know: kept in localStorage, followed by `storage` events. A browser that refuses
// storage (some private windows do) still chats; it only forgets at a reload. Another application of the same origin may
// have written there: a value of another shape than ours counts as none. Where the server knows people, each has what is
// theirs, and tabs of their own: the next one in this browser finds nothing of it.

import { base, me } from './server.js';

/** What the tabs of this browser, this chat and this person call themselves. */
export const NAME = `chat${base}${me.sender && `.${me.sender}`}`;
const PREFIX = `${NAME}.`;

/** The value kept under `name`, or `fallback` if there is none for which `is` holds. */
export function recall(name, is, fallback = null) {
  try {
    const value = JSON.parse(localStorage.getItem(PREFIX + name));
    return value !== null && is(value) ? value : fallback;
  } catch {
    return fallback;
  }
}

/** Keep `value` (JSON) under `name`; null or undefined forgets it. Returns whether it is kept. */
export function remember(name, value) {
  try {
    if (value === null || value === undefined) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** The kept names that start with `start`. */
export function recallNames(start) {
  try {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX + start));
    return names.map((name) => name.slice(PREFIX.length));
  } catch {
    return [];
  }
}

/** Keep the names of `shapes` ({name: is}) of `store` in step with storage and with every other tab. */
export function share(store, shapes) {
  for (const [name, is] of Object.entries(shapes)) {
    store.set(name, recall(name, is, store.get(name)));
    store.on(name, (value) => {
      // Another tab's change comes back as an equal value: writing it again would echo between tabs.
      if (JSON.stringify(value) !== JSON.stringify(recall(name, is))) remember(name, value);
    });
  }
  addEventListener('storage', (event) => {
    const name = event.key?.slice(PREFIX.length);
    const value = event.key?.startsWith(PREFIX) && name in shapes ? recall(name, shapes[name]) : null;
    if (value !== null) store.set(name, value);
  });
}

/** A fresh token of the wire's alphabet [A-Za-z0-9_-]. */
export function token() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
