import { dayOf, element, gapText, hueOf, linked, timeOf, count } from './text.js';

const NEAR = 80; // px from an edge that count as being there
const AHEAD = 400; // px before the top at which older messages are asked for

/**
 * The log of the open room: rows (see rows.js) as elements, each made once and kept while its row stays the same.
 *
 * acts: older() when the top comes near, moved() when the reader scrolls, retry(nonce), discard(nonce),
 * edit(nonce, text).
 */
export class LogView {
  #log = document.getElementById('log');
  #jump = document.getElementById('jump');
  #acts;
  #shown = new Map(); // key -> {row as JSON, node}
  #room = null;
  #atEnd = true;

  constructor(acts) {
    this.#acts = acts;
    this.#log.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#jump.addEventListener('click', () => this.toEnd());
    new ResizeObserver(() => this.#atEnd && this.toEnd()).observe(this.#log);
  }

  /** Whether the newest message is in view. */
  get atEnd() {
    return this.#atEnd;
  }

  toEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#scrolled();
  }

  /** Show the rows of `room`; `unread` of them have not been seen. */
  show(room, rows, unread) {
    const other = room !== this.#room;
    if (other) this.#open(room);
    const older = rows.length > 0 && !other && this.#shown.size > 0 && !this.#shown.has(rows[0].key);
    // Screen readers are told what arrives, not what is read back from history.
    this.#log.setAttribute('aria-busy', String(other || older));
    const anchor = this.#anchor();
    this.#place(rows);
    if (this.#atEnd) this.#log.scrollTop = this.#log.scrollHeight;
    else if (anchor?.node.isConnected) this.#log.scrollTop += anchor.node.offsetTop - anchor.top;
    this.#log.setAttribute('aria-busy', 'false');
    this.#jump.textContent = unread ? count(unread, 'new message') : 'Newest messages';
    this.#scrolled();
  }

  #open(room) {
    this.#room = room;
    this.#shown.clear();
    this.#log.replaceChildren();
    this.#log.setAttribute('aria-label', `Messages in ${room}`);
    this.#atEnd = true;
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#log;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    this.#jump.hidden = this.#atEnd;
    if (scrollTop < AHEAD) this.#acts.older();
    this.#acts.moved();
  }

  /** The topmost element in view: it stays where it is while rows come and go around it. */
  #anchor() {
    const top = this.#log.scrollTop;
    const node = [...this.#log.children].find((each) => each.offsetTop + each.offsetHeight > top);
    return node && { node, top: node.offsetTop };
  }

  #place(rows) {
    const nodes = rows.map((row) => this.#node(row));
    const kept = new Set(nodes);
    for (const node of [...this.#log.children]) if (!kept.has(node)) node.remove();
    let next = this.#log.firstChild;
    for (const node of nodes) {
      if (node === next) next = next.nextSibling;
      else this.#log.insertBefore(node, next);
    }
    const keys = new Set(rows.map((row) => row.key));
    for (const key of this.#shown.keys()) if (!keys.has(key)) this.#shown.delete(key);
  }

  /** The element of `row`: the one shown before if nothing changed. */
  #node(row) {
    const json = JSON.stringify(row);
    const old = this.#shown.get(row.key);
    if (old?.json === json) return old.node;
    const node = build(row, this.#acts);
    this.#shown.set(row.key, { json, node });
    return node;
  }
}

function build(row, acts) {
  if (row.kind === 'message') return messageNode(row, acts);
  return element('div', { className: `mark ${row.kind}` }, element('span', { textContent: markText(row) }));
}

function markText(row) {
  if (row.kind === 'day') return dayOf(row.at);
  if (row.kind === 'gap') return gapText(row);
  if (row.kind === 'new') return 'New';
  if (row.kept) return 'Older messages are no longer kept.';
  return row.empty ? 'Nobody has said anything here yet.' : 'This is where the room begins.';
}

function messageNode(row, acts) {
  const classes = ['message', row.state, row.opens && 'opens', row.own && 'own'].filter(Boolean);
  const node = element(
    'article',
    { className: classes.join(' ') },
    element('span', { className: 'nick', dir: 'auto', textContent: row.nick }),
    timeOf(row.at),
    element('div', { className: 'text', dir: 'auto' }, ...linked(row.text)),
  );
  node.style.setProperty('--hue', hueOf(row.nick));
  if (row.state !== 'stored' && row.state !== 'sent') node.append(fateNode(row, acts));
  // Read out once, when it is stored, and not at each try.
  if (row.state !== 'stored') node.ariaLive = 'off';
  return node;
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
