/** Values by name, and whoever wants to know when one changes. */
export class Store {
  #values = new Map();
  #listeners = new Map();

  constructor(values = {}) {
    for (const [name, value] of Object.entries(values)) this.#values.set(name, value);
  }

  get(name) {
    return this.#values.get(name);
  }

  /** Set `name` and tell its listeners, unless it already has this very value. */
  set(name, value) {
    if (Object.is(this.#values.get(name), value)) return;
    this.#values.set(name, value);
    this.touch(name);
  }

  /** Tell the listeners of `name` that its value changed inside. */
  touch(name) {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) listener(this.get(name));
  }

  /** Call `listener(value)` whenever one of `names` changes. */
  on(names, listener) {
    for (const name of [].concat(names)) {
      if (!this.#listeners.has(name)) this.#listeners.set(name, new Set());
      this.#listeners.get(name).add(listener);
    }
  }
}
