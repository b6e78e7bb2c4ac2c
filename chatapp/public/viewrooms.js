import { limits } from './server.js';
import { arrange, count, element } from './text.js';

// What cannot stand in an address. Which letters a name is made of, the server says.
const IMPOSSIBLE = /[/,\p{Cc}\p{Cs}]|^\.*$/u;

/** The room name that `text` means ("#Tea" is "Tea"), or null if none can be called that. */
export function roomName(text) {
  const name = text.trim().replace(/^#/, '').replace(/\s+/g, '-');
  return IMPOSSIBLE.test(name) || [...name].length > limits.room ? null : name;
}

/** The list of rooms and the form to join one. acts: join(name). Rooms are links: `#name` opens it. */
export class RoomsView {
  #list = document.getElementById('room-list');
  #form = document.getElementById('room-form');
  #field = document.getElementById('room-name');
  #error = document.getElementById('room-error');
  #items = new Map(); // by name: the same as long as the room is joined, so that it keeps the focus

  constructor(acts) {
    this.#field.addEventListener('input', () => this.complain(''));
    this.#field.addEventListener('keydown', (event) => event.key === 'Escape' && this.#put(event));
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = roomName(this.#field.value);
      if (!name) return this.complain('A name has 1 to 64 letters, digits, dots, dashes or underscores, and not dots alone.');
      this.#form.reset();
      this.complain('');
      acts.join(name);
    });
  }

  complain(error) {
    this.#error.textContent = error;
    this.#field.setAttribute('aria-invalid', String(error !== ''));
    this.#form.classList.toggle('open', this.#field.value !== '');
  }

  /** Away with the field, if it is in use. */
  #put(event) {
    event.stopPropagation();
    this.#form.reset();
    this.complain('');
    this.#field.blur();
  }

  /** rooms: [{name, title, mark, unread}]; `mark`: a glyph and a word for what kind of room it is, or null. */
  show(rooms, open) {
    const items = rooms.map(({ name, title, mark, unread }) => {
      const item = this.#items.get(name) ?? roomItem(name);
      call(item.firstChild, title, mark);
      tell(item.firstChild, unread, name === open);
      return item;
    });
    this.#items = new Map(rooms.map(({ name }, i) => [name, items[i]]));
    arrange(this.#list, items);
  }
}

function roomItem(name) {
  return element('li', {}, element('a', { href: `#${encodeURIComponent(name)}` }, element('bdi')));
}

/** Show on the link of a room what it is called, and what kind it is. */
function call(link, title, mark) {
  const name = link.querySelector('bdi');
  if (name.textContent !== title) Object.assign(name, { title, textContent: title });
  const shown = link.querySelector('.kind');
  if (shown?.title === mark?.word) return;
  shown?.remove();
  if (mark) link.prepend(element('span', { className: `glyph kind ${mark.glyph}`, title: mark.word, attributes: { role: 'img', 'aria-label': mark.word } }));
}

/** Show on the link of a room how much of it is unread, and whether it is the open one. */
function tell(link, unread, open) {
  if (open) link.setAttribute('aria-current', 'page');
  else link.removeAttribute('aria-current');
  const label = { 'aria-label': count(unread, 'unread message') };
  const badge = element('span', { className: 'count', textContent: unread > 99 ? '99+' : unread, attributes: label });
  link.querySelector('.count')?.remove();
  if (unread) link.append(badge);
}
