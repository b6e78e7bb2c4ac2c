import { element } from './text.js';

const TEXTS = {
  room: { title: 'New private room', help: 'Only who is in it knows of it. You can invite others later.', act: 'Make it' },
  direct: { title: 'Message somebody', help: 'Only you and they see what is said.', act: 'Begin' },
};

/**
 * The dialog that makes a private room, or one with somebody.
 * acts: make(kind, {title, people}, wanted) -> a promise of an error line, '' if it is there now; wanted() says whether
 * somebody still waits for it.
 */
export class MakeView {
  #dialog = document.getElementById('make-dialog');
  #form = document.getElementById('make-form');
  #named = document.getElementById('make-named');
  #name = document.getElementById('make-name');
  #people = document.getElementById('make-people');
  #known = document.getElementById('make-known');
  #error = document.getElementById('make-error');
  #do = document.getElementById('make-do');
  #acts;
  #question = null;

  constructor(acts) {
    this.#acts = acts;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#form.addEventListener('input', () => this.#complain(''));
    document.getElementById('make-cancel').addEventListener('click', () => this.#dialog.close());
  }

  /** Whether it is asked now. */
  get open() {
    return this.#dialog.open;
  }

  /** kind: 'room' or 'direct'; known: nicks that are suggested; people: those that are in the field; error: why it is asked. */
  ask(kind, known, people = [], error = '') {
    this.#question = { kind, known: [...known, ...people] };
    this.#do.disabled = false;
    const { title, help, act } = TEXTS[kind];
    document.getElementById('make-title').textContent = title;
    document.getElementById('make-help').textContent = help;
    this.#do.textContent = act;
    this.#named.hidden = kind !== 'room';
    this.#known.replaceChildren(...known.map((nick) => element('option', { value: nick })));
    this.#form.reset();
    this.#people.value = people.join(', ');
    this.#complain(error);
    this.#dialog.showModal();
    (kind === 'room' ? this.#name : this.#people).focus();
  }

  async #submit() {
    const question = this.#question;
    const { kind, known } = question;
    const title = this.#name.value.trim();
    const people = nicksOf(this.#people.value, known);
    if (this.#do.disabled) return;
    if (kind === 'room' && !title) return this.#complain('Say what it is called first.');
    if (kind === 'direct' && !people.length) return this.#complain('Say with whom first.');
    this.#do.disabled = true;
    const error = await this.#acts.make(kind, { title, people }, () => question === this.#question && this.open);
    if (question !== this.#question) return;
    this.#do.disabled = false;
    if (error) return this.#complain(error);
    this.#dialog.close();
  }

  #complain(error) {
    this.#error.textContent = error;
    this.#people.setAttribute('aria-invalid', String(error !== ''));
  }
}

/** The nicks in `text`, commas between; one that is known may have commas itself. */
function nicksOf(text, known) {
  const nicks = new Map(known.map((nick) => [partsOf(nick).join(), nick]));
  const parts = partsOf(text);
  const found = [];
  while (parts.length) {
    const last = parts.findLastIndex((_, i) => nicks.has(parts.slice(0, i + 1).join()));
    const own = parts.splice(0, Math.max(1, last + 1)).join();
    found.push(nicks.get(own) ?? own);
  }
  return found.filter(Boolean);
}

function partsOf(text) {
  return text.split(',').map((part) => part.trim());
}
