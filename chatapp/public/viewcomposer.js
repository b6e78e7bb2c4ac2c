import { isText } from './shape.js';
import { limits } from './server.js';
import { recall, remember } from './shared.js';
import { isolated } from './text.js';

const NEAR = 400; // characters; show what is left from here on
const COMPOSING = 229; // the key code of an Enter that ends an input method's conversion, which Safari tells after it
const DRAFT = 'draft.';
const byTouch = matchMedia('(pointer: coarse)');

/**
 * The message box: Enter sends and Shift+Enter makes a line; where there may be no Shift key, on touch, Enter makes a
 * line and the button or Ctrl+Enter sends. Each room keeps its draft, also through a reload. acts: send(text).
 */
export class Composer {
  #form = document.getElementById('composer');
  #field = document.getElementById('composer-text');
  #left = document.getElementById('composer-left');
  #send = document.getElementById('composer-send');
  #silence = document.getElementById('silence');
  #drafts = new Map();
  #room = null;
  #acts;

  constructor(acts) {
    this.#acts = acts;
    this.#field.addEventListener('input', () => this.#changed());
    this.#field.addEventListener('keydown', (event) => {
      if (!sends(event)) return;
      event.preventDefault();
      this.#submit();
    });
    this.#field.enterKeyHint = byTouch.matches ? 'enter' : 'send';
    this.#form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
      this.#field.focus();
    });
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Say what the room is called that is written to. */
  call(title) {
    this.#field.placeholder = `Message ${isolated(title)}`;
  }

  /** Write to `room`; a draft left there comes back, before what was typed while this script was not here. */
  open(room) {
    if (room === this.#room) return;
    const typed = this.#room === null ? this.#field.value : '';
    this.#room = room;
    this.write(stacked(this.#draft(room), typed));
  }

  /** Put `text` before what is written. */
  prepend(text) {
    this.write(stacked(text, this.#field.value));
  }

  /** Say `line` in place of the box where one may say nothing, or '' to show it. The draft is kept. */
  silence(line) {
    if (this.#silence.textContent !== line) this.#silence.textContent = line;
    if (this.#form.hidden === (line !== '')) return;
    this.#silence.hidden = line === '';
    this.#form.hidden = line !== '';
    this.#fit();
  }

  /** The room `was` is called `name`: what is written for it goes along. */
  rename(was, name) {
    const text = this.#draft(was);
    this.#drafts.delete(was);
    remember(DRAFT + was, null);
    if (text) this.#drafts.set(name, text);
    if (text) remember(DRAFT + name, text);
    if (this.#room === was) this.open(name);
  }

  #draft(room) {
    return this.#drafts.get(room) ?? recall(DRAFT + room, isText, '');
  }

  write(text) {
    this.#field.value = text;
    this.#changed();
  }

  #submit() {
    const text = this.#field.value.trimEnd();
    if (!text.trim() || [...text].length > limits.message) return;
    this.write('');
    this.#acts.send(text);
  }

  #changed() {
    this.#keep();
    const left = limits.message - [...this.#field.value.trimEnd()].length;
    this.#left.hidden = left > NEAR;
    this.#left.textContent = left < 0 ? `${-left} too many` : `${left} left`;
    this.#form.classList.toggle('over', left < 0);
    this.#send.disabled = left < 0 || !this.#field.value.trim();
    this.#fit();
  }

  /** Make the box as high as what is written in it. */
  #fit() {
    this.#field.style.height = 'auto';
    if (!this.#form.hidden) this.#field.style.height = `${this.#field.scrollHeight}px`;
  }

  /** Another tab may have another draft for this room: what is written here stays, the last one is stored. */
  #keep() {
    const text = this.#field.value;
    if (text === (this.#drafts.get(this.#room) ?? '') && this.#drafts.has(this.#room)) return;
    this.#drafts.set(this.#room, text);
    if (text !== recall(DRAFT + this.#room, isText, '')) remember(DRAFT + this.#room, text || null);
  }
}

function stacked(...texts) {
  return texts.filter(Boolean).join('\n');
}

/** Whether a key sends the message. While an input method composes, Enter chooses a word. */
function sends({ key, keyCode, shiftKey, ctrlKey, metaKey, isComposing }) {
  if (key !== 'Enter' || isComposing || keyCode === COMPOSING || shiftKey) return false;
  return !byTouch.matches || ctrlKey || metaKey;
}
