import { arrange, count, element, hueOf, initials, listed } from './text.js';

const NEWS = 5_000; // ms that a coming or going is shown; those of that time are told together after it
const NAMED = 3; // of more, the rest are counted
const { compare } = new Intl.Collator('en');

/** The people of the open room, how many they are, and who came or went. acts: act(button, nick), for others than us. */
export class PeopleView {
  #list = document.getElementById('people-list');
  #news = document.getElementById('news');
  #counts = document.querySelectorAll('.people-count');
  #nick = null;
  #touchable = false;
  #items = new Map(); // by nick, as they are listed
  #events = []; // not told yet
  #timer = null;

  constructor(acts) {
    this.#list.addEventListener('click', ({ target }) => {
      const button = target.closest('button.person-acts');
      if (button) acts.act(button, button.dataset.nick);
    });
  }

  /** people: Set of nicks; nick: ours, shown first; touchable: whether something can be done with the others. */
  show(people, nick, touchable) {
    if (nick === this.#nick && touchable === this.#touchable && sameNames(people, this.#items)) return;
    const others = [...people].filter((each) => each !== nick).sort(compare);
    const all = people.has(nick) ? [nick, ...others] : others;
    const same = (each) => touchable === this.#touchable && (each === nick) === (each === this.#nick);
    const known = (each) => (same(each) ? this.#items.get(each) : undefined);
    this.#items = new Map(all.map((each) => [each, known(each) ?? personItem(each, each === nick, touchable)]));
    this.#nick = nick;
    this.#touchable = touchable;
    arrange(this.#list, [...this.#items.values()]);
    for (const place of this.#counts) place.textContent = all.length;
  }

  /** Say who came or went. events: the wire's presence of the open room. */
  tell(events) {
    this.#events.push(...events);
    if (!this.#timer && this.#events.length) this.#say();
  }

  #say() {
    const events = this.#events;
    this.#events = [];
    this.#news.replaceChildren(...newsOf(events));
    this.#timer = events.length ? setTimeout(() => this.#say(), NEWS) : null;
  }
}

function sameNames(people, items) {
  return people.size === items.size && [...people].every((nick) => items.has(nick));
}

function personItem(nick, own, touchable) {
  const disc = element('span', { className: 'disc', textContent: initials(nick), attributes: { 'aria-hidden': 'true' } });
  const name = element('span', { className: 'nick', dir: 'auto', title: nick, textContent: nick });
  const item = own || !touchable ? element('li', {}, disc, name) : element('li', {}, personButton(nick, disc, name));
  item.style.setProperty('--hue', hueOf(nick));
  if (own) item.append(element('span', { className: 'you', textContent: 'you' }));
  return item;
}

function personButton(nick, disc, name) {
  const attributes = { 'aria-haspopup': 'menu', 'aria-expanded': 'false' };
  const button = element('button', { type: 'button', className: 'person-acts', attributes }, disc, name);
  button.dataset.nick = nick;
  return button;
}

/** One short line, as nodes, however many came, went and changed their names at once. */
function newsOf(events) {
  const nicks = (kind) => [...new Set(events.filter(({ event }) => event === kind).map(({ nick }) => nick))];
  const names = events.filter(({ event }) => event === 'nick');
  const renamed = names.length > NAMED
    ? [`${count(names.length, 'name')} changed. `]
    : names.flatMap(({ nick, was }) => [element('bdi', { textContent: was }), ' is now ', element('bdi', { textContent: nick }), '. ']);
  return [...say(nicks('join'), 'came in'), ...say(nicks('leave'), 'left'), ...renamed];
}

function say(nicks, did) {
  return nicks.length ? [...listed(nicks, NAMED), ` ${did}. `] : [];
}
