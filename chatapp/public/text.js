// Every text of the page: as DOM text nodes, never as markup.

const LINK = /https?:\/\/[^\s<>"'`]+/gi;
const TRAILING = /[.,;:!?)\]}]+$/;
const time = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const date = new Intl.DateTimeFormat('en', { weekday: 'long', day: 'numeric', month: 'long' });
const dateOfYear = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'long', year: 'numeric' });

/** A new element with properties set, and children: nodes, or strings that become text. */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  const { attributes = {}, ...rest } = properties;
  Object.assign(node, rest);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
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

/** A hue (degrees) of its own for each nick. */
export function hueOf(nick) {
  let hash = 0;
  for (const character of nick) hash = (hash * 31 + character.codePointAt(0)) % 3600;
  return (hash * 137.5) % 360;
}
