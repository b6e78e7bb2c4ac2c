import { element } from './text.js';

/** A dialog that asks one thing: whether to go on, and in fields what is to be said of it. */
export class AskView {
  #dialog = document.getElementById('ask-dialog');
  #title = document.getElementById('ask-title');
  #help = document.getElementById('ask-help');
  #label = document.getElementById('ask-label');
  #field = document.getElementById('ask-field');
  #error = document.getElementById('ask-error');
  #option = document.getElementById('ask-option');
  #choice = document.getElementById('ask-choice');
  #do = document.getElementById('ask-do');
  #reason = element('input', { id: 'ask-reason', dir: 'auto', maxLength: 200 });
  #why = element('label', { htmlFor: 'ask-reason' });
  #question = null;

  constructor() {
    this.#field.after(this.#why, this.#reason);
    document.getElementById('ask-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#go();
    });
    document.getElementById('ask-cancel').addEventListener('click', () => this.#dialog.close());
  }

  /**
   * Ask: title, help, act (the word on the button), label and value of the field (no label: there is none), why (label of
   * a second field, in the same way), option (what can be chosen too), run(text, chosen, why) -> a promise of an error
   * line, '' if it is done.
   */
  ask(question) {
    const { title, help = '', act, label = '', value = '', most = 200, why = '', option = '' } = question;
    this.#question = question;
    this.#title.textContent = title;
    this.#help.textContent = help;
    this.#do.textContent = act;
    this.#label.textContent = label;
    this.#label.hidden = this.#field.hidden = label === '';
    this.#field.maxLength = most;
    this.#field.value = value;
    this.#why.textContent = why;
    this.#why.hidden = this.#reason.hidden = why === '';
    this.#reason.value = '';
    this.#option.hidden = option === '';
    this.#choice.checked = false;
    document.getElementById('ask-offer').textContent = option;
    this.#error.textContent = '';
    this.#dialog.showModal();
    if (label) this.#field.select();
    else this.#do.focus();
  }

  async #go() {
    const question = this.#question;
    const line = await question.run(this.#field.value.trim(), this.#choice.checked, this.#reason.value.trim());
    if (question !== this.#question) return;
    this.#error.textContent = line;
    if (!line) this.#dialog.close();
  }
}
