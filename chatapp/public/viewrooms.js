import { count, element } from './text.js';

const ROOM = /^[\p{L}\p{N}._-]{1,64}$/u;

/** The room name that `text` means ("#Tea" is "Tea"), or null if none can be called that. */
export function roomName(text) {
  const name = text.trim().replace(/^#/, '').replace(/\s+/g, '-');
  return ROOM.test(name) ? name : null;
}

/** The list of rooms and the form to join one. acts: join(name). Rooms are links: `#name` opens it. */
export class RoomsView {
  #list = document.getElementById('room-list');
  #form = document.getElementById('room-form');
  #field = document.getElementById('room-name');
  #error = document.getElementById('room-error');

  constructor(acts) {
    this.#field.addEventListener('input', () => this.complain(''));
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      const name = roomName(this.#field.value);
      if (!name) return this.complain('A name has 1 to 64 letters, digits, dots, dashes or underscores.');
      this.#form.reset();
      acts.join(name);
    });
  }

  complain(error) {
    this.#error.textContent = error;
    this.#field.setAttribute('aria-invalid', String(error !== ''));
  }

  /** rooms: [{name, unread}] */
  show(rooms, open) {
    this.#list.replaceChildren(...rooms.map(({ name, unread }) => element('li', {}, roomLink(name, unread, name === open))));
  }
}

function roomLink(name, unread, open) {
  const link = element('a', { href: `#${encodeURIComponent(name)}` }, element('span', { dir: 'auto', textContent: name }));
  if (open) link.setAttribute('aria-current', 'page');
  if (unread) {
    const label = { 'aria-label': count(unread, 'unread message') };
    link.append(element('span', { className: 'count', textContent: unread > 99 ? '99+' : unread, attributes: label }));
  }
  return link;
}
