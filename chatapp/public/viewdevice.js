/** The part of the dialog about our name that gives a link for another device. acts: make() -> a promise of {url, qr, line}. */
export class DeviceView {
  #part = document.getElementById('device');
  #make = document.getElementById('device-make');
  #given = document.getElementById('device-given');
  #link = document.getElementById('device-link');
  #qr = document.getElementById('device-qr');
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
    const { url, qr, line } = await this.#acts.make();
    this.#error.textContent = line;
    this.#give(url, qr);
    if (url) this.#link.focus();
  }

  #give(url, qr = null) {
    this.#link.value = url;
    if (qr) this.#qr.setAttribute('viewBox', `0 0 ${qr.size} ${qr.size}`);
    this.#qr.firstElementChild.setAttribute('d', qr?.path ?? '');
    this.#given.hidden = url === '';
    this.#make.hidden = url !== '';
  }
}
