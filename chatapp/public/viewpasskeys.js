/** The part of the dialog about our name with our passkeys. acts: list(), add(), remove(id) -> promises of {list, line}. */
export class PasskeysView {
  #part = document.getElementById('passkeys');
  #add = document.getElementById('passkey-add');
  #list = document.getElementById('passkey-list');
  #error = document.getElementById('passkey-error');
  #acts;

  constructor(acts) {
    this.#acts = acts;
    this.#add.addEventListener('click', () => this.#do(() => acts.add()));
  }

  /** Offer it, with those that there are, or not. */
  offer(possible) {
    this.#part.hidden = !possible;
    if (possible) this.#do(() => this.#acts.list());
  }

  async #do(act) {
    this.#add.disabled = true;
    const { list, line } = await act();
    this.#add.disabled = false;
    this.#error.textContent = line;
    if (list) this.#list.replaceChildren(...list.map((passkey) => this.#row(passkey)));
  }

  #row({ passkey, label, at }) {
    const row = document.createElement('li');
    const name = document.createElement('span');
    name.textContent = `${label}, ${new Date(at * 1000).toLocaleDateString(undefined, { dateStyle: 'medium' })}`;
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'plain';
    remove.textContent = 'Remove';
    remove.setAttribute('aria-label', `Remove the passkey of ${name.textContent}`);
    remove.addEventListener('click', () => {
      this.#add.focus();
      this.#do(() => this.#acts.remove(passkey));
    });
    row.append(name, ' ', remove);
    return row;
  }
}
