const KEPT = 500;

/**
 * What this tab holds of one room's log: messages by ascending seq, each once, and the gaps between them.
 *
 * Sequence numbers are contiguous, so a hole shows itself; it is a gap only once the server said that its
 * messages are gone. Until then `hole` names it, to be filled from history.
 */
export class Transcript {
  messages = [];
  gaps = new Map(); // seq of the message after the gap -> {lost, reason, exact}
  first = null; // oldest seq the server holds, as it last said; null: not asked yet
  removals = new Map(); // seq of a message that was removed -> the removal

  /** How many messages after `seq` say nothing: removals, and what this page does not know. */
  silentAfter(seq) {
    let silent = 0;
    for (let i = placeOf(this.messages, seq + 1); i < this.messages.length; i += 1) if (!says(this.messages[i])) silent += 1;
    return silent;
  }

  /** The newest seq held, 0 if none. */
  get head() {
    return this.messages.at(-1)?.seq ?? 0;
  }

  /** The oldest seq held, 0 if none. */
  get tail() {
    return this.messages[0]?.seq ?? 0;
  }

  get loaded() {
    return this.first !== null;
  }

  /** Whether the server has messages before the oldest one here. */
  get more() {
    return this.loaded && this.tail > this.first;
  }

  /** Add messages that a poll brought; returns the new ones. Those before `tail` are left to history. */
  add(messages) {
    return this.#merge(this.loaded ? messages.filter((message) => message.seq > this.tail) : messages);
  }

  /** Add a page of history: {messages, first, damaged: seqs that cannot be read}. Returns the new messages. */
  page({ messages, first, damaged = [] }) {
    this.first = first;
    while (damaged.includes(this.first)) this.first += 1;
    const fresh = this.#merge(messages);
    this.#explain(damaged);
    return fresh;
  }

  /** {after, before} of the newest hole that no gap explains, or null. */
  get hole() {
    if (this.head - this.tail + 1 === this.messages.length) return null;
    for (let i = this.messages.length - 1; i > 0; i -= 1) {
      const after = this.messages[i - 1].seq;
      const before = this.messages[i].seq;
      if (before > after + 1 && !this.gaps.has(before)) return { after, before };
    }
    return null;
  }

  /** Close a hole after its history was read: what is gone becomes a gap, what did not fit is let go. */
  close({ after }) {
    const next = this.messages.find((message) => message.seq > after);
    if (!next || next.seq === after + 1) return;
    if (this.first >= next.seq) this.gap({ lost: next.seq - after - 1, reason: 'trimmed', before: next.seq });
    else this.messages = this.messages.filter((message) => message.seq > after);
  }

  /** Note that `lost` messages before seq `before` cannot be had. */
  gap({ lost, reason, before, exact = true }) {
    if (lost > 0 || reason === 'recreated') this.gaps.set(before, { lost, reason, exact });
  }

  /** Forget the oldest messages beyond a bound; scrolling up brings them back. */
  trim() {
    if (this.messages.length > KEPT) this.messages = this.messages.slice(-KEPT);
  }

  /** The text of that message is nobody's to see any more. */
  #silence(seq) {
    const place = placeOf(this.messages, seq);
    const message = this.messages[place];
    if (message?.seq === seq && message.kind !== 'removed') this.messages[place] = { ...message, kind: 'removed', text: '' };
  }

  #explain(damaged) {
    for (let i = 1; i < this.messages.length; i += 1) {
      const [after, before] = [this.messages[i - 1].seq, this.messages[i].seq];
      const lost = damaged.filter((seq) => seq > after && seq < before).length;
      if (lost > 0) this.gap({ lost, reason: 'damaged', before });
    }
  }

  #merge(messages) {
    const sorted = [...messages].sort(bySeq);
    const fresh = sorted.filter(({ seq }, i) => seq !== sorted[i - 1]?.seq && this.messages[placeOf(this.messages, seq)]?.seq !== seq);
    const goesOn = !fresh.length || fresh[0].seq > this.head;
    if (goesOn) for (const message of fresh) this.messages.push(message);
    else this.messages = [...this.messages, ...fresh].sort(bySeq);
    for (const message of fresh) if (message.kind === 'removal') this.removals.set(message.about, message);
    // Whatever comes later, or came by a page of history that was older than the removal.
    if (this.removals.size) for (const { about } of this.removals.values()) this.#silence(about);
    return fresh;
  }
}

/** The place in `messages` of the first one that has this seq or a later one. */
export function placeOf(messages, seq) {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (messages[middle].seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether somebody said that: removals say nothing, nor does what a later version may have stored. */
export function says(message) {
  return (message.kind ?? 'said') === 'said';
}

function bySeq(one, other) {
  return one.seq - other.seq;
}
