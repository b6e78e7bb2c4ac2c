import { shownOf } from './link.js';

const BUTTONS = { retry: 'Try now', reload: 'Reload', dismiss: 'Close' };

/**
 * The state of the connection: a mark and a word below the title, and a strip with what there is to know, a countdown and a button.
 * acts: retry(), by the button and once the countdown is over.
 */
export class LinkView {
  #strip = document.getElementById('link');
  #word = document.getElementById('link-word');
  #line = document.getElementById('link-line');
  #countdown = document.getElementById('link-countdown');
  #button = document.getElementById('link-retry');
  #acts;
  #link = { state: 'connecting' };
  #notice = '';
  #outdated = false;
  #timer = null;

  constructor(acts) {
    this.#acts = acts;
    this.#button.addEventListener('click', () => this.#press());
  }

  /** link: see poll.js. */
  show(link) {
    this.#link = link;
    this.#render();
  }

  /** Say `line` until it is dismissed. */
  note(line) {
    this.#notice = line;
    this.#render();
  }

  /** Offer to load the page anew: the server has another version. */
  offerReload() {
    this.#outdated = true;
    this.#render();
  }

  #press() {
    const { act } = this.#shown;
    if (act === 'retry') this.#acts.retry();
    if (act === 'reload') location.reload();
    if (act === 'dismiss') this.note('');
  }

  get #shown() {
    return shownOf(this.#link, { online: navigator.onLine, notice: this.#notice, outdated: this.#outdated });
  }

  #render() {
    const { state, word, line, act } = this.#shown;
    document.documentElement.dataset.link = state;
    say(this.#word, word);
    say(this.#line, line);
    this.#strip.classList.toggle('up', line !== '');
    this.#button.textContent = BUTTONS[act] ?? '';
    clearInterval(this.#timer);
    if (this.#link.until) this.#timer = setInterval(() => this.#tick(), 500);
    this.#tick();
  }

  #tick() {
    const { until } = this.#link;
    const left = Math.ceil(((until ?? 0) - Date.now()) / 1000);
    this.#countdown.textContent = left > 0 ? `Next try in ${left}\u00a0s` : until ? 'Trying…' : '';
    if (left > 0 || !until) return;
    clearInterval(this.#timer);
    // The leading tab may be in the background, where its timers are slow.
    this.#acts.retry();
  }
}

/** Set only when it changes, so that a screen reader says it once. */
function say(place, words) {
  if (place.textContent !== words) place.textContent = words;
}
