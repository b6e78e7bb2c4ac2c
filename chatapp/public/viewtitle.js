import { isolated } from './text.js';

/** The tab's title and icon: the open room, and how much is unread. */
export class Title {
  #name = document.title;
  #icon = document.getElementById('favicon');

  show(room, unread) {
    const title = `${unread ? `(${unread}) ` : ''}${isolated(room)} · ${this.#name}`;
    if (document.title !== title) document.title = title;
    const icon = new URL(unread ? 'icon-unread.svg' : 'icon.svg', import.meta.url).pathname;
    document.documentElement.classList.toggle('unread', unread > 0);
    if (this.#icon.getAttribute('href') !== icon) this.#icon.setAttribute('href', icon);
  }
}
