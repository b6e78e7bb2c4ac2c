const TOGETHER = 5 * 60; // seconds between two messages shown as one turn

/**
 * The rows of a room's log, from top to bottom, each {key, kind, ...}:
 * 'begin' (kept: older messages are gone; empty: there is none), 'day' (at), 'gap' (lost, reason, exact),
 * 'new' (what follows is unread) and 'message' (seq, nick, text, at, opens, own, state, why, nonce).
 *
 * transcript: see transcript.js; entries: this room's part of the outbox; nick: ours;
 * readUpTo: the last seq read when the room was opened, or null.
 */
export function rowsOf(transcript, entries, nick, readUpTo) {
  const rows = new Rows();
  if (transcript.loaded && !transcript.more) {
    const empty = !transcript.messages.length && !entries.length;
    rows.mark({ key: 'begin', kind: 'begin', kept: transcript.first > 1, empty });
  }
  const gaps = gapsInView(transcript);
  for (const message of transcript.messages) {
    rows.day(message);
    while (gaps.length && gaps[0].before <= message.seq) rows.mark(gaps.shift());
    if (readUpTo !== null && message.seq > readUpTo && message.nick !== nick) {
      rows.mark({ key: 'new', kind: 'new' });
      readUpTo = null;
    }
    rows.say({ ...message, key: `seq-${message.seq}`, own: message.nick === nick, state: 'stored' });
  }
  gaps.forEach((gap) => rows.mark(gap));
  const shown = (entry) => !(entry.seq && entry.seq <= transcript.head);
  for (const entry of entries.filter(shown)) {
    rows.day(entry);
    rows.say({ ...entry, key: `out-${entry.nonce}`, nick, own: true });
  }
  return rows.list;
}

class Rows {
  list = [];
  #last = null; // the message that the next one may go together with
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
    const opens = !last || last.nick !== message.nick || message.at - last.at > TOGETHER;
    this.list.push({ ...message, kind: 'message', opens });
    this.#last = message;
  }
}

/** The gaps that border on what is loaded, oldest first; others show once their place is scrolled to. */
function gapsInView(transcript) {
  return [...transcript.gaps]
    .map(([before, gap]) => ({ ...gap, before, key: `gap-${before}`, kind: 'gap' }))
    .filter((gap) => gap.before > transcript.tail || !transcript.more)
    .sort((a, b) => a.before - b.before);
}
