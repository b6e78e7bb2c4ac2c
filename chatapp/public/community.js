// What there is beside talking: rooms to choose from, private ones, what those in charge may do, and where one is
// signed in. It comes behind the page: nobody needs it for the first message.

import { AboutView } from './viewabout.js';
import { AskView } from './viewask.js';
import { ChoiceView } from './viewchoice.js';
import { DeedsView } from './viewdeeds.js';
import { isPrivate } from './listing.js';
import { Keeping } from './keeping.js';
import { MakeView } from './viewmake.js';
import { MenuView } from './viewmenu.js';
import { NoticeView } from './viewnotice.js';
import { addPasskey, available, ownPasskeys, removePasskey } from './passkeys.js';
import { PasskeysView } from './viewpasskeys.js';
import { ProfileView } from './viewprofile.js';
import { StandingsView } from './viewstandings.js';
import { me } from './server.js';
import { aboutRoom, changeDevices, deeds, directRoom, makeRoom, profile, standings } from './calls.js';
import { lineOf } from './wire.js';

/** page: {store, joined, rooms, listing, visit(name), leave(name)}: what the page has and does with rooms. */
export class Community {
  #page;
  #menu = new MenuView();
  #notice = new NoticeView();
  #keeping;
  #about;
  #choice;
  #make;
  #record = new DeedsView({ deeds });
  #standings;
  #profile = new ProfileView({ profile, change: changeDevices });
  #passkeys = new PasskeysView({ list: ownPasskeys, add: addPasskey, remove: removePasskey });

  constructor(page) {
    this.#page = page;
    const { listing } = page;
    this.#keeping = new Keeping({ ask: new AskView(), notice: this.#notice }, () => this.#changed());
    const keeping = this.#keeping;
    this.#make = new MakeView({ make: (kind, room, wanted) => this.#made(kind, room, wanted) });
    this.#choice = new ChoiceView({ ask: () => listing.refresh(), make: (kind) => this.#make.ask(kind, this.#others()) });
    this.#about = new AboutView({
      me: () => page.store.get('nick'),
      listed: (room) => page.listing.rooms.find((each) => each.room === room),
      about: aboutRoom,
      invite: (nick, room) => keeping.invite(nick, room),
      expel: (who, room, title) => keeping.expel(who, room, title),
      rename: (room, title) => keeping.rename(room, title),
      close: (room, title, policy) => keeping.close(room, title, policy),
      reopen: (room, title, was) => keeping.reopen(room, title, was),
      leave: (room) => this.leave(room),
    });
    const taking = {
      letSpeak: (person) => keeping.letSpeak(person),
      letIn: (person) => keeping.letIn(person),
      takeRole: (person) => keeping.takeRole(person),
    };
    this.#standings = new StandingsView({ standings, may: (act) => this.#may(act), ...taking }, document.getElementById('deeds-list'));
    const opener = document.getElementById('deeds-open');
    opener.addEventListener('click', () => this.#showRecord());
    page.store.on('may', () => (opener.hidden = !this.#may('oversee')));
    opener.hidden = !this.#may('oversee');
    const about = document.getElementById('room-about');
    about.addEventListener('click', () => this.#about.open(page.store.get('room'), this.#others()));
    about.hidden = false;
  }

  /** Show where we are signed in, and by what. */
  showProfile() {
    this.#passkeys.offer(me.passkeys && available);
    if (me.fixed && me.door) this.#profile.show();
  }

  #showRecord() {
    this.#record.open();
    this.#standings.refresh();
  }

  /** Offer the rooms that we are not in. */
  offer() {
    this.#choice.offer(this.#page.listing.rooms, this.#page.joined.names);
  }

  /** Leave a room; a private one, of which one is a member, after a question. */
  leave(name) {
    const { listing, leave } = this.#page;
    if (!isPrivate(name)) return leave(name);
    this.#keeping.leave(listing.get(name), listing.titleOf(name), () => {
      this.#about.close();
      leave(name);
    });
  }

  /** What can be done with somebody, in a menu below `button`. */
  toPerson(button, nick) {
    const keeping = this.#keeping;
    const room = this.#page.store.get('room');
    const { listing } = this.#page;
    const items = [
      ['Message', true, () => this.#begin(nick)],
      ['Remove from this room', isPrivate(room) && listing.may(room, 'expel'), () => keeping.expel({ nick }, room, listing.titleOf(room))],
      ['Mute', this.#may('mute'), () => keeping.mute(nick)],
      ['Ban', this.#may('ban'), () => keeping.ban(nick)],
      ['Sign out', this.#may('ban'), () => keeping.signOut(nick)],
      ['Make keeper', this.#may('appoint'), () => keeping.appoint(nick, 'keeper')],
      ['Make member', this.#may('appoint'), () => keeping.appoint(nick, 'member')],
    ];
    this.#menu.toggle(button, nick, itemsOf(items));
  }

  /** Whether anything can be done with a message: {own}. */
  canTouch({ own }) {
    return own || this.#page.listing.may(this.#page.store.get('room'), 'clear') || this.#may('oversee');
  }

  /** What can be done with a message, in a menu below `button`: {seq, nick, own}. */
  toMessage(button, message) {
    const { store, listing } = this.#page;
    const room = store.get('room');
    const given = { ...message, room };
    const items = [
      ['Remove', message.own || listing.may(room, 'clear'), () => this.#keeping.removeMessage(given)],
      ['Who sent it', this.#may('oversee'), () => this.#keeping.whoSent(given)],
    ];
    this.#menu.toggle(button, 'This message', itemsOf(items));
  }

  #may(act) {
    return this.#page.store.get('may').includes(act);
  }

  async #changed() {
    await this.#page.listing.refresh();
    if (document.getElementById('about-dialog').open) this.#about.refresh();
    if (!this.#record.isOpen) return;
    this.#record.refresh();
    this.#standings.refresh();
  }

  async #begin(nick) {
    const line = await this.#made('direct', { people: [nick] });
    if (line && this.#make.open) this.#notice.tell(line);
    else if (line) this.#make.ask('direct', this.#others(), [nick], line);
  }

  /** Make a room that others do not see, and open it if that is still wanted; returns why that cannot be, or ''. */
  async #made(kind, { title, people }, wanted = () => true) {
    const asked = kind === 'direct' ? directRoom(people) : makeRoom({ title, people, policy: 'members' });
    const answer = await asked;
    if (answer.status !== 200) return lineOf(answer);
    await this.#page.listing.refresh();
    if (wanted()) this.#page.visit(answer.data.room);
    return '';
  }

  /** The people that are known here, but for us. */
  #others() {
    const { joined, rooms, store } = this.#page;
    const nicks = new Set(joined.names.flatMap((name) => [...(rooms.get(name)?.people ?? [])]));
    return [...nicks].filter((nick) => nick !== store.get('nick'));
  }
}

function itemsOf(items) {
  return items.filter(([, possible]) => possible).map(([word, , run]) => ({ word, run }));
}
