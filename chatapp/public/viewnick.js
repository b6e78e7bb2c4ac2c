/** The dialog that asks for a nick. acts: choose(nick) -> a promise of an error line, '' if it is ours now. */
export class NickView {
  #dialog = document.getElementById('nick-dialog');
  #form = document.getElementById('nick-form');
  #field = document.getElementById('nick-field');
  #error = document.getElementById('nick-error');
  #cancel = document.getElementById('nick-cancel');
  #choose = document.getElementById('nick-choose');
  #acts;
  #needed = false;

  constructor(acts) {
    this.#acts = acts;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#field.addEventListener('input', () => this.#complain(''));
    this.#cancel.addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('cancel', (event) => this.#needed && event.preventDefault());
    // Chromium lets a second Escape close a dialog whatever `cancel` says.
    this.#dialog.addEventListener('close', () => this.#needed && this.#dialog.showModal());
  }

  /** Ask; `needed`: there is no going on without one. `error` says why it is asked for. */
  ask({ nick = '', needed = false, error = '' } = {}) {
    this.#needed = needed;
    this.#cancel.hidden = needed;
    this.#choose.textContent = needed ? 'Come in' : 'Change name';
    if (!this.#dialog.open) {
      this.#field.value = nick;
      this.#dialog.showModal();
      this.#field.select();
    }
    this.#complain(error);
  }

  /** Whether somebody who has a nick looks at it. */
  get open() {
    return this.#dialog.open && !this.#needed;
  }

  close() {
    this.#needed = false;
    this.#dialog.close();
  }

  async #submit() {
    const nick = this.#field.value.trim();
    if (!nick) return this.#complain('Type a name first.');
    const error = await this.#acts.choose(nick);
    if (!error) return this.close();
    this.#complain(error);
    this.#field.select();
  }

  #complain(error) {
    this.#error.textContent = error;
    this.#field.setAttribute('aria-invalid', String(error !== ''));
  }
}
