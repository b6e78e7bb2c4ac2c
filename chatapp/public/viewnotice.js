const SHOWN = 10_000; // ms

/**
 * One line about what was done just now, with a button that undoes it where that can be. It stands in the open dialog, if
 * there is one: beside that nothing is heard or can be pressed.
 */
export class NoticeView {
  #part = document.getElementById('notice');
  #line = document.getElementById('notice-line');
  #undo = document.getElementById('notice-undo');
  #run = null;
  #timer = null;
  #home = this.#part.parentNode;

  constructor() {
    document.addEventListener('close', ({ target }) => target.contains(this.#part) && this.#place(), true);
    this.#undo.addEventListener('click', () => {
      const run = this.#run;
      this.hide();
      run?.();
    });
  }

  /** undo(): takes back what was done; null: that cannot be. It is told once the dialog is closed that asked for it. */
  tell(line, undo = null) {
    setTimeout(() => this.#tell(line, undo));
  }

  #tell(line, undo) {
    clearTimeout(this.#timer);
    this.#place();
    this.#run = undo;
    this.#undo.hidden = undo === null;
    this.#part.hidden = false;
    this.#line.textContent = line;
    this.#timer = setTimeout(() => this.hide(), SHOWN);
  }

  #place() {
    const place = document.activeElement?.closest('dialog:modal') ?? document.querySelector('dialog:modal') ?? this.#home;
    if (place !== this.#part.parentNode) place.append(this.#part);
  }

  hide() {
    clearTimeout(this.#timer);
    this.#part.hidden = true;
    this.#line.textContent = '';
    this.#run = null;
  }
}
