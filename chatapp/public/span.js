import { placeOf } from './transcript.js';

const SHOWN = 120; // messages at the end of a room: more than a screen holds
const MOST = 240; // while the reader is elsewhere
const STEP = 60;

/**
 * Which of a room's messages have elements, so that each step costs the same however many are held: the last ones, or
 * those around the reader. Kept by seq, since messages come and go at both ends.
 */
export class Span {
  #first = null; // seq of the first; null: as many as there should be at the end
  #last = null; // seq of the last; null: the newest, whichever it is

  /** Whether it goes on with the newest message. */
  get open() {
    return this.#last === null;
  }

  /** [start, end): the places in `messages`. */
  of(messages) {
    const end = this.open ? messages.length : placeOf(messages, this.#last + 1);
    const start = this.#first === null ? end - SHOWN : placeOf(messages, this.#first);
    return [Math.max(0, Math.min(start, end - 1)), end];
  }

  /** The last messages from now on, whichever come. */
  toEnd() {
    this.#first = this.#last = null;
  }

  /** The reader is not at the end: what is there stays, whatever comes after it. */
  hold(messages) {
    const [start, end] = this.of(messages);
    this.#set(messages, start, Math.min(end, start + MOST));
  }

  /** Towards older messages, or towards newer ones. Returns whether there were any. */
  move(messages, older) {
    const [start, end] = this.of(messages);
    if (older ? start === 0 : end === messages.length) return false;
    if (older) this.#set(messages, Math.max(0, start - STEP), Math.min(end, Math.max(0, start - STEP) + MOST));
    else this.#set(messages, Math.max(start, end + STEP - MOST), Math.min(messages.length, end + STEP));
    return true;
  }

  #set(messages, start, end) {
    this.#first = messages[start]?.seq ?? null;
    this.#last = end < messages.length ? messages[end - 1].seq : null;
  }
}
