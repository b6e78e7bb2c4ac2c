import { limits } from './server.js';

export const LOBBY = 'lobby';

/** The rooms that this browser is in: `joined` of `store`, in the order in which they were joined. */
export class Joined {
  #store;

  constructor(store) {
    this.#store = store;
    this.#set(this.names);
  }

  get names() {
    return this.#store.get('joined');
  }

  /** Join `name`; returns '', or why that cannot be. */
  add(name) {
    if (this.names.includes(name)) return '';
    if (this.names.length >= limits.rooms) return `You are in ${limits.rooms} rooms, which is the most. Leave one first.`;
    this.#set([...this.names, name]);
    return '';
  }

  /** Leave `name`; who is in no room is in the lobby. Returns whether that changed anything. */
  leave(name) {
    const left = this.names.filter((each) => each !== name);
    if (left.length === this.names.length || name === LOBBY && !left.length) return false;
    this.#set(left.length ? left : [LOBBY]);
    return true;
  }

  /** The server calls the room `was` `name`. */
  rename(was, name) {
    this.#set(this.names.map((each) => (each === was ? name : each)));
  }

  #set(names) {
    const own = [...new Set(names)].slice(0, limits.rooms);
    if (own.length !== this.names.length || own.some((name, i) => name !== this.names[i])) this.#store.set('joined', own);
  }
}
