import { count, element, hueOf } from './text.js';

const NEWS = 6_000; // ms that a coming or going is shown
const NAMED = 3; // of more, the rest are counted
const list = new Intl.ListFormat('en');

/** The people of the open room, how many they are, and who came or went. */
export class PeopleView {
  #list = document.getElementById('people-list');
  #news = document.getElementById('news');
  #timer = null;
  #counts = document.querySelectorAll('.people-count');

  /** people: Set of nicks; nick: ours, shown first. */
  show(people, nick) {
    const others = [...people].filter((each) => each !== nick).sort((a, b) => a.localeCompare(b));
    const all = people.has(nick) ? [nick, ...others] : others;
    this.#list.replaceChildren(...all.map((each) => personNode(each, each === nick)));
    for (const place of this.#counts) place.textContent = all.length;
  }

  /** Say who came or went. events: the wire's presence of the open room. */
  tell(events) {
    if (!events.length) return;
    this.#news.textContent = newsOf(events);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#news.textContent = ''), NEWS);
  }
}

function personNode(nick, own) {
  const node = element('li', {}, element('span', { className: 'nick', dir: 'auto', textContent: nick }));
  node.style.setProperty('--hue', hueOf(nick));
  if (own) node.append(element('span', { className: 'you', textContent: 'you' }));
  return node;
}

/** One short line, however many came and went at once. */
function newsOf(events) {
  const nicks = (kind) => events.filter(({ event }) => event === kind).map(({ nick }) => nick);
  const names = events.filter(({ event }) => event === 'nick').map(({ nick, was }) => `${was} is now ${nick}.`);
  return [say(nicks('join'), 'came in'), say(nicks('leave'), 'left'), ...names].filter(Boolean).join(' ');
}

function say(nicks, did) {
  if (!nicks.length) return '';
  const named = nicks.length > NAMED ? [...nicks.slice(0, NAMED - 1), count(nicks.length - NAMED + 1, 'other')] : nicks;
  return `${list.format(named)} ${did}.`;
}
