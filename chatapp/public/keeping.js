import { actOn, changeMembers, changeRoom, origin, removeMessage } from './calls.js';
import { isPrivate } from './listing.js';
import { isolated } from './text.js';
import { lineOf } from './wire.js';

const HOUR = 3600;
const BEGUN_ANEW = 'You hear nothing of it until you or they begin it anew, by “Message”; then all that was said is there again.';
const WRITTEN = 'Why (it is written down)';
const TOLD = 'Why (they are told, and it is written down)';
const SEEN = 'Why (everybody in the room sees that)';

/**
 * What people do to rooms, to messages and to each other, where they may: each asks in a dialog, does it, and offers to
 * undo it where that can be. views: {ask, notice}; did(): the list of rooms may be another now.
 */
export class Keeping {
  #ask;
  #notice;
  #did;

  constructor({ ask, notice }, did) {
    this.#ask = ask;
    this.#notice = notice;
    this.#did = did;
  }

  /** Have the text of a message gone for everybody. */
  removeMessage({ room, seq, nick, own }) {
    this.#ask.ask({
      title: 'Remove this message?',
      help: own ? 'Its text is gone for everybody, and cannot be had back.' : `The text of ${isolated(nick)} is gone for everybody, and cannot be had back.`,
      label: SEEN,
      act: 'Remove',
      run: async (reason) => lineOf(await removeMessage(room, seq, reason)),
    });
  }

  mute(nick) {
    this.#withReason({
      title: `Mute ${isolated(nick)}?`,
      help: 'For an hour nobody hears what they write.',
      label: TOLD,
      act: 'Mute',
      call: (reason) => actOn('mute', nick, { seconds: HOUR, reason }),
      told: `${isolated(nick)} is muted for an hour.`,
      undo: ({ before }) => before?.muted === null && (() => actOn('unmute', nick)),
    });
  }

  ban(nick) {
    this.#withReason({
      title: `Ban ${isolated(nick)}?`,
      help: 'They are out at once, from every room.',
      label: TOLD,
      option: 'And whoever comes from the same address',
      act: 'Ban',
      call: (reason, address) => actOn('ban', nick, { address, reason }),
      told: `${isolated(nick)} is banned.`,
      undo: ({ before }) => before?.banned === null && (() => actOn('unban', nick)),
    });
  }

  signOut(nick) {
    this.#withReason({
      title: `Sign ${isolated(nick)} out?`,
      help: 'On every device. They come in again with a new invitation.',
      act: 'Sign out',
      call: (reason) => actOn('sign-out', nick, { reason }),
      told: `${isolated(nick)} is signed out.`,
    });
  }

  /** Let somebody speak who was muted: {sender, name}. */
  letSpeak({ sender, name }) {
    this.#withReason({
      title: `Let ${isolated(name)} speak again?`,
      act: 'Let speak again',
      call: (reason) => actOn('unmute', sender, { reason }),
      told: `${isolated(name)} may speak again.`,
    });
  }

  /** Let somebody in who was banned: {sender, name, banned}. */
  letIn({ sender, name, banned: { addresses = [] } }) {
    this.#withReason({
      title: `Let ${isolated(name)} in again?`,
      help: addresses.length ? `And whoever comes from ${addresses.join(', ')}.` : '',
      act: 'Let in again',
      call: (reason) => actOn('unban', sender, { reason }),
      told: `${isolated(name)} may come in again.`,
    });
  }

  /** Let somebody have the role again that they have elsewhere: {sender, name, given}. */
  takeRole({ sender, name, given }) {
    this.#withReason({
      title: `Is ${isolated(name)} to be ${given} here no more?`,
      help: 'They have the role again that they came with.',
      act: 'Take back',
      call: (reason) => actOn('role', sender, { role: '', reason }),
      told: `${isolated(name)} has the role again that they came with.`,
    });
  }

  /** Give somebody another role. */
  appoint(nick, role) {
    this.#withReason({
      title: `Make ${isolated(nick)} a ${role}?`,
      act: `Make ${role}`,
      call: (reason) => actOn('role', nick, { role, reason }),
      told: `${isolated(nick)} is a ${role} now.`,
      undo: ({ before }) => before && (() => actOn('role', nick, { role: before.given ?? '' })),
    });
  }

  /** Have somebody leave a room: {nick, sender}, or the nick alone. What is done in a private one is written down nowhere. */
  expel({ nick, sender: who = nick }, room, title) {
    this.#withReason({
      title: `Remove ${isolated(nick)} from ${isolated(title)}?`,
      act: 'Remove',
      label: isPrivate(room) ? '' : WRITTEN,
      call: (reason) => changeMembers(room, { remove: who, reason }),
      told: `${isolated(nick)} is out of ${isolated(title)}.`,
      undo: () => () => changeMembers(room, { add: who }),
    });
  }

  invite(nick, room) {
    return changeMembers(room, { add: nick }).then(this.#done).then(lineOf);
  }

  /** Leave a private room oneself. left(): it is done. */
  leave({ room, kind }, title, left) {
    this.#ask.ask({
      title: `Leave ${isolated(title)}?`,
      help: kind === 'direct' ? BEGUN_ANEW : 'Somebody in it has to invite you before you see it again.',
      act: 'Leave',
      run: async () => {
        const line = lineOf(await changeMembers(room, { leave: true }));
        if (!line) left();
        return line;
      },
    });
  }

  rename(room, title) {
    this.#ask.ask({
      title: 'What shall it be called?',
      label: 'Name',
      value: title,
      most: 64,
      why: isPrivate(room) ? '' : WRITTEN,
      act: 'Rename',
      run: async (text, _, reason) => lineOf(this.#done(await changeRoom(room, { title: text, reason }))),
    });
  }

  close(room, title, was) {
    this.#withReason({
      title: `Close ${isolated(title)}?`,
      help: 'It can be read, and nobody says anything more in it.',
      label: isPrivate(room) ? SEEN : 'Why (everybody sees that, and it is written down)',
      act: 'Close it',
      call: (reason) => changeRoom(room, { policy: 'closed', reason }),
      told: `${isolated(title)} is closed.`,
      undo: () => () => changeRoom(room, { policy: was }),
    });
  }

  reopen(room, title, was) {
    this.#withReason({
      title: `Open ${isolated(title)} again?`,
      act: 'Open it',
      label: isPrivate(room) ? '' : WRITTEN,
      call: (reason) => changeRoom(room, { policy: was, reason }),
      told: `${isolated(title)} is open again.`,
    });
  }

  /** Say who sent a message, and from where. */
  async whoSent({ room, seq }) {
    const { status, data, error } = await origin(room, seq);
    this.#notice.tell(status === 200 ? originLine(data) : lineOf({ status, error }));
  }

  /** Ask, and do it: call(reason, chosen). undo(data): what takes it back as the answer says, nothing where that cannot be. */
  #withReason({ call, told, undo = () => null, ...question }) {
    this.#ask.ask({
      label: WRITTEN,
      ...question,
      run: async (reason, chosen) => {
        const answer = this.#done(await call(reason, chosen));
        const back = answer.status === 200 && undo(answer.data);
        if (answer.status === 200) this.#notice.tell(told, back ? () => this.#takeBack(back) : null);
        return lineOf(answer);
      },
    });
  }

  async #takeBack(undo) {
    this.#notice.tell(lineOf(this.#done(await undo())) || 'It is as it was before.');
  }

  #done = (answer) => {
    this.#did();
    return answer;
  };
}

/** Of an older message neither id nor address may be known. */
function originLine({ nick, id, address }) {
  return `Sent by ${isolated(nick)}, ${id === null ? 'no id known' : `id ${id}`}, from ${address || 'an unknown address'}.`;
}
