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

  constructor(acts) {
    this.#acts = acts;
    document.getElementById('deeds-close').addEventListener('click', () => this.#dialog.close());
    this.#more.addEventListener('click', () => this.#read());
  }

  open() {
    this.#oldest = null;
    this.#list.replaceChildren();
    this.#dialog.showModal();
    this.#read();
  }

  async #read() {
    const answer = await this.#acts.deeds(this.#oldest);
    const { status, data } = answer;
    this.#error.textContent = lineOf(answer);
    if (status !== 200) return;
    this.#list.append(...data.deeds.map(deedItem));
    this.#oldest = data.deeds.at(-1)?.number ?? this.#oldest;
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
