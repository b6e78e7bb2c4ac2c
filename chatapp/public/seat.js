// The seat of the tab that leads: one of a browser's tabs has it at a time, and it is free again when that tab is gone.
//
// sit(acts) waits for it: acts.onTaken(tookOver) is called once it is ours, acts.onLost() when another took it away, and
// acts.onRefused() if the browser lets the page have no such seat. seize() takes it from whoever has it. doubt() says that
// another tab acts as if it had it.

import { token } from './shared.js';
import { isName, record } from './shape.js';

const LEASE = 8_000; // ms
const RENEW = 2_000;
const RECENT = 60_000; // a lease that ran out no longer ago was of a tab that led before
const SETTLE = 150; // ms until what was written in another tab is surely seen in this one

/** A Web Lock: the browser itself hands it on. */
export class LockSeat {
  #name;
  #acts;
  #line = null; // ends our waiting
  #locks = navigator.locks;

  static possible() {
    try {
      return typeof navigator.locks?.request === 'function';
    } catch {
      return false;
    }
  }

  constructor(name) {
    this.#name = name;
  }

  sit(acts) {
    this.#acts = acts;
    this.#request({ ifAvailable: true }, (lock) => (lock ? this.#keep(false) : this.#wait()));
  }

  seize() {
    this.#line?.abort();
    this.#request({ steal: true }, () => this.#keep(true));
  }

  /** The browser will tell us. */
  doubt() {}

  #wait() {
    this.#line = new AbortController();
    this.#request({ signal: this.#line.signal }, () => this.#keep(true));
  }

  #keep(tookOver) {
    this.#acts.onTaken(tookOver);
    return new Promise(() => {});
  }

  async #request(options, taken) {
    let kept;
    try {
      await this.#locks.request(this.#name, options, (lock) => (kept = taken(lock)));
    } catch (error) {
      if (kept) {
        this.#acts.onLost();
        this.#wait();
      } else if (!options.signal?.aborted) this.#acts.onRefused();
    }
  }
}

const isLease = record({ tab: isName, until: Number.isFinite });

/** A lease in localStorage, renewed while its tab runs. */
export class LeaseSeat {
  #key;
  #acts;
  #tab = token();
  #ours = false;
  #claiming = false;

  static possible(name) {
    try {
      localStorage.setItem(`${name}.lease.try`, '');
      localStorage.removeItem(`${name}.lease.try`);
      return true;
    } catch {
      return false;
    }
  }

  constructor(name) {
    this.#key = `${name}.lease`;
  }

  sit(acts) {
    this.#acts = acts;
    addEventListener('storage', ({ key }) => key === this.#key && this.#look());
    addEventListener('pagehide', () => this.#leave());
    setInterval(() => this.#look(), RENEW);
    this.#look();
  }

  seize() {
    this.#claim();
  }

  doubt() {
    this.#look();
  }

  #look() {
    const lease = this.#running();
    if (this.#ours && (!lease || lease.tab === this.#tab)) this.#write();
    else if (this.#ours) this.#lose();
    else if (!lease) this.#claim();
  }

  /** Write our name, and have the seat if it still stands there once the other tabs' writing was seen. */
  #claim() {
    if (this.#claiming) return;
    this.#claiming = true;
    const before = this.#written();
    const tookOver = before !== null && Date.now() - before.until < RECENT;
    if (!this.#write()) return this.#acts.onRefused();
    setTimeout(() => {
      this.#claiming = false;
      if (this.#ours || this.#running()?.tab !== this.#tab) return;
      this.#ours = true;
      this.#acts.onTaken(tookOver);
    }, SETTLE * (1 + Math.random()));
  }

  #lose() {
    this.#ours = false;
    this.#acts.onLost();
  }

  #leave() {
    if (!this.#ours) return;
    localStorage.removeItem(this.#key);
    this.#lose();
  }

  /** Whether there was room for it. */
  #write() {
    try {
      localStorage.setItem(this.#key, JSON.stringify({ tab: this.#tab, until: Date.now() + LEASE }));
      return true;
    } catch {
      return false;
    }
  }

  /** The lease that has not run out, or null. */
  #running() {
    const lease = this.#written();
    const left = lease ? lease.until - Date.now() : 0;
    return left > 0 && left <= LEASE ? lease : null;
  }

  #written() {
    try {
      const lease = JSON.parse(localStorage.getItem(this.#key));
      return isLease(lease) ? lease : null;
    } catch {
      return null;
    }
  }
}
