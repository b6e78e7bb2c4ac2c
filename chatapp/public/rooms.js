import { Transcript } from './transcript.js';
import { history, people } from './wire.js';

const PAGE = 50;
const HEAL = 100;

/** The joined rooms of this tab: `transcript` and `people` (a Set of nicks) of each, by name. */
export class Rooms {
  #rooms = new Map();
  #store;

  /** `store` holds `joined` (names) and `read` ({name: seq}); its `rooms` is touched on every change. */
  constructor(store) {
    this.#store = store;
  }

  get(name) {
    return this.#rooms.get(name);
  }

  /** Have exactly the joined rooms; what is new is read from the server. */
  sync() {
    const joined = this.#store.get('joined');
    for (const name of this.#rooms.keys()) if (!joined.includes(name)) this.#rooms.delete(name);
    for (const name of joined.filter((each) => !this.#rooms.has(each))) {
      this.#rooms.set(name, { name, transcript: new Transcript(), people: new Set(), turn: Promise.resolve() });
      this.load(name);
    }
    this.#changed();
  }

  /** Messages of `name` after the last one read. */
  unread(name) {
    const read = this.#store.get('read')[name];
    return read === undefined ? 0 : Math.max(0, (this.get(name)?.transcript.head ?? 0) - read);
  }

  /** Note that everything up to the head of `name` was seen. */
  markRead(name) {
    const head = this.get(name)?.transcript.head ?? 0;
    if (head > (this.#store.get('read')[name] ?? -1)) this.#setRead(name, head);
  }

  heads() {
    return Object.fromEntries([...this.#rooms].map(([name, room]) => [name, room.transcript.head]));
  }

  /** Read the newest page and the people of `name`, and close a hole behind it. Resolves once done. */
  async load(name) {
    const [ok] = await Promise.all([this.#read(name, () => null, PAGE), this.loadPeople(name)]);
    if (ok) await this.heal(name);
    return ok;
  }

  async loadPeople(name) {
    const { status, data } = await people(name);
    const room = this.get(name);
    if (status !== 200 || !room) return;
    room.people = new Set(data.people);
    this.#changed();
  }

  /** Read the page before the oldest message held. */
  older(name) {
    return this.#read(name, ({ tail, more }) => (more ? tail : undefined), PAGE);
  }

  /** Fill the newest hole of `name` from history, if it has one. */
  async heal(name) {
    let hole = null;
    const read = this.#read(name, (transcript) => (hole = transcript.hole)?.before, HEAL);
    if (!(await read)) return;
    this.get(name)?.transcript.close(hole);
    this.#changed();
  }

  /** Take in a poll's answer; returns the messages that are new here. */
  apply({ messages = [], gap, people: lists = {}, presence = [] }) {
    if (gap) this.#applyGap(gap, messages);
    const fresh = [];
    for (const room of this.#rooms.values()) {
      const own = messages.filter((message) => message.room === room.name);
      fresh.push(...room.transcript.add(own));
      if (!room.transcript.loaded) this.load(room.name);
      else if (room.transcript.hole) this.heal(room.name);
    }
    for (const [name, list] of Object.entries(lists)) this.#withRoom(name, (room) => (room.people = new Set(list)));
    for (const event of presence) this.#withRoom(event.room, (room) => applyPresence(room.people, event));
    this.#changed();
    return fresh;
  }

  /** Read on in each room that another tab has more of. `heads`: {name: seq}. */
  catchUp(heads) {
    for (const [name, head] of Object.entries(heads)) {
      this.#withRoom(name, (room) => room.transcript.loaded && room.transcript.head < head && this.load(name));
    }
  }

  #applyGap({ rooms = {}, reason, exact }, messages) {
    // They may lie between messages that came: the hole shows where, and history says that they are damaged.
    if (reason === 'damaged') return;
    for (const [name, lost] of Object.entries(rooms)) {
      this.#withRoom(name, (room) => {
        const seqs = messages.filter((message) => message.room === name).map((message) => message.seq);
        if (reason === 'recreated') {
          room.transcript = new Transcript();
          this.#setRead(name, 0);
        }
        const next = reason === 'recreated' ? 1 : room.transcript.head + lost + 1;
        room.transcript.gap({ lost, reason, exact, before: seqs.length ? Math.min(...seqs) : next });
      });
    }
  }

  /** Read the page before the seq that `place(transcript)` names once it is its turn; undefined: none. */
  #read(name, place, limit) {
    const room = this.get(name);
    if (!room) return Promise.resolve(false);
    // One after the other: a page asked for after a poll's answer must also be read after it.
    room.turn = room.turn.then(() => this.#fetch(room, place(room.transcript), limit));
    return room.turn;
  }

  async #fetch(room, before, limit) {
    const { name, transcript } = room;
    if (before === undefined) return false;
    const { status, data } = await history(name, before, limit);
    if (status !== 200 || this.get(name)?.transcript !== transcript) return false;
    transcript.page(data);
    if (before === null) this.#compareRead(room);
    this.#changed();
    return true;
  }

  /** A read mark from an earlier visit tells what went missing since, or that the log is another one. */
  #compareRead({ name, transcript }) {
    const read = this.#store.get('read')[name];
    const head = Math.max(transcript.head, transcript.first - 1);
    if (read === undefined) this.#setRead(name, head);
    else if (read > head) this.#setRead(name, 0);
    else transcript.gap({ lost: transcript.first - 1 - read, reason: 'trimmed', before: transcript.first });
  }

  #setRead(name, seq) {
    this.#store.set('read', { ...this.#store.get('read'), [name]: seq });
  }

  #withRoom(name, act) {
    const room = this.get(name);
    if (room) act(room);
  }

  #changed() {
    this.#store.touch('rooms');
  }
}

function applyPresence(nicks, { event, nick, was }) {
  if (event === 'nick') nicks.delete(was);
  if (event === 'leave') nicks.delete(nick);
  else nicks.add(nick);
}
