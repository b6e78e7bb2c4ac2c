const LIMIT = 4000; // characters, the server's default; it has the last word
const NEAR = 400; // show what is left from here on

/** The message box: Enter sends, Shift+Enter makes a line, each room keeps its draft. acts: send(text). */
export class Composer {
  #form = document.getElementById('composer');
  #field = document.getElementById('composer-text');
  #left = document.getElementById('composer-left');
  #send = document.getElementById('composer-send');
  #drafts = new Map();
  #room = null;
  #acts;

  constructor(acts) {
    this.#acts = acts;
    this.#field.addEventListener('input', () => this.#changed());
    this.#field.addEventListener('keydown', (event) => {
      // While an input method composes, Enter chooses a word.
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
      this.#field.focus();
    });
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Write to `room`; a draft left there comes back. */
  open(room) {
    if (room === this.#room) return;
    if (this.#room) this.#drafts.set(this.#room, this.#field.value);
    this.#room = room;
    this.#field.placeholder = `Message ${room}`;
    this.write(this.#drafts.get(room) ?? '');
  }

  write(text) {
    this.#field.value = text;
    this.#changed();
  }

  #submit() {
    const text = this.#field.value.trimEnd();
    if (!text.trim() || [...text].length > LIMIT) return;
    this.write('');
    this.#acts.send(text);
  }

  #changed() {
    const left = LIMIT - [...this.#field.value.trimEnd()].length;
    this.#left.hidden = left > NEAR;
    this.#left.textContent = left < 0 ? `${-left} too many` : `${left} left`;
    this.#form.classList.toggle('over', left < 0);
    this.#send.disabled = left < 0 || !this.#field.value.trim();
    this.#field.style.height = 'auto';
    this.#field.style.height = `${this.#field.scrollHeight}px`;
  }
}
