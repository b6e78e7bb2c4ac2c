// Every text of the page: as DOM text nodes, never as markup.

const LINK = /https?:\/\/[^\s<>"'`]+/gi;
const TRAILING = /[.,;:!?)\]}]+$/;
// The page speaks English; only whether a day has two halves or 24 hours is the reader's.
const { hourCycle } = new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions();
const time = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', hourCycle });
const moment = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'medium', hourCycle });
const date = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' });
const dateOfYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', year: 'numeric' });
const list = new Intl.ListFormat('en');
const LATIN = /^[\0-\u02ff]*$/;
const LETTER = /^.\p{M}*/su;
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
const HUES = 12; // that can be told from each other
const STEP = 5; // places between two that are tried one after the other: far apart on the wheel, and all in turn

/** A new element with properties set, and children: nodes, or strings that become text. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  const { attributes = {}, ...rest } = properties;
  Object.assign(node, rest);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Have `parent` hold `nodes`. Those that it has stay where they are, so that they keep the focus. */
export function arrange(parent, nodes) {
  const kept = new Set(nodes);
  for (const node of [...parent.children]) if (!kept.has(node)) node.remove();
  let next = parent.firstChild;
  for (const node of nodes) {
    if (node === next) next = next.nextSibling;
    else parent.insertBefore(node, next);
  }
}

/** `text` as nodes: text, and a link for each http(s) address in it. */
export function linked(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(LINK)) {
    const address = match[0].replace(TRAILING, '');
    nodes.push(text.slice(done, match.index), link(address));
    done = match.index + address.length;
  }
  return [...nodes, text.slice(done)].filter((node) => node !== '');
}

function link(address) {
  if (!isAddress(address)) return address;
  return element('a', { href: address, textContent: address, target: '_blank', rel: 'noopener noreferrer nofollow' });
}

function isAddress(text) {
  try {
    return Boolean(new URL(text));
  } catch {
    return false;
  }
}

/** A <time> that shows hour and minute of `at` (unix seconds). */
export function timeOf(at) {
  const when = new Date(at * 1000);
  return element('time', { dateTime: when.toISOString(), title: moment.format(when), textContent: time.format(when) });
}

/** "Today", "Yesterday", "Monday, November 3", or with the year if it is another one. */
export function dayOf(at, now = new Date()) {
  const when = new Date(at * 1000);
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (when.toDateString() === now.toDateString()) return 'Today';
  if (when.toDateString() === yesterday.toDateString()) return 'Yesterday';
  return (when.getFullYear() === now.getFullYear() ? date : dateOfYear).format(when);
}

export function count(number, one, many = `${one}s`) {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

/** What a gap is called: see Transcript.gap. */
export function gapText({ lost, reason, exact }) {
  if (reason === 'recreated') {
    const before = 'The message log was started anew.';
    return lost > 0 ? `${before} ${count(lost, 'earlier message is', 'earlier messages are')} no longer available.` : before;
  }
  const about = exact === false ? 'About ' : '';
  return `${about}${count(lost, 'message is', 'messages are')} no longer available.`;
}

/** `name` for a sentence without markup (a title, a label): it leaves the direction of what is around it alone. */
export function isolated(name) {
  return LATIN.test(name) ? name : `\u2068${name}\u2069`;
}

/** Nodes that name `nicks` in a sentence: "ann, bob, and 3 others". */
export function listed(nicks, shown) {
  const named = nicks.length > shown ? nicks.slice(0, shown - 1) : nicks;
  const rest = nicks.length - named.length;
  const parts = list.formatToParts(rest ? [...named, count(rest, 'other')] : named);
  let place = 0;
  return parts.map(({ type, value }) => {
    if (type !== 'element') return value;
    place += 1;
    return place > named.length ? value : element('bdi', { textContent: value });
  });
}

/** One or two letters that stand for `nick`. */
export function initials(nick) {
  const words = nick.match(WORD) ?? [];
  const letters = words.slice(0, 2).map((word) => word.match(LETTER)[0]);
  return (letters.join('') || nick.match(LETTER)[0]).toLocaleUpperCase('en');
}

const hues = new Map(); // nick -> place on the wheel

/** A hue (degrees) for each nick: its own, as long as fewer nicks were seen in this tab than there are hues. */
export function hueOf(nick) {
  if (!hues.has(nick)) hues.set(nick, freePlace(nick));
  return hues.get(nick) * (360 / HUES);
}

/** The place that `nick` hashes to, or the next one that fewer have. */
function freePlace(nick) {
  let hash = 0;
  for (const character of nick) hash = (hash * 31 + character.codePointAt(0)) % 3600;
  const places = Array.from({ length: HUES }, (_, i) => (hash + i * STEP) % HUES);
  const taken = Array(HUES).fill(0);
  for (const place of hues.values()) taken[place] += 1;
  return places.reduce((best, place) => (taken[place] < taken[best] ? place : best));
}
