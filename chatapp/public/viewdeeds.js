import { dayOf, element, isolated, timeOf } from './text.js';
import { lineOf } from './wire.js';

const DID = {
  ban: 'banned',
  clear: 'removed a message of',
  closed: 'closed',
  expel: 'removed',
  invite: 'invited',
  make: 'made',
  mute: 'muted',
  rename: 'renamed',
  open: 'opened',
  members: 'opened again',
  announce: 'had all but some be silent',
  role: 'gave a role to',
  'sign-out': 'signed out',
  unban: 'let in again',
  unmute: 'let speak again',
};

/** The record of what those in charge did, for them. acts: deeds(before) -> a promise of {status, data, error}. */
export class DeedsView {
  #dialog = document.getElementById('deeds-dialog');
  #list = document.getElementById('deeds-list');
  #error = document.getElementById('deeds-error');
  #more = document.getElementById('deeds-more');
  #acts;
  #oldest = null;
  #asked = null;

  constructor(acts) {
    this.#acts = acts;
    document.getElementById('deeds-close').addEventListener('click', () => this.#dialog.close());
    this.#more.addEventListener('click', () => this.#read(this.#oldest));
  }

  get isOpen() {
    return this.#dialog.open;
  }

  open() {
    this.#list.replaceChildren();
    this.#dialog.showModal();
    this.refresh();
  }

  /** Show what there is now. */
  refresh() {
    this.#read(null);
  }

  async #read(before) {
    const asked = (this.#asked = {});
    const answer = await this.#acts.deeds(before);
    if (asked !== this.#asked) return;
    const { status, data } = answer;
    this.#error.textContent = lineOf(answer);
    if (status !== 200) return;
    if (before === null) this.#list.replaceChildren();
    this.#list.append(...data.deeds.map(deedItem));
    this.#oldest = data.deeds.at(-1)?.number ?? before;
    this.#more.hidden = !data.more;
    if (!this.#list.children.length) this.#error.textContent = 'Nothing yet.';
  }
}

function deedItem({ at, name, act, whom_name: whom = '', room = '', seq = null, more = '', reason = '' }) {
  const about = [whom && isolated(whom), more && `(${more})`, seq !== null && `message ${seq}`, room && `in ${isolated(room)}`, reason && `“${isolated(reason)}”`];
  const did = act.split(' ').map((each) => DID[each] ?? each).join(' and ');
  const what = ` ${did} ${about.filter(Boolean).join(' ')} `;
  const when = element('span', { className: 'you' }, dayOf(at), ' ', timeOf(at));
  return element('li', {}, element('bdi', { className: 'nick', textContent: name }), what, when);
}
