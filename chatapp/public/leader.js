// One poll for all tabs of a browser. One tab leads: it polls, sends the outbox and hands every answer on by
// BroadcastChannel. Which one, a seat says: a Web Lock, or where there are none (plain http on another host than
// localhost) a lease in localStorage. When the leader goes, however it goes, the seat is the next tab's. A leader that
// the system suspended keeps the seat, though: a tab in view that gets no answer from it takes it away.
// Where the browser lets a page have neither, every tab leads itself.

import { LeaseSeat, LockSeat } from './seat.js';

const TICK = 2_000; // ms between two questions whether the leader is there
const SILENT = 1_000; // without an answer for so long it is not known to be
const GONE = 3_000; // and after this it is not there

/**
 * Join the tabs of this browser that call themselves `name`.
 *
 * onLead(tookOver) is called once this tab leads; `tookOver` says that another led before. onYield() is called when
 * another tab took the lead away. onMessage(message) gets what the other tabs post. onAsked() is called in the leader,
 * for it to post something. onSilence() is called where the leader does not.
 * Returns {post, look, together}: post(message) to the other tabs; look() asks now whether the leader is there;
 * `together` is false if every tab leads itself.
 */
export function joinTabs(name, acts) {
  const seats = [LockSeat, LeaseSeat].filter((Seat) => Seat.possible(name)).map((Seat) => new Seat(name));
  return new Tabs(openChannel(name), seats, acts);
}

class Tabs {
  together = false;
  #channel;
  #seats; // to be tried, the best one first
  #acts;
  #leading = false;
  #asked = null; // when the leader was asked, if it has not answered yet
  #ticked = Date.now();

  constructor(channel, seats, acts) {
    this.#channel = channel;
    this.#seats = channel ? seats : [];
    this.#acts = acts;
    if (channel) channel.onmessage = ({ data }) => this.#hear(data);
    setInterval(() => this.#tick(), TICK);
    this.#sit();
  }

  /** Take the first seat that there can be; where there is none, this tab leads itself. */
  #sit() {
    const [seat] = this.#seats;
    this.together = Boolean(seat);
    if (!seat) queueMicrotask(() => this.#lead(false));
    seat?.sit({
      onTaken: (tookOver) => this.#lead(tookOver),
      onLost: () => this.#yield(),
      onRefused: () => {
        this.#seats.shift();
        this.#sit();
      },
    });
  }

  post(message) {
    if (this.together) this.#channel.postMessage({ message, leads: this.#leading });
  }

  look() {
    if (this.#leading || !this.together) return;
    this.#asked ??= Date.now();
    this.#channel.postMessage({ asks: true });
    const asked = this.#asked;
    setTimeout(() => this.#asked === asked && this.#acts.onSilence(), SILENT);
  }

  #tick() {
    const now = Date.now();
    const slept = now - this.#ticked > 2 * TICK;
    this.#ticked = now;
    if (slept || document.visibilityState !== 'visible') this.#asked = null;
    if (document.visibilityState !== 'visible') return;
    if (this.#asked !== null && now - this.#asked >= GONE) {
      this.#asked = null;
      this.#seats[0].seize();
    } else this.look();
  }

  #hear({ message, leads, asks }) {
    if (!this.together) return;
    if (leads) this.#asked = null;
    if (leads && this.#leading) this.#seats[0].doubt();
    if (asks && this.#leading) this.#acts.onAsked();
    if (message) this.#acts.onMessage(message);
  }

  #lead(tookOver) {
    this.#leading = true;
    this.#asked = null;
    this.#acts.onLead(tookOver);
  }

  #yield() {
    this.#leading = false;
    this.#acts.onYield();
  }
}

function openChannel(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    return null; // the browser has none, or keeps it from a page whose data is blocked
  }
}
