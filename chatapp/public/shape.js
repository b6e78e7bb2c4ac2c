// What a value from outside must look like before the page works with it: answers, and what storage holds. Anybody
// may have written either: a proxy in the server's place, another application on this origin.

const LAST_SECOND = 8.64e12; // of a Date

export const isText = (value) => typeof value === 'string';
export const isName = (value) => isText(value) && value !== '';
export const isSeq = (value) => Number.isSafeInteger(value) && value >= 0;
export const isMoment = (value) => typeof value === 'number' && Math.abs(value) <= LAST_SECOND;
export const isFlag = (value) => typeof value === 'boolean';

export const oneOf =
  (...values) =>
  (value) =>
    values.includes(value);

export const listOf = (each) => (value) => Array.isArray(value) && value.every(each);

const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/** An object, whatever its names, whose values are each `each`. */
export const mapOf = (each) => (value) => isObject(value) && Object.values(value).every(each);

/** An object with the `needed` parts and, where it has them, the `possible` ones; others are let through. */
export const record =
  (needed, possible = {}) =>
  (value) =>
    isObject(value) &&
    Object.entries(needed).every(([name, is]) => is(value[name])) &&
    Object.entries(possible).every(([name, is]) => value[name] === undefined || is(value[name]));

export const orNull = (is) => (value) => value === null || is(value);
const isAmount = (value) => typeof value === 'number' && value >= 0;
const isLink = (value) => isText(value) && /^https?:\/\/\S+$/.test(value);
const isDrawing = (value) => isText(value) && /^[Mhvz\d -]+$/.test(value);
const isMessage = record(
  { room: isName, seq: isSeq, nick: isText, text: isText, at: isMoment },
  { kind: isText, sender: isName, nonce: isName, about: isSeq },
);
const isChange = record({ room: isName, event: oneOf('join', 'leave', 'nick'), nick: isText }, { was: isText });
const isGap = record({ lost: isSeq, reason: isText }, { rooms: mapOf(isSeq), exact: isFlag });

export const isRoom = record(
  { room: isName, policy: isText, kind: isText },
  { title: isText, last: isSeq, new: isSeq, people: isSeq, names: listOf(isText), reason: isText, was: isText, may: listOf(isText) },
);
/** Until when something holds, null: for good, and why. */
export const isEnd = record({ until: orNull(isMoment), reason: isText }, { addresses: listOf(isText) });

/** The answers of the calls of wire.js; see docs/wire.md. */
export const answers = {
  pull: record(
    { messages: listOf(isMessage) },
    {
      cursor: isName,
      gap: isGap,
      presence: listOf(isChange),
      people: mapOf(listOf(isText)),
      you: record({ nick: orNull(isText) }, { sender: orNull(isName), cookie: isFlag }),
      names: mapOf(isName),
      limits: mapOf(isAmount),
      version: isText,
      changed: listOf(isText),
      advice: record({}, { timeout: isAmount, retry: isAmount }),
    },
  ),
  push: record({ room: isName, seq: (value) => isSeq(value) && value > 0 }),
  history: record({ messages: listOf(isMessage), first: isSeq }, { damaged: listOf(isSeq) }),
  people: record({ people: listOf(isText) }),
  nick: record({ nick: isName }),
  device: record({ url: isLink, qr: record({ size: isAmount, path: isDrawing }) }),
  rooms: record({ rooms: listOf(isRoom) }, { may: listOf(isText), muted: orNull(isEnd) }),
};

export const isRefusal = record({ error: isText }, { room: isText });
