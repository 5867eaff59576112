// What the page knows: who it is, the sessions, what waits. Whoever shows some of it listens for `change`.

import { toast } from './dom.js';
import { Wire } from './wire.js';

class Model extends EventTarget {
  wire = new Wire();
  /// `connecting`, `open`, `lost` (with `again`, a moment) or `logged-out`.
  connection = { state: 'connecting' };
  you = '';
  mayType = false;
  version = '';
  sessions = [];
  /// Each with `until`, the moment at which it ends.
  approvals = [];
  /// What servers ask whoever logs in.
  questions = [];
  panic = null;
  devices = [];
  /// Whether the list has come at all.
  isKnown = false;
  /// What this page has asked to be opened, until it is there or was refused.
  opening = null;
  /// Whether it has come over this connection.
  #isFresh = false;

  start() {
    this.wire.addEventListener('state', ({ detail }) => {
      this.connection = detail;
      this.#isFresh = false;
      this.#changed();
    });
    this.wire.addEventListener('tell', ({ detail }) => this.#onTell(detail));
    this.wire.open();
  }

  say(message) {
    return this.wire.say(message);
  }

  /// Says what somebody wants done, or tells them that it is not.
  act(message, otherwise = 'The connection is lost: nothing was done.') {
    const isSaid = this.isLive && this.say(message);
    if (!isSaid) toast(otherwise, 'refused');
    return isSaid;
  }

  open(session) {
    if (!this.act({ do: 'open', session })) return false;
    this.opening = session;
    return true;
  }

  session(name) {
    return this.sessions.find((session) => session.session === name);
  }

  /// What is shown is so now, and what is said about it is about that.
  get isLive() {
    return this.connection.state === 'open' && this.#isFresh;
  }

  #onTell(tell) {
    switch (tell.is) {
      case 'welcome':
        [this.you, this.mayType, this.version] = [tell.you, tell.may_type, tell.version];
        this.say({ do: 'list' });
        break;
      case 'sessions':
        this.sessions = tell.sessions.map(stamped);
        this.approvals = tell.approvals.map((approval) => ({ ...approval, until: Date.now() + approval.seconds_left * 1000 }));
        this.questions = tell.questions ?? [];
        [this.panic, this.devices, this.isKnown] = [tell.panic ?? null, tell.devices, true];
        this.#isFresh = true;
        break;
      case 'state':
        this.sessions = this.sessions.map((session) => (session.session === tell.session.session ? stamped(tell.session) : session));
        break;
    }
    this.dispatchEvent(new CustomEvent('tell', { detail: tell }));
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }
}

/// What ends by itself gets the moment at which it does.
function stamped(session) {
  const left = session.lock.seconds_left;
  return left === undefined ? session : { ...session, lock: { ...session.lock, until: Date.now() + left * 1000 } };
}

export const model = new Model();
