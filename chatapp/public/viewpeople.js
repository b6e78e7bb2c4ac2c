import { element, hueOf } from './text.js';

const NEWS = 6_000; // ms that a coming or going is shown

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
    this.#news.textContent = events.map(sentence).join(' ');
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

function sentence({ event, nick, was }) {
  if (event === 'nick') return `${was} is now ${nick}.`;
  return event === 'join' ? `${nick} came in.` : `${nick} left.`;
}
