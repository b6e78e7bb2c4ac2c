import { dayOf, element, isolated, timeOf } from './text.js';
import { lineOf } from './wire.js';

/**
 * The part of the record that says who is muted, banned, or has a role that was given here, with buttons that take it
 * back. acts: standings(before) -> a promise of {status, data, error}; may(act); letSpeak, letIn, takeRole (person), as
 * the wire has one, `name` beside.
 */
export class StandingsView {
  #people = element('ul', { className: 'persons' });
  #nobody = element('p', { className: 'help-line', textContent: 'Nobody is muted or banned.', hidden: true });
  #error = element('p', { className: 'error', attributes: { role: 'alert' } });
  #more = element('button', { type: 'button', className: 'plain', textContent: 'More of them', hidden: true });
  #head = element('h3', { textContent: 'Roles given here' });
  #roles = element('ul', { className: 'persons' });
  #part;
  #acts;
  #oldest = null;
  #asked = null;

  /** list: before which it stands. */
  constructor(acts, list) {
    this.#acts = acts;
    this.#more.addEventListener('click', () => this.#read(this.#oldest));
    const title = element('h3', { id: 'standings-title', textContent: 'Muted and banned' });
    const attributes = { 'aria-labelledby': 'standings-title' };
    this.#part = element('section', { id: 'standings', attributes }, title, this.#people, this.#nobody, this.#head, this.#roles, this.#more, this.#error);
    list.before(this.#part, element('h3', { textContent: 'The record' }));
  }

  /** Show how it is now. */
  refresh() {
    return this.#read(null);
  }

  async #read(before) {
    const asked = (this.#asked = {});
    const answer = await this.#acts.standings(before);
    if (asked !== this.#asked) return;
    this.#error.textContent = lineOf(answer);
    if (answer.status !== 200) return;
    const { people, more } = answer.data;
    const [last, at] = this.#focused();
    if (before === null) for (const list of [this.#people, this.#roles]) list.replaceChildren();
    for (const person of people) this.#add({ ...person, name: person.nick || person.sender });
    this.#oldest = people.at(-1)?.deed ?? null;
    this.#more.hidden = !more;
    this.#nobody.hidden = this.#people.hasChildNodes();
    this.#head.hidden = !this.#roles.hasChildNodes();
    if (last && !last.isConnected) this.#focus(at);
  }

  /** The button that has the focus, and its place among ours. */
  #focused() {
    const buttons = [...this.#part.querySelectorAll('li button')];
    const at = buttons.indexOf(document.activeElement);
    return [buttons[at], at];
  }

  /** Put the focus where that was which is gone. */
  #focus(at) {
    const buttons = this.#part.querySelectorAll('li button');
    (buttons[Math.min(at, buttons.length - 1)] ?? document.getElementById('deeds-close')).focus();
  }

  #add(person) {
    const { may, letSpeak, letIn, takeRole } = this.#acts;
    const { muted, banned, given } = person;
    if (muted) this.#people.append(item(person, ['muted ', ...ending(muted)], may('mute') && ['Let speak again', letSpeak]));
    if (banned) this.#people.append(item(person, ['banned ', ...ending(banned)], may('ban') && ['Let in again', letIn]));
    if (given) this.#roles.append(item(person, [given], may('appoint') && ['Take back', takeRole]));
  }
}

function item(person, words, offer) {
  const { name } = person;
  const node = element('li', {}, element('p', {}, element('b', { className: 'nick', textContent: isolated(name) }), ' ', ...words));
  if (!offer) return node;
  const [word, run] = offer;
  const button = element('button', { type: 'button', className: 'plain', textContent: word, attributes: { 'aria-label': `${word}: ${isolated(name)}` } });
  button.addEventListener('click', () => run(person));
  node.append(button);
  return node;
}

/** Until when something holds, with which addresses, and why. */
function ending({ until, reason, addresses = [] }) {
  const end = until === null ? ['for good'] : ['until ', dayOf(until) === 'Today' ? '' : `${dayOf(until)}, `, timeOf(until)];
  return [...end, addresses.length ? `, with ${addresses.join(', ')}` : '', reason ? `: “${isolated(reason)}”` : ''];
}
