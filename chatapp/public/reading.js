/** Up to where the open room was read, which is where the line "New" stands: before what came while nobody could see it. */
export class Reading {
  #away = false; // whether this tab slept or was cut off, and nobody has done anything here since
  #upTo; // seq, or null: all of it; undefined until the history of the room is here

  /** Whether it is known, so that what is in view counts as read. */
  get known() {
    return this.#upTo !== undefined;
  }

  /** Another room is open. */
  open() {
    this.#upTo = undefined;
  }

  /** Who writes has read all there is. */
  write() {
    this.#upTo = null;
  }

  /** This tab slept or was cut off. */
  leave() {
    this.#away = true;
  }

  /** Somebody does something here. */
  comeBack() {
    this.#away = false;
  }

  /**
   * The seq before "New", or null if there is no such line. unread: how many messages are; read: the last seq that was read;
   * inView: whether the end of the room is in view; loaded: whether its history is here.
   */
  upTo({ unread, read, inView, loaded }) {
    const unseen = unread > 0 && (this.#away || !inView);
    if (unread) this.#away = false;
    if (unseen || (!this.known && loaded)) this.#upTo = unread ? read : null;
    return this.#upTo ?? null;
  }
}
