const WORDS = {
  connecting: 'Connecting…',
  connected: 'Connected',
  waiting: 'Connection lost.',
  offline: 'You are offline.',
};

/**
 * The state of the connection: a dot in the header, and a strip with a countdown while there is none.
 * acts: retry() by the button, and once the countdown is over.
 */
export class LinkView {
  #strip = document.getElementById('link');
  #line = document.getElementById('link-line');
  #countdown = document.getElementById('link-countdown');
  #acts;
  #until = 0;
  #timer = null;

  constructor(acts) {
    this.#acts = acts;
    document.getElementById('link-retry').addEventListener('click', () => acts.retry());
  }

  /** link: {state, until, error}, see poll.js. */
  show({ state, until = 0, error = '' }) {
    const shown = state === 'waiting' && !navigator.onLine ? 'offline' : state;
    document.documentElement.dataset.link = shown;
    const line = error || WORDS[shown];
    // Set only when it changes, so that a screen reader says it once.
    if (this.#line.textContent !== line) this.#line.textContent = line;
    this.#strip.classList.toggle('up', shown === 'waiting' || shown === 'offline');
    this.#until = until;
    clearInterval(this.#timer);
    if (until) this.#timer = setInterval(() => this.#tick(), 500);
    this.#tick();
  }

  #tick() {
    const left = Math.ceil((this.#until - Date.now()) / 1000);
    this.#countdown.textContent = left > 0 ? `Next try in ${left}\u00a0s` : this.#until ? 'Trying…' : '';
    if (left > 0 || !this.#until) return;
    clearInterval(this.#timer);
    // The leading tab may be in the background, where its timers are slow.
    this.#acts.retry();
  }
}
