import { element } from './text.js';

/**
 * A menu below a button: what can be done with what the button is for. One at a time in the page; arrows walk through it,
 * Escape and a press beside it close it, and the button has the focus again (ARIA authoring practices, menu button). It goes
 * with its button, and closes when that goes out of view.
 */
export class MenuView {
  #node = element('div', { className: 'menu', attributes: { role: 'menu' } });
  #button = null;

  constructor() {
    this.#node.addEventListener('keydown', (event) => this.#press(event));
    this.#node.addEventListener('click', ({ target }) => target.closest('button') && this.close(true));
    document.addEventListener('pointerdown', ({ target }) => this.#node.contains(target) || this.#button?.contains(target) || this.close());
    addEventListener('resize', () => this.close());
    document.addEventListener('scroll', ({ target }) => target.contains(this.#button) && this.#follow(target), true);
  }

  /** Open it for `button`, or close it if it is open there. items: [{word, run}]; label: of what. */
  toggle(button, label, items) {
    const open = this.#button === button;
    this.close(open);
    if (open || !items.length) return;
    this.#button = button;
    button.setAttribute('aria-expanded', 'true');
    this.#node.setAttribute('aria-label', label);
    this.#node.replaceChildren(...items.map(itemOf));
    (button.closest('dialog') ?? document.body).append(this.#node);
    this.#place(button.getBoundingClientRect());
    this.#node.firstChild.focus({ preventScroll: true });
  }

  close(focus = false) {
    const button = this.#button;
    if (!button) return;
    this.#button = null;
    button.setAttribute('aria-expanded', 'false');
    this.#node.remove();
    if (focus) button.focus({ preventScroll: true });
  }

  /** What the button stands in was scrolled: go with it, as long as it is in view there. */
  #follow(scrolled) {
    const button = this.#button.getBoundingClientRect();
    const { top, bottom } = scrolled === document ? { top: 0, bottom: innerHeight } : scrolled.getBoundingClientRect();
    if (button.bottom > top && button.top < bottom) this.#place(button);
    else this.close(true);
  }

  /** Below the button, or above it where there is no place; never beyond the window. */
  #place({ top, bottom, right }) {
    const { offsetWidth, offsetHeight } = this.#node;
    const above = bottom + offsetHeight > innerHeight && top > offsetHeight;
    this.#node.style.setProperty('--top', `${above ? top - offsetHeight : bottom}px`);
    this.#node.style.setProperty('--left', `${Math.max(8, right - offsetWidth)}px`);
  }

  #press(event) {
    const { key } = event;
    if (key === 'Tab') return this.close(true); // and the focus goes on from the button
    const items = [...this.#node.children];
    const at = items.indexOf(document.activeElement);
    const places = { ArrowDown: at + 1, ArrowUp: at - 1 + items.length, Home: 0, End: items.length - 1 };
    if (key !== 'Escape' && !(key in places)) return;
    event.preventDefault();
    event.stopPropagation();
    if (key === 'Escape') this.close(true);
    else items[places[key] % items.length].focus();
  }
}

function itemOf({ word, run }) {
  const item = element('button', { type: 'button', textContent: word, tabIndex: -1, attributes: { role: 'menuitem' } });
  item.addEventListener('click', run);
  return item;
}
