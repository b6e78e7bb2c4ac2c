// The page: puts the parts together. The leading tab polls and sends; every tab shows.

import { Claim } from './claim.js';
import { Composer } from './viewcomposer.js';
import { DeviceView } from './viewdevice.js';
import { drawers } from './drawers.js';
import { Joined } from './joined.js';
import { joinTabs } from './leader.js';
import { LinkView } from './viewlink.js';
import { Listing, isListing, isMuted, isPrivate, markOf } from './listing.js';
import { LogView } from './viewlog.js';
import { NickView } from './viewnick.js';
import { deviceLink, onReturn, takeNick, wokeUp } from './session.js';
import { Outbox } from './outbox.js';
import { PeopleView } from './viewpeople.js';
import { Poll } from './poll.js';
import { Reading } from './reading.js';
import { Rooms } from './rooms.js';
import { RoomsView, roomName } from './viewrooms.js';
import { isName, isSeq, listOf, mapOf } from './shape.js';
import { learn, me, version } from './server.js';
import { NAME, recall, remember, share, token } from './shared.js';
import { nextDelay, oncePerTurn, sleep } from './delay.js';
import { Store } from './store.js';
import { Title } from './viewtitle.js';
import { pull } from './wire.js';

// ms
const CLAIMING = 2_000; // that the poll waits for our nick to be told to the server
const LATER = 500; // after which what can wait is fetched
const SELDOM = 30_000; // between two polls of a tab that nobody looks at and that leads only itself

const store = new Store({
  nick: null, // ours
  sender: null, // ours too, as messages have it: the same under each nick
  named: false, // whether the server knows it
  refused: null, // {nick, line}: it gives that to somebody else
  joined: ['lobby'], // the rooms that this browser is in
  room: '', // the open one
  read: {}, // {room: seq} up to which it was read
  listing: [], // the rooms that there are for us, see listing.js
  may: [], // what we may do in the chat, as the server says
  muted: false, // or until when we may say nothing, and why
  called: {}, // {as a room was called: as it is}, told before `joined` changes by it: the next tab has the room open, perhaps
  link: { state: 'connecting' },
  outbox: [],
  leading: false, // whether this tab polls and sends
  polled: [], // the rooms of the last poll of this tab
  accepted: [], // and those of the last one that was answered, whoever polled
  cursor: null, // of the last answer, whoever polled
});
share(store, { called: mapOf(isName), nick: isName, sender: isName, joined: (value) => listOf(isName)(value) && value.length > 0, read: mapOf(isSeq), listing: isListing, may: listOf(isName), muted: isMuted });

const joined = new Joined(store);
const rooms = new Rooms(store);
const listing = new Listing(store);
const tabs = joinTabs(NAME, { onLead: lead, onYield: follow, onMessage: hear, onAsked: tellTabs, onSilence: doubt });
const outbox = new Outbox(store, (message) => tabs.post(message));
const poll = new Poll({
  ask: (cursor, how) => pull(asked(), client(), cursor, how),
  onAnswer: answered,
  onRejected: rejected,
  onLink: tellLink,
  seldom: () => (tabs.together || document.visibilityState === 'visible' ? 0 : SELDOM),
});

const claim = new Claim(store, refuse);
const reading = new Reading();
const changed = oncePerTurn(render);

const log = new LogView({
  older: () => rooms.get(store.get('room'))?.transcript.more && rooms.older(store.get('room')),
  moved: see,
  retry: (nonce) => outbox.retry(nonce),
  discard: (nonce) => outbox.discard(nonce),
  edit(nonce, text) {
    outbox.discard(nonce);
    composer.prepend(text);
    composer.focus();
  },
  canTouch: (row) => community !== null && community.canTouch(row),
  touch: (button, row) => community.toMessage(button, row),
  isPrivate: () => isPrivate(store.get('room')),
});
const composer = new Composer({ send });
const nickView = new NickView({ choose });
const deviceView = new DeviceView({ make: deviceLink });
const roomsView = new RoomsView({ join: visit });
const peopleView = new PeopleView({ act: (button, nick) => community.toPerson(button, nick) });
const linkView = new LinkView({ retry });
const title = new Title();
const panels = drawers(['rooms', 'people']);

// What can wait until somebody has come in; null before that.
let community = null;
let adding = null;
let failures = 0;

/** Have it once this tab is connected: on a slow line the first message goes before it. */
function addMore() {
  if (!community) adding ??= fetchMore().finally(() => (adding = null));
}

/** One request after the other, as long as there is a connection: the next one begins it anew. */
async function fetchMore() {
  await sleep(LATER);
  for (let more = null; !more && store.get('link').state === 'connected'; ) {
    // A browser remembers that a module could not be had.
    more = await import(failures ? `./later.js?${failures}` : './later.js').catch(() => null);
    if (more) addCommunity(more.community_js);
    else await sleep(nextDelay(++failures));
  }
}

function addCommunity({ Community }) {
  community = new Community({ store, joined, rooms, listing, visit, leave: leaveRoom });
  if (nickView.open) community.showProfile();
  changed();
}

// --- leading: the poll and what it brings

async function lead(tookOver) {
  store.set('leading', true);
  outbox.lead();
  poll.cursor = tookOver ? (store.get('cursor') ?? recall('cursor', isName)) : null;
  if (!store.get('nick')) return;
  if (!me.fixed) await Promise.race([claim.make(), sleep(CLAIMING)]);
  if (leads()) poll.start();
}

/** Another tab leads from now on. */
function follow() {
  store.set('leading', false);
  outbox.yield();
  poll.stop();
  doubt();
  tabs.post({ kind: 'hello' });
}

function leads() {
  return store.get('leading');
}

function asked() {
  store.set('polled', store.get('joined'));
  return store.get('polled');
}

const isToken = (value) => isName(value) && /^[\w-]{1,64}$/.test(value);

/** The token under which this browser polls; a tab that leads only itself has its own. */
function client() {
  if (!tabs.together) return TAB;
  const known = recall('client', isToken);
  if (!known) remember('client', TAB);
  return known ?? TAB;
}

function answered(answer) {
  const news = { kind: 'answer', answer, rooms: store.get('polled') };
  take(news);
  // Handed on before it is acknowledged: a leader that dies in between leaves a repetition, never a loss.
  tabs.post({ ...news, heads: rooms.heads() });
  if (tabs.together && answer.cursor) remember('cursor', answer.cursor);
}

/** Act on a refusal; returns whether its cause is gone. */
function rejected({ status, error, room }) {
  if (status === 409) refuse({ nick: store.get('nick'), line: error });
  if (status === 409) return false;
  if (room !== null && joined.leave(room)) {
    tellNotice(error);
    return true;
  }
  if (status !== 400 || poll.cursor === null) return false;
  poll.cursor = null; // of no use to this server
  return true;
}

/** Another nick has to be chosen, in whichever tab somebody looks at. */
function refuse(refused) {
  takeRefusal(refused);
  tabs.post({ kind: 'refused', refused });
}

function tellNotice(line) {
  linkView.note(line);
  tabs.post({ kind: 'notice', line });
}

function tellLink(link) {
  const was = store.get('link');
  if (JSON.stringify(link) === JSON.stringify(was)) return;
  store.set('link', link);
  tabs.post({ kind: 'link', link });
  if (link.state === 'connected') outbox.wake();
  // An answer that told of another list of rooms may be lost.
  if (link.state === 'connected' && leads()) listing.refresh();
  // Whom the server does not know has no name there, and a name of an earlier request is another's.
  if (link.state !== 'cookies') return;
  nickView.close();
  claim.outwait();
}

function retry() {
  if (leads()) poll.wake();
  else tabs.post({ kind: 'wake' });
}

/** Tell the other tabs what they cannot know if they were opened or woken just now. */
function tellTabs() {
  tabs.post({ kind: 'here', link: store.get('link'), refused: store.get('refused'), heads: rooms.heads(), people: rooms.lists() });
}

// --- every tab: what the leader hands on

function hear(message) {
  const { kind } = message;
  if (kind === 'answer') {
    take(message);
    rooms.catchUp(message.heads);
  }
  if (kind === 'notice') linkView.note(message.line);
  if (kind === 'refused') takeRefusal(message.refused);
  if (kind === 'chosen') takeChosen(message.nick);
  if (kind === 'link' && !leads()) store.set('link', message.link);
  if (kind === 'here' && !leads()) {
    store.set('link', message.link);
    takeRefusal(message.refused);
    rooms.list(message.people);
    rooms.catchUp(message.heads);
  }
  if (leads() && kind === 'wake') poll.wake(message.anew);
  if (leads() && kind === 'hello') tellTabs();
  outbox.receive(message);
}

function takeRefusal(refused) {
  if (refused && refused.nick === store.get('nick') && !store.get('refused')) store.set('refused', refused);
}

/** The server knows us as `nick`, which somebody chose in one of the tabs. */
function takeChosen(nick) {
  store.set('nick', nick);
  store.set('named', true);
  store.set('refused', null);
}

/** Whether this tab is connected is not known: its leader does not answer. */
function doubt() {
  if (!leads()) store.set('link', { state: 'connecting' });
}

function take({ answer, rooms: names }) {
  const { you } = answer;
  if (you?.sender) store.set('sender', you.sender);
  if (me.sender && store.get('sender') !== me.sender) return;
  if (wokeUp()) reading.leave();
  store.set('cursor', answer.cursor ?? store.get('cursor'));
  learn(answer.limits);
  if (leads() && answer.changed?.includes('rooms')) listing.refresh();
  if (answer.version && version && answer.version !== version) linkView.offerReload();
  const called = renamed(answer.names ?? {}, names);
  if (me.fixed && you?.nick) store.set('nick', you.nick);
  // No two who are here have one name: whoever had ours is us, on another device.
  const own = (answer.presence ?? []).findLast((event) => event.event === 'nick' && event.was === store.get('nick'));
  if (me.fixed && own) store.set('nick', own.nick);
  const nick = store.get('nick');
  if (you) store.set('named', you.nick === nick && you.cookie !== false);
  // Without cookies the server knows nobody: claiming the nick again would not help.
  if (leads() && !me.fixed && !store.get('named') && you?.cookie !== false) claim.make();
  for (const message of rooms.apply(answer)) if (message.nonce) outbox.echo(message);
  outbox.settle(rooms.heads());
  const others = (answer.presence ?? []).filter((event) => event.room === store.get('room') && event.nick !== nick);
  peopleView.tell(others);
  // History read before the poll covered a room may lack what came in between.
  for (const name of called) if (!store.get('accepted').includes(name)) rooms.want(name);
  store.set('accepted', called);
}

/** Somebody else has signed in in this browser: the page is made anew for them, and nothing of it is sent as theirs. */
function giveWay(sender) {
  store.set('named', false);
  // Once: a page that something in between has kept would come again.
  if (history.state?.madeFor === sender) return linkView.offerReload();
  history.replaceState({ madeFor: sender }, '', location.pathname);
  location.reload();
}

/** Call rooms as the server does. names: {as asked for: as it is called}; returns `asked` so. */
function renamed(names, asked) {
  for (const [was, name] of Object.entries(names)) {
    if (was !== name && joined.names.includes(was)) store.set('called', { [was]: name });
  }
  store.set('called', {});
  return asked.map((name) => names[name] ?? name);
}

function rename(was, name) {
  if (!joined.names.includes(was)) return;
  rooms.rename(was, name);
  outbox.rename(was, name);
  composer.rename(was, name);
  joined.rename(was, name);
  if (store.get('room') === was) location.replace(`#${encodeURIComponent(name)}`);
}

// --- what people do

function send(text) {
  outbox.add(store.get('room'), text);
  reading.write();
  render();
  log.toEnd();
}

async function choose(nick) {
  const { line } = await takeNick(store, nick);
  if (line) return line;
  takeChosen(store.get('nick'));
  tabs.post({ kind: 'chosen', nick: store.get('nick') });
  retry();
  return '';
}

/** Open `name` now: what is typed next belongs there, and the event of the address comes later. */
function visit(name) {
  location.hash = encodeURIComponent(name);
  openRoom();
}

/** Open the room that the address names. */
function openRoom() {
  const name = roomName(decode(location.hash)) ?? joined.names[0];
  const error = joined.add(name);
  if (error) {
    linkView.note(error);
    roomsView.complain(error);
    location.replace(`#${encodeURIComponent(store.get('room') || joined.names[0])}`);
    return;
  }
  if (store.get('room') === name) return;
  reading.open();
  panels.close();
  composer.open(name);
  store.set('room', name);
  rooms.open(name);
  if (matchMedia('(pointer: fine)').matches) composer.focus();
}

function leaveRoom(left) {
  if (!joined.leave(left)) return;
  const { [left]: _, ...read } = store.get('read');
  store.set('read', read);
}

/** Open the room `step` places down the list. */
function walk(step) {
  const { names } = joined;
  const at = names.indexOf(store.get('room')) + step + names.length;
  visit(names[at % names.length]);
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
  if (reading.known) rooms.markRead(store.get('room'));
}

// --- showing

function render() {
  const name = store.get('room');
  const room = rooms.get(name);
  if (!room) return;
  const { transcript } = room;
  const unread = rooms.unread(name);
  const inView = document.visibilityState === 'visible' && log.atEnd;
  const readUpTo = reading.upTo({ unread, read: store.get('read')[name], inView, loaded: transcript.loaded });
  const entries = store.get('outbox').filter((entry) => entry.room === name);
  log.show(name, { transcript, entries, nick: store.get('nick'), sender: store.get('sender'), readUpTo }, unread);
  see();
  if (log.atEnd) transcript.trim();
  showAround(name, room);
}

function showAround(name, room) {
  const called = listing.titleOf(name);
  const list = joined.names.map((each) => ({ name: each, title: listing.titleOf(each), mark: markOf(listing.get(each)), unread: rooms.unread(each) }));
  roomsView.show(list, name);
  community?.offer();
  peopleView.show(room.people, store.get('nick'), community !== null);
  title.show(called, list.reduce((sum, each) => sum + each.unread, 0));
  composer.call(called);
  composer.silence(listing.silence(name));
  log.call(called);
  nameAs('room-title', called);
  nameAs('me-nick', store.get('nick') ?? '');
  // Who leaves a private room is asked first, by what is still to come.
  document.getElementById('room-leave').hidden = list.length < 2 || (isPrivate(name) && !community);
}

function nameAs(id, name) {
  const node = document.getElementById(id);
  node.textContent = name;
  node.title = name;
}

// --- start

const TAB = token();

if (me.sender) {
  store.set('sender', me.sender);
  // The page was made for them; a poll tells it again only where the server could not follow this browser.
  store.set('named', true);
}
if (me.nick && (me.fixed || !store.get('nick'))) store.set('nick', me.nick);
document.getElementById('nick-change').disabled = !me.renames && !me.door;
document.querySelector('#nick-change .hint').hidden = !me.renames;

store.on(['nick', 'sender', 'rooms', 'room', 'read', 'outbox', 'listing', 'muted'], changed);
// Whoever is let into a private room sees it among the own ones.
store.on('listing', () => listing.own.forEach((name) => joined.add(name)));
store.on('named', () => outbox.wake());
// Told by the server to one tab: it is sure to reach the others by storage alone, as that tab is about to go.
store.on('sender', (sender) => me.sender && sender !== me.sender && giveWay(sender));
store.on('link', (link) => linkView.show(link));
store.on('link', ({ state }) => state === 'connected' && addMore());
store.on('link', ({ state }) => {
  const login = document.getElementById('link-login');
  if (login) login.hidden = state !== 'refused';
});
store.on('refused', (refused) => {
  if (refused) nickView.ask({ nick: refused.nick, needed: true, error: refused.line });
  else nickView.close();
});
store.on('nick', (nick) => {
  store.set('refused', null);
  nickView.close();
  if (leads() && nick) poll.start();
});
store.on('called', (names) => Object.entries(names).forEach(([was, name]) => rename(was, name)));
store.on('joined', () => {
  rooms.sync();
  const open = store.get('room');
  // None is open yet while the page starts with a room in its URL.
  if (open && !joined.names.includes(open)) location.replace(`#${encodeURIComponent(joined.names[0])}`);
  if (leads()) poll.wake(true);
});
addEventListener('hashchange', openRoom);
document.querySelector('.skip').addEventListener('click', () => composer.focus());
addEventListener('pagehide', () => poll.stop());
document.getElementById('nick-change').addEventListener('click', () => {
  deviceView.offer(me.door);
  community?.showProfile();
  nickView.ask({ nick: store.get('nick') });
});
document.getElementById('room-leave').addEventListener('click', () => {
  const name = store.get('room');
  if (community) community.leave(name);
  else leaveRoom(name);
});
addEventListener('keydown', (event) => {
  if (!event.altKey || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return;
  event.preventDefault();
  walk(event.key === 'ArrowDown' ? 1 : -1);
});
for (const sign of ['keydown', 'pointerdown']) addEventListener(sign, () => reading.comeBack());
onReturn((anew) => {
  if (anew) reading.leave();
  if (leads() && store.get('nick')) poll.start();
  if (leads()) poll.wake(anew);
  else tabs.post({ kind: 'wake', anew });
  tabs.look();
  tabs.post({ kind: 'hello' });
  changed();
});
document.addEventListener('visibilitychange', () => {
  // Nobody looks: let go of the connection, of which a browser has few.
  if (document.visibilityState !== 'visible' && !tabs.together) poll.wake(true);
});

// The form for a room was sent before this script was here.
const sent = roomName(new URLSearchParams(location.search).get('room') ?? '');
if (sent) history.replaceState(null, '', `${location.pathname}#${encodeURIComponent(sent)}`);

linkView.show(store.get('link'));
rooms.sync();
openRoom();
tabs.post({ kind: 'hello' });
if (!store.get('nick')) nickView.ask({ needed: true });
document.documentElement.dataset.started = 'yes';
