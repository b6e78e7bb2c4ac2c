import { calledAs, isPrivate } from './listing.js';
import { element, hueOf, initials, isolated } from './text.js';
import { lineOf } from './wire.js';

const KINDS = {
  direct: 'Only the people named here see what is said.',
  members: 'Private: only who is in it knows of it.',
  announce: 'Everybody reads it; only the people named here speak.',
  closed: 'Closed: it can be read, and nobody says anything more.',
  open: 'Open: whoever knows its name can read and speak.',
};

/**
 * The dialog about a room: what it is, who is in it, and what can be done with it.
 * acts: me(), our nick; listed(room), what the list of rooms says of it, or undefined; about(room) -> a promise of
 * {status, data, error}; invite(nick, room) -> a promise of an error line; expel({nick, sender}, room, title); rename,
 * close, reopen (room, title); leave(room).
 */
export class AboutView {
  #dialog = document.getElementById('about-dialog');
  #title = document.getElementById('about-title');
  #kind = document.getElementById('about-kind');
  #members = document.getElementById('about-members');
  #heading = document.getElementById('about-heading');
  #form = document.getElementById('about-form');
  #field = document.getElementById('about-invite');
  #known = document.getElementById('about-known');
  #error = document.getElementById('about-error');
  #buttons = document.getElementById('about-acts');
  #acts;
  #room = '';
  #asked = null;

  constructor(acts) {
    this.#acts = acts;
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#invite();
    });
    document.getElementById('about-close').addEventListener('click', () => this.#dialog.close());
  }

  /** Show what is known of the room, and then what the server says. known: nicks that are suggested to be invited. */
  open(room, known) {
    this.#room = room;
    this.#known.replaceChildren(...known.map((nick) => element('option', { value: nick })));
    this.#error.textContent = '';
    this.#show({ room, policy: '', kind: '', ...this.#acts.listed(room), members: [] });
    this.#dialog.showModal();
    this.refresh();
  }

  close() {
    this.#dialog.close();
  }

  /** Show what the server says now. */
  async refresh() {
    const asked = (this.#asked = {});
    const answer = await this.#acts.about(this.#room);
    if (asked !== this.#asked) return;
    this.#error.textContent = lineOf(answer);
    if (answer.status === 200) this.#show(answer.data);
  }

  #show(room) {
    const focused = document.activeElement;
    this.#fill(room);
    if (!focused || focused.isConnected) return;
    const buttons = [...this.#dialog.querySelectorAll('button')];
    (buttons.find((button) => wordOf(button) === wordOf(focused)) ?? document.getElementById('about-close')).focus();
  }

  #fill(room) {
    const { members = [], may = [], reason = '' } = room;
    const called = calledAs(room);
    this.#title.textContent = called;
    this.#title.title = called;
    this.#kind.textContent = `${KINDS[room.kind] ?? KINDS[room.policy] ?? ''}${reason ? ` ${reason}` : ''}`;
    this.#heading.hidden = !members.length;
    this.#heading.textContent = room.policy === 'announce' ? 'Who speaks' : 'Who is in it';
    this.#members.replaceChildren(...members.map((member) => this.#memberItem(member, room)));
    this.#form.hidden = !may.includes('invite');
    this.#buttons.replaceChildren(...this.#offers(room, called, may));
  }

  #memberItem(member, room) {
    const { nick, role = '' } = member;
    const disc = element('span', { className: 'disc', textContent: initials(nick), attributes: { 'aria-hidden': 'true' } });
    const name = element('bdi', { className: 'nick', title: nick, textContent: nick });
    const item = element('li', {}, disc, name);
    item.style.setProperty('--hue', hueOf(nick));
    if (role && role !== 'member' && role !== 'guest') item.append(element('span', { className: 'you', textContent: role }));
    if (room.may?.includes('expel') && room.kind !== 'direct' && nick !== this.#acts.me()) {
      const button = element('button', { type: 'button', className: 'plain', textContent: 'Remove', attributes: { 'aria-label': `Remove ${isolated(nick)}` } });
      button.addEventListener('click', () => this.#acts.expel(member, room.room, calledAs(room)));
      item.append(button);
    }
    return item;
  }

  #offers(room, called, may) {
    const name = room.room;
    const was = room.was || (isPrivate(name) ? 'members' : 'open');
    const settles = may.includes('settle');
    return [
      settles && room.policy !== 'closed' && ['Rename', () => this.#acts.rename(name, called)],
      settles && room.policy !== 'closed' && ['Close the room', () => this.#acts.close(name, called, room.policy)],
      settles && room.policy === 'closed' && ['Open it again', () => this.#acts.reopen(name, called, was)],
      isPrivate(name) && ['Leave the room', () => this.#acts.leave(name)],
    ].filter(Boolean).map(([word, run]) => {
      const button = element('button', { type: 'button', textContent: word });
      button.addEventListener('click', run);
      return button;
    });
  }

  async #invite() {
    const nick = this.#field.value.trim();
    if (!nick) return;
    const line = await this.#acts.invite(nick, this.#room);
    this.#error.textContent = line;
    if (line) return;
    this.#form.reset();
    await this.refresh();
  }
}

function wordOf(button) {
  return button.getAttribute('aria-label') ?? button.textContent;
}
