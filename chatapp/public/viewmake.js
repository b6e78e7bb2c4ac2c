import { element } from './text.js';

const TEXTS = {
  room: { title: 'New private room', help: 'Only who is in it knows of it. You can invite others later.', act: 'Make it' },
  direct: { title: 'Message somebody', help: 'Only you and they see what is said.', act: 'Begin' },
};

/**
 * The dialog that makes a private room, or one with somebody.
 * acts: make(kind, {title, people}) -> a promise of an error line, '' if it is there now.
 */
export class MakeView {
  #dialog = document.getElementById('make-dialog');
  #form = document.getElementById('make-form');
  #named = document.getElementById('make-named');
  #name = document.getElementById('make-name');
  #people = document.getElementById('make-people');
  #known = document.getElementById('make-known');
  #error = document.getElementById('make-error');
  #acts;
  #kind = 'room';

  constructor(acts) {
    this.#acts = acts;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#form.addEventListener('input', () => this.#complain(''));
    document.getElementById('make-cancel').addEventListener('click', () => this.#dialog.close());
  }

  /** kind: 'room' or 'direct'; known: nicks that are suggested; people: those that are in the field; error: why it is asked. */
  ask(kind, known, people = [], error = '') {
    this.#kind = kind;
    const { title, help, act } = TEXTS[kind];
    document.getElementById('make-title').textContent = title;
    document.getElementById('make-help').textContent = help;
    document.getElementById('make-do').textContent = act;
    this.#named.hidden = kind !== 'room';
    this.#known.replaceChildren(...known.map((nick) => element('option', { value: nick })));
    this.#form.reset();
    this.#people.value = people.join(', ');
    this.#complain(error);
    this.#dialog.showModal();
    (kind === 'room' ? this.#name : this.#people).focus();
  }

  async #submit() {
    const title = this.#name.value.trim();
    const people = this.#people.value.split(',').map((nick) => nick.trim()).filter(Boolean);
    if (this.#kind === 'room' && !title) return this.#complain('Say what it is called first.');
    if (this.#kind === 'direct' && !people.length) return this.#complain('Say with whom first.');
    const error = await this.#acts.make(this.#kind, { title, people });
    if (error) return this.#complain(error);
    this.#dialog.close();
  }

  #complain(error) {
    this.#error.textContent = error;
    this.#people.setAttribute('aria-invalid', String(error !== ''));
  }
}
