import { isolated } from './text.js';
import { placeOf, says } from './transcript.js';

const TOGETHER = 5 * 60; // seconds between two messages shown as one turn
const TALL = 12; // lines, about: a longer turn opens anew, so that its name and time are in view
const LINE = 60; // characters

/**
 * The rows of a room's log, from top to bottom, each {key, kind, ...}:
 * 'begin' (kept: older messages are gone; empty: there is none), 'day' (at), 'gap' (lost, reason, exact),
 * 'new' (what follows is unread) and 'message' (seq, nick, text, at, opens, timed (its minute is another
 * than that of the one before), own, state, why, nonce). The state of one whose text is gone is 'removed', and `why` is
 * who removed it and for what, as far as is known here.
 *
 * transcript: see transcript.js; entries: this room's part of the outbox; nick, sender: ours;
 * readUpTo: the last seq read when the room was opened, or null; start, end: which of the messages, see span.js.
 */
export function rowsOf({ transcript, entries, nick, sender, readUpTo }, [start, end]) {
  const rows = new Rows();
  // By the sender alone: a nick may have been another's before. What an older version of the server stored is nobody's.
  const isOwn = (message) => Boolean(message.sender) && message.sender === sender;
  const whole = transcript.messages;
  const isLast = end === whole.length;
  if (start === 0 && transcript.loaded && !transcript.more) {
    const empty = !transcript.messages.length && !entries.length;
    rows.mark({ key: 'begin', kind: 'begin', kept: transcript.first > 1, empty });
  }
  const unread = readUpTo === null ? null : firstUnread(whole, readUpTo, isOwn);
  const gaps = gapsInView(transcript).filter(({ before }) => start === 0 || before > whole[start - 1].seq);
  for (const message of whole.slice(start, end)) {
    rows.day(message);
    while (gaps.length && gaps[0].before <= message.seq) rows.mark(gaps.shift());
    if (message.seq === unread) rows.mark({ key: 'new', kind: 'new' });
    // A later version may have stored what this page does not know: it counts as a number, and is not shown.
    if (message.kind === 'removed') rows.say(removed(message, transcript.removals.get(message.seq), isOwn(message)));
    else if (says(message)) rows.say({ ...message, key: `seq-${message.seq}`, own: isOwn(message), state: 'stored' });
  }
  if (!isLast) return rows.list;
  gaps.forEach((gap) => rows.mark(gap));
  const shown = (entry) => !(entry.seq && entry.seq <= transcript.head);
  for (const entry of entries.filter(shown)) {
    rows.day(entry);
    rows.say({ ...entry, key: `out-${entry.nonce}`, nick, sender, own: true });
  }
  return rows.list;
}

class Rows {
  list = [];
  #last = null; // the message that the next one may go together with
  #lines = 0; // of the turn so far
  #day = '';

  mark(row) {
    this.list.push(row);
    this.#last = null;
  }

  /** Mark the day of `at` (unix seconds) if it is another one than before. */
  day({ at }) {
    const day = new Date(at * 1000).toDateString();
    if (day !== this.#day) this.mark({ key: `day-${day}`, kind: 'day', at });
    this.#day = day;
  }

  say(message) {
    const last = this.#last;
    const lines = linesOf(message.text);
    const isSame = last?.nick === message.nick && last?.sender === message.sender;
    const together = isSame && message.at - last.at <= TOGETHER && this.#lines + lines <= TALL;
    const timed = !together || minuteOf(last) !== minuteOf(message);
    this.list.push({ ...message, kind: 'message', opens: !together, timed });
    this.#last = message;
    this.#lines = together ? this.#lines + lines : lines;
  }
}

function removed(message, removal, own) {
  const who = removal ? ` by ${isolated(removal.nick)}` : '';
  const why = removal?.text ? `: ${removal.text}` : '';
  return { ...message, key: `seq-${message.seq}`, own, state: 'removed', why: `Removed${who}${why}` };
}

function linesOf(text) {
  return text.split('\n').reduce((sum, line) => sum + 1 + Math.floor(line.length / LINE), 0);
}

function minuteOf({ at }) {
  return Math.floor(at / 60);
}

/** The seq of the first message after `readUpTo` that is not ours, or undefined. */
function firstUnread(messages, readUpTo, isOwn) {
  for (let i = placeOf(messages, readUpTo + 1); i < messages.length; i += 1) {
    if (says(messages[i]) && !isOwn(messages[i])) return messages[i].seq;
  }
}

/** The gaps that border on what is loaded, oldest first; others show once their place is scrolled to. */
function gapsInView(transcript) {
  return [...transcript.gaps]
    .map(([before, gap]) => ({ ...gap, before, key: `gap-${before}`, kind: 'gap' }))
    .filter((gap) => gap.before > transcript.tail || !transcript.more)
    .sort((a, b) => a.before - b.before);
}
