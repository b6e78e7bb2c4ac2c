import { element, hueOf } from './text.js';

/** The people of the open room, and how many they are. */
export class PeopleView {
  #list = document.getElementById('people-list');
  #counts = document.querySelectorAll('.people-count');

  /** people: Set of nicks; nick: ours, shown first. */
  show(people, nick) {
    const others = [...people].filter((each) => each !== nick).sort((a, b) => a.localeCompare(b));
    const all = people.has(nick) ? [nick, ...others] : others;
    this.#list.replaceChildren(...all.map((each) => personNode(each, each === nick)));
    for (const place of this.#counts) place.textContent = all.length;
  }
}

function personNode(nick, own) {
  const node = element('li', {}, element('span', { className: 'nick', dir: 'auto', textContent: nick }));
  node.style.setProperty('--hue', hueOf(nick));
  if (own) node.append(element('span', { className: 'you', textContent: 'you' }));
  return node;
}
