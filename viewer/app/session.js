// One session: its terminal, who types, who may.

import { ask, button, el, fill, toast } from './dom.js';
import { finder } from './finder.js';
import { openDevice } from './list.js';
import { model } from './model.js';
import { drawAbout, drawControls, drawFacts, drawHeld, drawNow, editNote } from './panel.js';
import { COLOURS, strip } from './strip.js';
import { Screen } from './terminal.js';
import { exact, fromBase64 } from './text.js';

const RESIZE_AFTER_MS = 150;

// A browser cannot make a WebSocket wait: what comes faster than it is drawn goes by, and the screen is asked for anew.
const PENDING_MAX_BYTES = 4 * 1024 * 1024;

export async function copy(screen) {
  try {
    await navigator.clipboard.writeText(screen.copied());
    toast('Copied.');
  } catch {
    toast('The browser did not allow copying: select with the mouse and use its own menu.', 'refused');
  }
}

export function session(main, name) {
  const view = new View(main, name);
  return {
    title: name,
    update: () => view.update(),
    end: () => view.end(),
    find: () => view.finder?.open(),
    copy: () => view.screen && copy(view.screen),
    enterTerminal: () => view.screen?.focus(),
    leaveTerminal: () => view.back.focus(),
    note: () => editNote(name),
    refused: (why) => view.refused(why),
  };
}

class View {
  screen = null;
  finder = null;
  #strip = strip();
  /// `null`, or whether the session that was entered was `open` or `closed`, or has `ended` since.
  #entered = null;
  /// The state in which it was refused to enter.
  #refusedAt = null;
  #isShown = false;
  /// Why there is none: how it ended, or why it was not opened.
  #why = null;
  /// Bytes that went by.
  #missed = 0;
  #size = null;
  #timer = 0;

  constructor(main, name) {
    this.name = name;
    this.back = el('a', { class: 'back', href: '#/' }, 'Sessions');
    this.about = el('div', { class: 'about' });
    this.now = el('p', { class: 'nowline' });
    this.host = el('div', { class: 'host' });
    this.over = el('div', { class: 'over', hidden: true, role: 'status' });
    this.held = el('div', { class: 'held', role: 'status' });
    this.facts = el('div', { class: 'facts' });
    this.controls = el('div', { class: 'controls', role: 'toolbar', 'aria-label': 'Session' });
    this.frame = el('div', { class: 'frame' }, this.host, this.over);
    main.append(
      el(
        'article',
        { class: 'session' },
        el('header', {}, this.back, el('h1', {}, name), this.about, this.now),
        this.controls,
        el(
          'div',
          { class: 'work' },
          el('div', { class: 'stage' }, this.frame, this.held),
          el('aside', { 'aria-label': 'About this session' }, this.facts, el('h2', {}, 'Who typed what'), this.#strip.node),
        ),
      ),
    );
    this.onTell = ({ detail }) => this.#onTell(detail);
    model.addEventListener('tell', this.onTell);
    this.update();
  }

  end() {
    model.removeEventListener('tell', this.onTell);
    clearTimeout(this.#timer);
    if (this.#entered) model.say({ do: 'leave' });
    this.screen?.close();
  }

  update() {
    const session = model.session(this.name);
    if (!model.isLive) this.#entered = null;
    this.frame.classList.toggle('old', !model.isLive);
    if (!model.isKnown) return this.#say('Fetching the session.');
    if (!session) return this.#absent();
    if (session.state !== 'closed' && this.#isOpening) model.opening = null;
    if (!session.has_terminal) this.#say('This lane runs single programs: it has no terminal. What they print is in the log.');
    else if (model.isLive) this.#follow(session);
    this.#draw(session);
  }

  /// Enters the session, and again when it was opened anew.
  #follow(session) {
    const now = session.state === 'closed' ? 'closed' : 'open';
    if (this.#entered === 'ended' && now === 'closed') this.#entered = 'closed';
    const isNew = this.#entered === null || (this.#entered === 'closed' && now === 'open');
    const isOther = this.#refusedAt !== null && this.#refusedAt !== session.state;
    if (!isNew && !isOther) return;
    this.#entered = now;
    this.#refusedAt = null;
    this.#enter();
  }

  #enter() {
    if (!this.screen) {
      this.screen = new Screen(this.host, {
        mayType: model.mayType,
        label: `Terminal of ${this.name}`,
        onType: (bytes) => {
          if (!model.wire.type(bytes)) toast('The connection is lost: nothing was typed.', 'refused');
        },
        onSize: (columns, rows) => this.#onSize(columns, rows),
        onLines: (text, paste) => this.#onLines(text, paste),
      });
      this.finder = finder(this.screen);
      this.frame.append(this.finder.node);
    }
    this.#strip.clear();
    this.#ask();
  }

  #ask() {
    const [columns, rows] = this.#size ?? [0, 0];
    model.say({ do: 'enter', session: this.name, columns, rows });
  }

  #onSize(columns, rows) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#size = [columns, rows];
      model.say({ do: 'resize', columns, rows });
    }, RESIZE_AFTER_MS);
  }

  #onLines(text, paste) {
    const lines = text.trim().split(/\r\n|\r|\n/).length;
    const shown = el('pre', { tabindex: '0', 'aria-label': 'Exactly what would be typed' }, exact(text));
    const hint = el('p', { class: 'hint' }, 'Each of them may run as soon as it is there.');
    ask({ title: `Paste ${lines} lines into ${this.name}?`, body: [shown, hint], action: 'Paste', done: paste });
  }

  #onTell(tell) {
    if (tell.is === 'screen') this.#redraw(tell);
    // A list that comes after the end knows of it: what is open there is another session.
    else if (tell.is === 'sessions' && this.#entered === 'ended') this.#entered = 'closed';
    // What comes before the first screen is of the session that was shown before.
    else if (!this.#isShown) return;
    else if (tell.is === 'output') this.#output(fromBase64(tell.data));
    else if (tell.is === 'typed') this.#typed(tell);
    else if (tell.is === 'ended') {
      this.#entered = 'ended';
      this.#why = `This session is over: ${tell.why}.`;
      this.#say(this.#why, model.mayType ? button('Open it again', () => this.#open()) : null);
    }
  }

  #redraw({ session, columns, rows, data, skipped }) {
    // That of a session that was shown before may come late.
    if (!this.screen || session !== this.name) return;
    this.#say(null);
    this.#why = null;
    if (!this.#isShown) this.screen.reset(columns, rows);
    this.screen.redraw(columns, rows, fromBase64(data), this.#isShown ? skipped + this.#missed : 0);
    this.#missed = 0;
    // Whoever opens a session to type does not have to look for the place; a phone would open its keyboard.
    if (!this.#isShown && model.mayType && matchMedia('(hover: hover)').matches) this.screen.focus();
    this.#isShown = true;
  }

  #output(bytes) {
    if (this.#missed === 0 && this.screen.pending < PENDING_MAX_BYTES) return this.screen.write(bytes);
    if (this.#missed === 0) {
      this.screen.onDrawn = () => {
        this.screen.onDrawn = () => {};
        this.#ask();
      };
    }
    this.#missed += bytes.length;
  }

  /// Takes what is refused of what this page waits for: to be opened, or shown.
  refused(why) {
    const isOpening = this.#isOpening;
    if (!isOpening && (this.#isShown || !this.#entered)) return false;
    if (isOpening) model.opening = null;
    this.#refusedAt = model.session(this.name)?.state ?? null;
    this.#why = `Refused: ${why}`;
    this.#say(this.#why);
    return true;
  }

  #typed({ by, text }) {
    const time = new Date().toLocaleTimeString([], { hourCycle: 'h23' });
    const row = this.#strip.add(by, text, time);
    this.screen.mark(COLOURS[by.kind], (show) => {
      row.querySelector('.by').append(button('Show', show, { class: 'plain', 'aria-label': 'Show where in the terminal' }));
    });
  }

  #open() {
    // It is entered when it is there.
    if (model.open(this.name)) this.#say('Opening.');
  }

  get #isOpening() {
    return model.opening === this.name;
  }

  /// A sentence over the terminal, or none.
  #say(text, ...more) {
    this.over.hidden = text === null;
    if (text !== null) fill(this.over, [text, more.map((one) => one?.textContent ?? '')], () => [el('p', {}, text), ...more]);
  }

  #absent() {
    const isDevice = model.devices.includes(this.name.split('#')[0]);
    const can = model.mayType && model.isLive;
    if (this.#isOpening) this.#say('Opening.');
    else
      this.#say(
        this.#why ?? `There is no session ${this.name}.`,
        can && isDevice ? button(this.#why ? 'Open it again' : 'Open it', () => this.#open(), { class: 'primary' }) : null,
        can && !isDevice ? button('Open a device', openDevice) : null,
      );
    // What was known of it is not so any more.
    for (const node of [this.about, this.now, this.held, this.facts]) fill(node, null, () => []);
    this.held.className = 'held';
    this.controls.hidden = true;
    this.#entered = null;
  }

  #draw(session) {
    this.controls.hidden = false;
    drawAbout(this.about, session);
    drawNow(this.now, session);
    drawHeld(this.held, session);
    drawFacts(this.facts, session);
    drawControls(this.controls, session, Boolean(this.screen?.isFitted), {
      fit: () => this.#toggleFit(),
      search: () => this.finder?.open(),
      copy: () => this.screen && copy(this.screen),
      open: () => this.#open(),
    });
  }

  #toggleFit() {
    this.screen.isFitted = !this.screen.isFitted;
    if (!this.screen.isFitted) this.#size = null;
    this.update();
  }
}
