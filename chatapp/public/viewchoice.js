import { calledAs } from './listing.js';
import { arrange, count, element, isolated } from './text.js';

const MOST = 40; // rooms that are offered at once: whoever types a part of the name finds every other
const AGAIN = 3_000; // ms between two looks at what there is, while somebody chooses
const { compare } = new Intl.Collator('en');

/**
 * The rooms to choose from, below the field for a room's name while that is in use, and what else can be made there.
 * acts: ask() when it opens and while it is open, make(kind) with 'room' or 'direct'. A room that is offered is a link: `#name` opens it.
 */
export class ChoiceView {
  #form = document.getElementById('room-form');
  #field = document.getElementById('room-name');
  #part = document.getElementById('room-choice');
  #list = document.getElementById('room-offers');
  #status = document.getElementById('room-offered');
  #acts;
  #offers = [];
  #items = new Map(); // by room: the same as long as it is offered, so that it keeps the focus
  #timer = null;

  constructor(acts) {
    this.#acts = acts;
    this.#field.addEventListener('focus', () => this.#open());
    this.#field.addEventListener('input', () => this.#draw());
    // Once a room is joined, and by Escape in the field.
    this.#form.addEventListener('reset', () => this.close());
    this.#form.addEventListener('keydown', (event) => event.key === 'Escape' && this.close());
    this.#list.addEventListener('click', (event) => event.target.closest('a') && this.close());
    document.addEventListener('pointerdown', ({ target }) => this.#form.contains(target) || this.close());
    // Safari gives buttons and links no focus when they are clicked: what loses it to nothing stays open.
    this.#form.addEventListener('focusout', ({ relatedTarget }) => {
      if (relatedTarget && !this.#form.contains(relatedTarget)) this.close();
    });
    for (const kind of ['room', 'direct']) {
      document.getElementById(`${kind}-make`).addEventListener('click', () => {
        this.close();
        acts.make(kind);
      });
    }
    if (document.activeElement === this.#field) this.#open();
  }

  /** rooms: as the server lists them; joined: the names of those that are in the list of ours already. */
  offer(rooms, joined) {
    this.#offers = rooms.filter(({ room }) => !joined.includes(room)).sort((one, other) => compare(calledAs(one), calledAs(other)));
    if (!this.#part.hidden) this.#draw();
  }

  close() {
    clearInterval(this.#timer);
    this.#part.hidden = true;
  }

  #open() {
    if (!this.#part.hidden) return;
    this.#part.hidden = false;
    this.#draw();
    this.#acts.ask();
    this.#timer = setInterval(() => this.#acts.ask(), AGAIN);
  }

  #draw() {
    const wanted = this.#field.value.trim().replace(/^#/, '').toLocaleLowerCase('en');
    const found = this.#offers.filter((each) => calledAs(each).toLocaleLowerCase('en').includes(wanted));
    const shown = found.slice(0, MOST);
    const items = shown.map((offer) => call(this.#items.get(offer.room) ?? offerItem(offer), offer));
    this.#items = new Map(shown.map(({ room }, i) => [room, items[i]]));
    arrange(this.#list, items);
    this.#status.textContent = saying(found.length, wanted);
  }
}

function saying(found, wanted) {
  if (found > MOST) return `${count(found, 'room')}; type a part of the name`;
  if (found) return '';
  return wanted ? `No other room is called so. Enter opens ${isolated(wanted)}.` : 'You are in every room that there is.';
}

function offerItem({ room }) {
  return element('li', {}, element('a', { href: `#${encodeURIComponent(room)}` }));
}

/** Say on the link of an offered room what it is called, and how many are there; returns its item. */
function call(item, offer) {
  const { people = 0 } = offer;
  const name = element('bdi', { title: calledAs(offer), textContent: calledAs(offer) });
  const here = people ? [element('span', { className: 'hint', textContent: `${people} here` })] : [];
  item.firstChild.replaceChildren(name, ...here);
  return item;
}
