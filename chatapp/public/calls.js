// The calls of what there is beside talking, as those of wire.js.

import { isEnd, isFlag, isMoment, isName, isRoom, isSeq, isText, listOf, orNull, record } from './shape.js';
import { request } from './wire.js';

const isDevice = record({ device: isName, label: isText, current: isFlag }, { at: orNull(isMoment), seen: orNull(isText) });
const isBefore = record({ given: orNull(isText), muted: orNull(isEnd), banned: orNull(isEnd) });
const isStanding = record(
  { sender: isName, nick: orNull(isText), muted: orNull(isEnd), banned: orNull(isEnd) },
  { given: orNull(isText), deed: isSeq },
);
const isDeed = record({ number: isSeq, at: isMoment, act: isText, name: isText }, { whom_name: isText, room: isText, seq: orNull(isSeq), more: isText, reason: isText });

const answers = {
  passkeys: record(
    {},
    {
      passkeys: listOf(record({ passkey: isName, label: isText, at: isMoment })),
      challenge: isName,
      user: record({ id: isName }),
      excludeCredentials: listOf(record({ id: isName })),
    },
  ),
  signIn: record({}, { challenge: isName, ok: isFlag }),
  made: record({ room: isName }, { title: isText }),
  room: (value) => isRoom(value) && record({}, { members: listOf(record({ sender: isName, nick: isText }, { role: isText })) })(value),
  deeds: record({ deeds: listOf(isDeed) }, { more: isFlag }),
  acted: record({}, { before: isBefore }),
  standings: record({ people: listOf(isStanding) }, { more: isFlag }),
  origin: record({ id: orNull(isText), nick: isText }, { address: orNull(isText), at: isMoment }),
  profile: record({ nick: isText, identity: isText }, { sender: isText, role: isText, devices: listOf(isDevice), muted: orNull(isEnd) }),
  devices: record({ devices: listOf(isDevice) }),
};

/** Something was done, and nothing more is to be known of it. */
const isDone = record({});

const inPath = encodeURIComponent;

/** Make a room. room: {title, policy, people}. */
export function makeRoom(room) {
  return request('POST', '/chat/rooms', answers.made, { body: room }).answer;
}

/** The room of these people and me. */
export function directRoom(people) {
  return request('POST', '/chat/direct', answers.made, { body: { people } }).answer;
}

export function aboutRoom(room) {
  return request('GET', `/chat/rooms/${inPath(room)}`, answers.room).answer;
}

/** Change a room. change: {title, policy, reason}, each as it is wanted. */
export function changeRoom(room, change) {
  return request('POST', `/chat/rooms/${inPath(room)}`, isDone, { body: change }).answer;
}

/** Change who is in a room. change: {add: WHO, reason}, {remove: WHO, reason} or {leave: true}. */
export function changeMembers(room, change) {
  return request('POST', `/chat/rooms/${inPath(room)}/members`, isDone, { body: change }).answer;
}

export function removeMessage(room, seq, reason) {
  return request('POST', `/chat/remove/${inPath(room)}`, isDone, { body: { seq, reason } }).answer;
}

/** Do something to somebody. act: 'mute', 'unmute', 'ban', 'unban', 'sign-out' or 'role'; more: seconds, reason, role. */
export function actOn(act, who, more = {}) {
  return request('POST', `/chat/${act}`, answers.acted, { body: { who, ...more } }).answer;
}

/** What keepers did, before the deed with number `before` (null: the last ones). */
export function deeds(before) {
  return recorded('deeds', before);
}

/** Who is muted, banned, or has a role that was given here: those of whom that was decided before the deed `before`. */
export function standings(before) {
  return recorded('standings', before);
}

function recorded(what, before) {
  const query = before === null ? '' : `?${new URLSearchParams({ before })}`;
  return request('GET', `/chat/${what}${query}`, answers[what]).answer;
}

/** Who sent a message, from where: for keepers. */
export function origin(room, seq) {
  return request('GET', `/chat/message/${inPath(room)}/${seq}`, answers.origin).answer;
}

export function profile() {
  return request('GET', '/chat/me', answers.profile).answer;
}

/** Change something of my devices. change: {remove: DEVICE}, {others: true} or {label, device}. */
export function changeDevices(change) {
  return request('POST', '/chat/me/devices', answers.devices, { body: change }).answer;
}

/** Our passkeys, or what `body` asks of them. */
export function passkeys(body) {
  return request(body ? 'POST' : 'GET', '/chat/me/passkeys', answers.passkeys, { body }).answer;
}

export function signIn(body) {
  return request('POST', '/chat/sign-in', answers.signIn, { body }).answer;
}
