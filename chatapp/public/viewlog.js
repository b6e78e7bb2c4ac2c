import { Span } from './span.js';
import { arrange, count, dayOf, element, gapText, hueOf, isolated, linked, timeOf } from './text.js';
import { rowsOf } from './rows.js';

const NEAR = 80; // px from an edge that count as being there
const AHEAD = 600; // px before an edge at which what is beyond it is fetched

/**
 * The log of the open room: rows (see rows.js) as elements, each made once and kept while its row stays the same; of a
 * long room those around the reader (see span.js).
 *
 * acts: older() when the top comes near (a promise of whether there was a page), moved() when the reader scrolls,
 * retry(nonce), discard(nonce), edit(nonce, text); canTouch(row) and touch(button, row): what else can be done with one;
 * isPrivate(): whether others cannot come to the room.
 */
export class LogView {
  #log = document.getElementById('log');
  #rows = document.getElementById('log-rows');
  #jump = document.getElementById('jump');
  #acts;
  #shown = new Map(); // key -> {row, node}
  #top = null; // the key of the first message shown
  #room = null;
  #given = null;
  #span = new Span();
  #atEnd = true;
  #fetching = false;

  constructor(acts) {
    this.#acts = acts;
    this.#log.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#jump.addEventListener('click', () => this.toEnd());
    new ResizeObserver(() => this.#atEnd && this.#stick()).observe(this.#log);
  }

  /** Whether the newest message is in view. */
  get atEnd() {
    return this.#atEnd;
  }

  /** Say what the room is called. */
  call(title) {
    this.#log.setAttribute('aria-label', `Messages in ${isolated(title)}`);
  }

  toEnd() {
    this.#atEnd = true;
    const moved = !this.#span.open;
    this.#span.toEnd();
    this.#draw(moved);
    this.#scrolled();
  }

  /** Show `room`: what rowsOf takes of it; `unread` of its messages have not been seen. */
  show(room, given, unread) {
    const other = room !== this.#room;
    if (other) this.#open(room);
    if (given.transcript !== this.#given?.transcript) this.#span.toEnd();
    this.#given = given;
    if (!this.#atEnd) this.#span.hold(given.transcript.messages);
    this.#draw(other);
    this.#jump.textContent = unread ? count(unread, 'new message') : 'Newest messages';
    this.#scrolled();
  }

  /** `moved`: what is new here is what the reader came to, not what arrived. */
  #draw(moved) {
    const rows = rowsOf(this.#given, this.#span.of(this.#given.transcript.messages));
    const top = rows.find(({ kind }) => kind === 'message')?.key ?? null;
    const older = this.#top !== null && !this.#shown.has(top);
    this.#top = top;
    // Screen readers are told what arrives, not what is read back from history.
    this.#log.setAttribute('aria-busy', String(moved || older));
    const anchor = this.#atEnd ? null : this.#anchor();
    this.#place(rows);
    if (this.#atEnd) this.#stick();
    else if (anchor?.node.isConnected) this.#log.scrollTop += anchor.node.offsetTop - anchor.top;
    this.#log.setAttribute('aria-busy', 'false');
  }

  #open(room) {
    this.#room = room;
    this.#shown.clear();
    this.#top = null;
    this.#rows.replaceChildren();
    this.#atEnd = true;
  }

  #stick() {
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  #scrolled() {
    if (!this.#given) return;
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    const below = scrollHeight - scrollTop - clientHeight;
    this.#atEnd = below < NEAR && this.#span.open;
    this.#jump.hidden = this.#atEnd;
    if (this.#atEnd) this.#span.toEnd();
    if (!this.#atEnd && below < AHEAD) this.#go(false);
    if (scrollTop < AHEAD) this.#go(true);
    this.#acts.moved();
  }

  /** Show what is beyond the edge that the reader comes near to. */
  #go(older) {
    const { messages } = this.#given.transcript;
    if (this.#atEnd && this.#span.of(messages)[0] > 0) return;
    if (this.#span.move(messages, older)) this.#draw(true);
    else if (older) this.#fetch();
  }

  /** One page after the other. */
  async #fetch() {
    if (this.#fetching) return;
    this.#fetching = true;
    const got = await this.#acts.older();
    this.#fetching = false;
    if (got) this.#scrolled();
  }

  /** The topmost message in view: it stays where it is while rows come and go around it. */
  #anchor() {
    const top = this.#log.scrollTop;
    const messages = this.#rows.querySelectorAll('.message');
    const node = [...messages].find((each) => each.offsetTop + each.offsetHeight > top);
    return node && { node, top: node.offsetTop };
  }

  #place(rows) {
    const nodes = rows.map((row) => this.#node(row));
    this.#rows.classList.toggle('bare', rows.some((row) => row.empty));
    arrange(this.#rows, nodes);
    const keys = new Set(rows.map((row) => row.key));
    for (const key of this.#shown.keys()) if (!keys.has(key)) this.#shown.delete(key);
  }

  /** The element of `row`: the one shown before if nothing changed. */
  #node(given) {
    const row = given.state === 'stored' ? { ...given, more: this.#acts.canTouch(given) } : given;
    const old = this.#shown.get(row.key);
    if (old && same(old.row, row)) return old.node;
    const node = build(row, this.#acts);
    this.#shown.set(row.key, { row, node });
    return node;
  }
}

function same(one, other) {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => one[name] === other[name]);
}

function build(row, acts) {
  if (row.kind === 'message') return messageNode(row, acts);
  if (row.empty) return emptyNode(acts.isPrivate());
  return element('div', { className: `mark ${row.kind}` }, element('span', { textContent: markText(row) }));
}

function emptyNode(isPrivate) {
  return element(
    'div',
    { className: 'mark begin empty' },
    element('strong', { textContent: 'Nobody has said anything here yet.' }),
    isPrivate
      ? 'Say the first word. Only who is in this room will see it.'
      : 'Say the first word. Whoever opens the address of this page comes to this room.',
  );
}

function markText(row) {
  if (row.kind === 'day') return dayOf(row.at);
  if (row.kind === 'gap') return gapText(row);
  if (row.kind === 'new') return 'New';
  return row.kept ? 'Older messages are no longer kept.' : 'This is where the room begins.';
}

function messageNode(row, acts) {
  const classes = ['message', row.state, row.opens && 'opens', row.timed && 'timed', row.own && 'own'].filter(Boolean);
  const node = element(
    'article',
    { className: classes.join(' ') },
    element('span', { className: 'nick', dir: 'auto', title: row.nick, textContent: row.nick }),
    timeOf(row.at),
    row.state === 'removed'
      ? element('div', { className: 'text', dir: 'auto', textContent: row.why })
      : element('div', { className: 'text', dir: 'auto' }, ...linked(row.text)),
  );
  node.style.setProperty('--hue', hueOf(row.nick));
  if (row.state === 'removed') return node;
  if (row.more) node.append(moreButton(row, acts));
  if (row.state !== 'stored' && row.state !== 'sent') node.append(fateNode(row, acts));
  // Read out once, when it is stored, and not at each try.
  if (row.state !== 'stored') node.setAttribute('aria-live', 'off');
  return node;
}

function moreButton(row, acts) {
  const attributes = { 'aria-label': 'More about this message', 'aria-haspopup': 'menu', 'aria-expanded': 'false' };
  const more = element('button', { type: 'button', className: 'glyph more', attributes });
  more.addEventListener('click', () => acts.touch(more, row));
  return more;
}

/** What became of a message that is not sent yet. */
function fateNode({ state, late, why, nonce, text }, acts) {
  const button = (name, onclick) => element('button', { type: 'button', textContent: name, onclick });
  if (state === 'failed') {
    return element(
      'div',
      { className: 'fate', role: 'alert' },
      element('span', { textContent: `Not sent. ${why}` }),
      button('Edit', () => acts.edit(nonce, text)),
      button('Try again', () => acts.retry(nonce)),
      button('Discard', () => acts.discard(nonce)),
    );
  }
  const line = why || (late ? 'Not sent yet. It goes out by itself.' : 'Sending…');
  return element('div', { className: late ? 'fate' : 'fate soon' }, element('span', { textContent: line }));
}
