import { dayOf, element, isolated } from './text.js';
import { lineOf } from './wire.js';

/**
 * The part of the dialog about our name that lists the devices on which we are signed in, where the chat keeps them.
 * acts: profile() and change({remove}) -> a promise of {status, data, error}.
 */
export class ProfileView {
  #part = document.getElementById('devices');
  #list = document.getElementById('device-list');
  #error = document.getElementById('devices-error');
  #cancel = document.getElementById('nick-cancel');
  #acts;

  constructor(acts) {
    this.#acts = acts;
  }

  /** Show them, or why that cannot be. */
  async show() {
    this.#take(await this.#acts.profile());
  }

  #take(answer) {
    const { status, data } = answer;
    this.#error.textContent = lineOf(answer);
    this.#part.hidden = false;
    if (status === 200) this.#list.replaceChildren(...(data.devices ?? []).map((device) => this.#item(device)));
  }

  #item({ device, label, current, seen }) {
    const last = current ? 'this one' : seen ? `last here: ${dayOf(Date.parse(`${seen}T12:00`) / 1000)}` : '';
    const item = element('li', {}, element('bdi', { textContent: label || 'A device', title: label }), element('span', { className: 'you', textContent: last }));
    if (current) return item;
    const button = element('button', { type: 'button', className: 'plain', textContent: 'Sign out', attributes: { 'aria-label': `Sign out ${isolated(label)}` } });
    button.addEventListener('click', async () => {
      this.#cancel.focus();
      this.#take(await this.#acts.change({ remove: device }));
    });
    item.append(button);
    return item;
  }
}
