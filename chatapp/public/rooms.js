import { nextDelay, Pace, sleep } from './delay.js';
import { Transcript } from './transcript.js';
import { history, people } from './wire.js';

const PAGE = 50;
const HEAL = 100;
// Rooms that nobody looks at are read one after the other, ms.
const BURST = 4;
const INTERVAL = 1_500;

/**
 * The joined rooms of this tab: `transcript` and `people` (a Set of nicks) of each, by name.
 *
 * What is wanted from history is read in the background, the open room first; what failed is tried again once the
 * poll has brought something, and not before a delay that grows.
 */
export class Rooms {
  #rooms = new Map();
  #store;
  #wanted = new Map(); // name -> 'page' (the newest) or 'hole'
  #reading = false;
  #pace = new Pace(BURST, INTERVAL);
  #failures = 0;
  #notBefore = 0;

  /** `store` holds `joined` (names), `room` (the open one) and `read` ({name: seq}); `rooms` is touched on every change. */
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
      // `told`: whether the list of people is one that the server gave.
      this.#rooms.set(name, { name, transcript: new Transcript(), people: new Set(), told: false, turn: Promise.resolve() });
      this.want(name);
    }
    this.#changed();
  }

  /** Somebody looks at `name` now: what is not known of it is read at once. */
  open(name) {
    const room = this.get(name);
    if (!room) return;
    if (this.#wanted.has(name)) this.#load(name);
    if (!room.told) this.#loadPeople(name);
  }

  /** Have the newest page of `name` read, or what is missing before its newest messages (`what` is 'hole'). */
  want(name, what = 'page') {
    if (this.#wanted.get(name) !== 'page') this.#wanted.set(name, what);
    if (name === this.#store.get('room') && this.#may) this.#load(name);
    else this.#readOn();
  }

  /** Messages of `name` after the last one read. */
  unread(name) {
    const read = this.#store.get('read')[name];
    const transcript = this.get(name)?.transcript;
    return read === undefined || !transcript ? 0 : Math.max(0, transcript.head - read - transcript.silentAfter(read));
  }

  /** Note that everything up to the head of `name` was seen. */
  markRead(name) {
    const head = this.get(name)?.transcript.head ?? 0;
    if (head > (this.#store.get('read')[name] ?? -1)) this.#setRead(name, head);
  }

  heads() {
    return Object.fromEntries([...this.#rooms].map(([name, room]) => [name, room.transcript.head]));
  }

  /** The people of each room whose list is known. */
  lists() {
    const known = [...this.#rooms.values()].filter(({ told }) => told);
    return Object.fromEntries(known.map((room) => [room.name, [...room.people]]));
  }

  /** Take in lists of people: {name: [nick]}. */
  list(lists) {
    for (const [name, nicks] of Object.entries(lists)) {
      this.#withRoom(name, (room) => Object.assign(room, { people: new Set(nicks), told: true }));
    }
    this.#changed();
  }

  /** The server calls the room `was` `name`. */
  rename(was, name) {
    const { [was]: seq, ...read } = this.#store.get('read');
    if (seq !== undefined) this.#store.set('read', { [name]: seq, ...read });
    this.#rooms.delete(was);
    this.#wanted.delete(was);
  }

  async #readOn() {
    if (this.#reading) return;
    this.#reading = true;
    for (let name; (name = this.#next()) !== undefined; ) {
      if (name !== this.#store.get('room')) await sleep(this.#pace.next());
      // It may have been opened meanwhile, and read.
      if (this.#wanted.has(name)) await this.#load(name);
    }
    this.#reading = false;
  }

  /** Whether it is time to ask for history again. */
  get #may() {
    return Date.now() >= this.#notBefore;
  }

  /** The room that is to be read next. */
  #next() {
    if (!this.#may) return undefined;
    const open = this.#store.get('room');
    return this.#wanted.has(open) ? open : this.#wanted.keys().next().value;
  }

  /** Read what is wanted of `name`. */
  async #load(name) {
    const what = this.#wanted.get(name);
    this.#wanted.delete(name);
    const read = what === 'page' ? await this.#read(name, () => null, PAGE) : await this.#heal(name);
    if (!this.get(name)) return;
    if (read && this.get(name).transcript.hole) this.#wanted.set(name, 'hole');
    if (!read) this.#wanted.set(name, what);
    this.#failures = read ? 0 : this.#failures + 1;
    this.#notBefore = read ? 0 : Date.now() + nextDelay(this.#failures);
  }

  async #loadPeople(name) {
    const { status, data } = await people(name);
    if (status === 200) this.list({ [name]: data.people });
  }

  /** Read the page before the oldest message held. */
  older(name) {
    return this.#read(name, ({ tail, more }) => (more ? tail : undefined), PAGE);
  }

  /** Fill the newest hole of `name` from history; whether that could be read. */
  async #heal(name) {
    let hole = null;
    const read = await this.#read(name, (transcript) => (hole = transcript.hole)?.before, HEAL);
    if (!hole) return true;
    if (read) this.get(name)?.transcript.close(hole);
    this.#changed();
    return read;
  }

  /** Take in a poll's answer; returns the messages that are new here. */
  apply({ messages, gap, people: lists = {}, presence = [] }) {
    if (gap) this.#applyGap(gap, messages);
    const fresh = [];
    for (const room of this.#rooms.values()) {
      const own = messages.filter((message) => message.room === room.name);
      const added = room.transcript.add(own);
      fresh.push(...added);
      // Never read, and its history is not here yet: what comes now is unread all the same.
      const unmarked = this.#store.get('read')[room.name] === undefined;
      if (unmarked && added.length && !room.transcript.loaded) this.#setRead(room.name, added[0].seq - 1);
      this.#readOwn(room.name, added);
      if (!room.transcript.loaded) this.want(room.name);
      else if (room.transcript.hole) this.want(room.name, 'hole');
    }
    this.list(lists);
    for (const event of presence) this.#withRoom(event.room, (room) => applyPresence(room.people, event));
    this.#changed();
    this.#readOn();
    return fresh;
  }

  /** Read on in each room that another tab has more of. `heads`: {name: seq}. */
  catchUp(heads) {
    for (const [name, head] of Object.entries(heads)) {
      this.#withRoom(name, (room) => room.transcript.loaded && room.transcript.head < head && this.want(name));
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
    if (status !== 200) return false;
    // Begun anew meanwhile: what was read is of no use, and is wanted again already.
    if (this.get(name)?.transcript !== transcript) return true;
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

  /** What we have said ourselves is read, unless something before it is not. */
  #readOwn(name, added) {
    const read = this.#store.get('read')[name];
    let upTo = read;
    for (const { seq, nonce } of added) if (nonce && seq === upTo + 1) upTo = seq;
    if (upTo > read) this.#setRead(name, upTo);
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
