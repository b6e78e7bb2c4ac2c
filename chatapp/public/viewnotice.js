const SHOWN = 10_000; // ms

/** One line about what was done just now, with a button that undoes it where that can be. */
export class NoticeView {
  #part = document.getElementById('notice');
  #line = document.getElementById('notice-line');
  #undo = document.getElementById('notice-undo');
  #run = null;
  #timer = null;

  constructor() {
    this.#undo.addEventListener('click', () => {
      const run = this.#run;
      this.hide();
      run?.();
    });
  }

  /** undo(): takes back what was done; null: that cannot be. */
  tell(line, undo = null) {
    clearTimeout(this.#timer);
    this.#run = undo;
    this.#undo.hidden = undo === null;
    this.#part.hidden = false;
    this.#line.textContent = line;
    this.#timer = setTimeout(() => this.hide(), SHOWN);
  }

  hide() {
    clearTimeout(this.#timer);
    this.#part.hidden = true;
    this.#line.textContent = '';
    this.#run = null;
  }
}
