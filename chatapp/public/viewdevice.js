/** The part of the dialog about our name that gives a link for another device. acts: make() -> a promise of {url, line}. */
export class DeviceView {
  #part = document.getElementById('device');
  #make = document.getElementById('device-make');
  #given = document.getElementById('device-given');
  #link = document.getElementById('device-link');
  #error = document.getElementById('device-error');
  #acts;

  constructor(acts) {
    this.#acts = acts;
    this.#make.addEventListener('click', () => this.#ask());
    this.#link.addEventListener('focus', () => this.#link.select());
  }

  /** Offer it, without the link of before, or not. */
  offer(possible) {
    this.#part.hidden = !possible;
    this.#give('');
    this.#error.textContent = '';
  }

  async #ask() {
    const { url, line } = await this.#acts.make();
    this.#error.textContent = line;
    this.#give(url);
    if (url) this.#link.focus();
  }

  #give(url) {
    this.#link.value = url;
    this.#given.hidden = url === '';
    this.#make.hidden = url !== '';
  }
}
