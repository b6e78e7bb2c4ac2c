import { nextDelay } from './delay.js';
import { isEnd, isRoom, listOf } from './shape.js';
import { dayOf, isolated, timeOf } from './text.js';
import { roomList } from './wire.js';

// ms
const AFTER = 500; // the end of a mute, by the clock of this browser, it is asked whether it is over
const BETWEEN = 10_000; // and again, where it is not
const LONGEST = 86_400_000;

/** What `listing` of the store is: the rooms that the server lists for us, see docs/wire.md. */
export const isListing = listOf(isRoom);

/** What `muted` of the store is: false, or until when we may say nothing (null: for good), and why. */
export const isMuted = (value) => value === false || isEnd(value);

/**
 * The rooms that there are for us, in `listing` of the store: what each is called, of which kind it is, and what we
 * may do there; and in `may` and `muted` what we may do anywhere. All tabs share it.
 */
export class Listing {
  #store;
  #asking = null; // the request that is on its way
  #next = null; // and the one after it
  #failures = 0;
  #again = null; // the timer after a failure
  #over = null; // the timer of a mute's end

  constructor(store) {
    this.#store = store;
    store.on('muted', () => this.#await());
    this.#await();
  }

  get rooms() {
    return this.#store.get('listing');
  }

  /** What is known of the room `name`. One that is not listed is open to everybody, or new. */
  get(name) {
    return this.rooms.find(({ room }) => room === name) ?? { room: name, title: '', policy: 'open', kind: 'room', may: null };
  }

  /** What the room is called where people see it. */
  titleOf(name) {
    return calledAs(this.get(name));
  }

  /** The private rooms that we are in. */
  get own() {
    return this.rooms.filter(({ room }) => isPrivate(room)).map(({ room }) => room);
  }

  /** Whether we may do `act` in the room; where the server has not said, what everybody may. */
  may(name, act) {
    return this.get(name).may?.includes(act) ?? act === 'speak';
  }

  /** Why we may say nothing in the room, '' if we may. */
  silence(name) {
    const { policy, reason } = this.get(name);
    const muted = this.#store.get('muted');
    if (!muted && this.may(name, 'speak')) return '';
    if (policy === 'closed') return `This room is closed${reason ? `: ${reason}` : '.'}`;
    if (muted) return mutedLine(muted);
    return policy === 'announce' ? 'Only some speak in this room; you can read it.' : 'You may not speak in this room now.';
  }

  /** Ask for it anew; what is asked for while an answer is on its way is asked once, after that. */
  refresh() {
    if (this.#asking) return (this.#next ??= this.#asking.then(() => this.refresh()));
    this.#next = null;
    this.#asking = this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask() {
    clearTimeout(this.#again);
    const { status, data, retryAfter } = await roomList();
    this.#failures = status === 200 ? 0 : this.#failures + 1;
    if (status !== 200) this.#again = setTimeout(() => this.#retry(), nextDelay(this.#failures, retryAfter));
    if (status !== 200) return;
    this.#store.set('muted', data.muted ?? false);
    this.#store.set('listing', data.rooms);
    this.#store.set('may', data.may ?? []);
  }

  /** Where the poll has failed too, it is asked for as that goes on again. */
  #retry() {
    if (this.#store.get('leading') && this.#store.get('link').state === 'connected') this.refresh();
  }

  /** Nothing tells that a mute is over by its time: it is asked for then, by one tab. */
  #await() {
    clearTimeout(this.#over);
    const { until = null } = this.#store.get('muted') || {};
    if (until === null) return;
    const left = until * 1000 - Date.now();
    this.#over = setTimeout(() => this.#mayBeOver(), left > 0 ? Math.min(LONGEST, left + AFTER) : BETWEEN);
  }

  #mayBeOver() {
    this.#await();
    if (this.#store.get('leading')) this.refresh();
  }
}

function mutedLine({ until, reason }) {
  const day = until === null || dayOf(until) === 'Today' ? '' : ` ${dayOf(until)},`;
  const end = until === null ? '' : ` until${day} ${timeOf(until).textContent}`;
  return `You are muted${end}${reason ? `: ${isolated(reason)}` : '.'}`;
}

export function isPrivate(name) {
  return name.startsWith('~');
}

/** What a listed room is called: its title, the people of a direct one, or its name. */
export function calledAs({ room, title, names = [] }) {
  return title || names.join(', ') || (isPrivate(room) ? 'Private room' : room);
}

const MARKS = {
  direct: { glyph: 'person', word: 'Direct message' },
  members: { glyph: 'lock', word: 'Private' },
  announce: { glyph: 'speaker', word: 'Announcements' },
  closed: { glyph: 'box', word: 'Closed' },
};

/** A glyph and a word for what kind of room that is, or null for one that is open to all. */
export function markOf({ policy, kind }) {
  return MARKS[policy] && kind !== 'direct' ? MARKS[policy] : MARKS[kind] ?? null;
}
