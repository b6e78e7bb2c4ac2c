// The page: puts the parts together. The leading tab polls and sends; every tab shows.

import { Composer } from './viewcomposer.js';
import { drawers } from './drawers.js';
import { joinTabs } from './leader.js';
import { LinkView } from './viewlink.js';
import { LogView } from './viewlog.js';
import { NickView } from './viewnick.js';
import { onReturn, takeNick } from './session.js';
import { Outbox } from './outbox.js';
import { PeopleView } from './viewpeople.js';
import { Poll } from './poll.js';
import { Rooms } from './rooms.js';
import { RoomsView, roomName } from './viewrooms.js';
import { rowsOf } from './rows.js';
import { recall, remember, share, token } from './shared.js';
import { Store } from './store.js';
import { Title } from './viewtitle.js';
import { pull } from './wire.js';

const store = new Store({ nick: null, joined: ['lobby'], read: {}, room: '', link: { state: 'connecting' }, outbox: [] });
share(store, ['nick', 'joined', 'read']);

const rooms = new Rooms(store);
const tabs = joinTabs({ onLead: lead, onMessage: hear });
const outbox = new Outbox(store, tabs.post);
const poll = new Poll({
  ask: (cursor, timeout) => pull(asked(), client(), cursor, timeout),
  onAnswer: answered,
  onRejected: rejected,
  onLink: tellLink,
});

let leading = false;
let polled = []; // the rooms of the last poll, and of the last one that was answered
let accepted = [];
let cursor = null; // of the last answer, whoever polled
let readUpTo; // where "New" is shown in the open room; undefined until its history is here

const log = new LogView({
  older: () => rooms.get(store.get('room'))?.transcript.more && rooms.older(store.get('room')),
  moved: see,
  retry: (nonce) => outbox.retry(nonce),
  discard: (nonce) => outbox.discard(nonce),
  edit(nonce, text) {
    outbox.discard(nonce);
    composer.write(text);
    composer.focus();
  },
});
const composer = new Composer({ send });
const nickView = new NickView({ choose: async (nick) => (await takeNick(store, nick)).line });
const roomsView = new RoomsView({ join: (name) => (location.hash = encodeURIComponent(name)) });
const peopleView = new PeopleView();
const linkView = new LinkView({ retry });
const title = new Title();
const panels = drawers(['rooms', 'people']);

// --- leading: the poll and what it brings

function lead(tookOver) {
  leading = true;
  outbox.lead();
  poll.cursor = tookOver ? (cursor ?? recall('cursor')) : null;
  if (store.get('nick')) claimNick().then(() => poll.start());
}

/** The server may have forgotten our nick, or given it to another one meanwhile. */
async function claimNick() {
  const nick = store.get('nick');
  const { taken, line } = await takeNick(store, nick);
  if (taken) nickView.ask({ nick, needed: true, error: line });
}

function asked() {
  polled = store.get('joined');
  return polled;
}

/** The token under which this browser polls; a tab that leads only itself has its own. */
function client() {
  if (!tabs.together) return TAB;
  const known = recall('client');
  if (!known) remember('client', TAB);
  return known ?? TAB;
}

function answered(answer) {
  const news = { kind: 'answer', answer, rooms: polled };
  take(news);
  // Handed on before it is acknowledged: a leader that dies in between leaves a repetition, never a loss.
  tabs.post({ ...news, heads: rooms.heads() });
  if (tabs.together) remember('cursor', answer.cursor);
  outbox.wake();
}

function rejected(status, error) {
  const culprits = polled.filter((name) => !accepted.includes(name));
  if (status === 409) nickView.ask({ nick: store.get('nick'), needed: true, error });
  else if (culprits.length && culprits.length < polled.length) {
    store.set('joined', store.get('joined').filter((name) => !culprits.includes(name)));
    roomsView.complain(error);
  } else tellLink({ ...store.get('link'), error });
}

function tellLink(link) {
  store.set('link', link);
  tabs.post({ kind: 'link', link });
}

function retry() {
  if (leading) poll.wake();
  else tabs.post({ kind: 'wake' });
}

// --- every tab: what the leader hands on

function hear(message) {
  if (message.kind === 'answer') {
    take(message);
    rooms.catchUp(message.heads);
  }
  if (message.kind === 'link') store.set('link', message.link);
  if (message.kind === 'here') rooms.catchUp(message.heads);
  if (leading && message.kind === 'wake') poll.wake(message.anew);
  if (leading && message.kind === 'hello') {
    tabs.post({ kind: 'link', link: store.get('link') });
    tabs.post({ kind: 'here', heads: rooms.heads() });
  }
  outbox.receive(message);
}

function take({ answer, rooms: names }) {
  cursor = answer.cursor;
  const nick = store.get('nick');
  if (answer.you && answer.you.nick !== nick && leading) claimNick();
  for (const message of rooms.apply(answer)) if (message.nick === nick) outbox.echo(message);
  outbox.settle(rooms.heads());
  const others = (answer.presence ?? []).filter((event) => event.room === store.get('room') && event.nick !== nick);
  peopleView.tell(others);
  // History read before the poll covered a room may lack what came in between.
  for (const name of names) if (!accepted.includes(name)) rooms.load(name);
  accepted = names;
}

// --- what people do

function send(text) {
  outbox.add(store.get('room'), text);
  readUpTo = null;
  render();
  log.toEnd();
}

function openRoom() {
  const name = roomName(decode(location.hash)) ?? store.get('joined')[0];
  if (!store.get('joined').includes(name)) store.set('joined', [...store.get('joined'), name]);
  if (store.get('room') === name) return;
  readUpTo = undefined;
  panels.close();
  composer.open(name);
  store.set('room', name);
  if (matchMedia('(pointer: fine)').matches) composer.focus();
}

function leaveRoom() {
  const left = store.get('room');
  const others = store.get('joined').filter((name) => name !== left);
  if (!others.length) return;
  location.hash = encodeURIComponent(others[0]);
  store.set('joined', others);
  const { [left]: _, ...read } = store.get('read');
  store.set('read', read);
}

/** Open the room `step` places down the list. */
function walk(step) {
  const joined = store.get('joined');
  const at = joined.indexOf(store.get('room')) + step + joined.length;
  location.hash = encodeURIComponent(joined[at % joined.length]);
}

function decode(hash) {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    return '';
  }
}

/** What is in view is read. */
function see() {
  if (document.visibilityState !== 'visible' || !log.atEnd) return;
  if (readUpTo !== undefined) rooms.markRead(store.get('room'));
}

// --- showing

let due = false;

function changed() {
  if (due) return;
  due = true;
  // Not requestAnimationFrame: a hidden tab has no frames, but a title that counts.
  queueMicrotask(() => {
    due = false;
    render();
  });
}

function render() {
  const name = store.get('room');
  const room = rooms.get(name);
  if (!room) return;
  const { transcript } = room;
  const unread = rooms.unread(name);
  const unseen = unread > 0 && (document.visibilityState !== 'visible' || !log.atEnd);
  if (unseen || (readUpTo === undefined && transcript.loaded)) readUpTo = unread ? store.get('read')[name] : null;
  const entries = store.get('outbox').filter((entry) => entry.room === name);
  log.show(name, rowsOf(transcript, entries, store.get('nick'), readUpTo ?? null), unread);
  see();
  if (log.atEnd) transcript.trim();
  showAround(name, room);
}

function showAround(name, room) {
  const list = store.get('joined').map((each) => ({ name: each, unread: rooms.unread(each) }));
  roomsView.show(list, name);
  peopleView.show(room.people, store.get('nick'));
  title.show(name, list.reduce((sum, each) => sum + each.unread, 0));
  document.getElementById('room-title').textContent = name;
  document.getElementById('me-nick').textContent = store.get('nick') ?? '';
  document.getElementById('room-leave').hidden = list.length < 2;
}

// --- start

const TAB = token();

store.on(['nick', 'rooms', 'room', 'read', 'outbox'], changed);
store.on('link', (link) => linkView.show(link));
store.on('nick', (nick) => {
  nickView.close();
  if (leading && nick) poll.start();
});
store.on('joined', () => {
  rooms.sync();
  const open = store.get('room');
  // None is open yet while the page starts with a room in its URL.
  if (open && !store.get('joined').includes(open)) location.hash = encodeURIComponent(store.get('joined')[0]);
  poll.wake(true);
});
addEventListener('hashchange', openRoom);
addEventListener('pagehide', () => poll.stop());
document.getElementById('nick-change').addEventListener('click', () => nickView.ask({ nick: store.get('nick') }));
document.getElementById('room-leave').addEventListener('click', leaveRoom);
addEventListener('keydown', (event) => {
  if (!event.altKey || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return;
  event.preventDefault();
  walk(event.key === 'ArrowDown' ? 1 : -1);
});
onReturn((anew) => {
  if (leading) poll.start();
  if (leading) poll.wake(anew);
  else tabs.post({ kind: 'wake', anew });
  tabs.post({ kind: 'hello' });
  changed();
});

linkView.show(store.get('link'));
rooms.sync();
openRoom();
tabs.post({ kind: 'hello' });
if (!store.get('nick')) nickView.ask({ needed: true });
