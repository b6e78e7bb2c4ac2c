// What the server says of itself, in the page's <html> and with each list of people.

const told = document.documentElement.dataset;

/**
 * The path below which the chat is, without a slash at its end. The page's own address says it, even where a proxy puts the
 * chat below a prefix of which the server knows nothing.
 */
export const base = location.pathname.endsWith('/') ? location.pathname.slice(0, -1) : told.base;

/** Changes with the page's files and the server's release; '' if the server says none. */
export const version = told.version ?? '';

/**
 * What the server calls us, '' if it does not say; `sender`: whose page it is, where the server knows people; `fixed`: whether the server says what we are called, whatever this browser
 * remembers; `renames`: whether we may be called something else; `door`: whether the chat itself lets another device in; `passkeys`:
 * whether it takes them.
 */
export const me = {
  nick: told.nick ?? '',
  sender: told.sender ?? '',
  fixed: told.known === 'yes',
  renames: told.named !== 'elsewhere',
  door: told.door === 'own',
  passkeys: told.passkeys === 'yes',
};

/** What the server takes at most: characters of a message, rooms of a poll, characters of a room and of a nick. */
export const limits = { message: 4000, rooms: 20, room: 64, nick: 32 };

/** Take in the limits that the server tells now. */
export function learn(news) {
  for (const name of Object.keys(limits)) if (Number.isInteger(news?.[name]) && news[name] > 0) limits[name] = news[name];
}

function parsed(json) {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

learn(parsed(told.limits ?? 'null'));
