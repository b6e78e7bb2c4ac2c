// What all tabs of a browser know: kept in localStorage, followed by `storage` events. A browser that refuses
// storage (some private windows do) still chats; it only forgets at a reload.

const PREFIX = 'chat.';

/** The value kept under `name`, or `fallback` if there is none or it cannot be read. */
export function recall(name, fallback = null) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name)) ?? fallback;
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

/** Keep `names` of `store` in step with storage and with every other tab. */
export function share(store, names) {
  for (const name of names) {
    store.set(name, recall(name, store.get(name)));
    store.on(name, (value) => {
      // Another tab's change comes back as an equal value: writing it again would echo between tabs.
      if (JSON.stringify(value) !== JSON.stringify(recall(name))) remember(name, value);
    });
  }
  addEventListener('storage', (event) => {
    const name = event.key?.slice(PREFIX.length);
    if (names.includes(name) && event.newValue !== null) store.set(name, recall(name));
  });
}

/** A fresh token of the wire's alphabet [A-Za-z0-9_-]. */
export function token() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
