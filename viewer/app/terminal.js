// A terminal on the page: draws what it is told, in the size of the session or of the window.

import { Terminal } from '/vendor/xterm.mjs';
import { FitAddon } from '/vendor/addon-fit.mjs';
import { SearchAddon } from '/vendor/addon-search.mjs';
import { Unicode11Addon } from '/vendor/addon-unicode11.mjs';
import { foundColours, terminalColours, theme } from './theme.js';

const FONT = 'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';
const FONT_PX = 13;
const FONT_MIN_PX = 8;
const FONT_MAX_PX = 18;
const SCROLL_BACK_ROWS = 10000;
const PENDING_MIN_BYTES = 64 * 1024;

// Back to a plain state: no mouse reports, no application keys, the first screen.
const PLAIN = '\x1b[?1000;1002;1003;1006;1004;2004;1;1049l\x1b>\x1b[!p';
const CLEAR = '\x1b[2J\x1b[H';
const NO_PAST = '\x1b[3J';

export const screenReader = {
  get isOn() {
    return localStorage.getItem('jackfield-screen-reader') === 'on';
  },
  set isOn(on) {
    localStorage.setItem('jackfield-screen-reader', on ? 'on' : 'off');
  },
};

export class Screen {
  /// Bytes that are not drawn yet.
  pending = 0;
  /// Called when most of it is drawn.
  onDrawn = () => {};
  #fit = new FitAddon();
  #observer;
  #isFitted = false;
  #columns = 80;
  #rows = 24;
  #onTheme = () => {
    this.terminal.options.theme = terminalColours();
  };

  /// `onType` gets bytes that were typed; `onSize` the columns and rows that fit into the window; `onLines` a text of several lines that
  /// is pasted where each would run at once, and what pastes it.
  constructor(host, { mayType = false, onType = () => {}, onSize = () => {}, onLines = null, label }) {
    this.host = host;
    this.onSize = onSize;
    this.terminal = new Terminal({
      allowProposedApi: true,
      allowTransparency: false,
      cursorBlink: false,
      cursorInactiveStyle: 'outline',
      disableStdin: !mayType,
      fontFamily: FONT,
      fontSize: FONT_PX,
      macOptionIsMeta: true,
      minimumContrastRatio: 4,
      overviewRuler: { width: 10 },
      screenReaderMode: screenReader.isOn,
      scrollback: SCROLL_BACK_ROWS,
      theme: terminalColours(),
    });
    this.search = new SearchAddon();
    for (const addon of [this.#fit, this.search, new Unicode11Addon()]) this.terminal.loadAddon(addon);
    this.terminal.unicode.activeVersion = '11';
    this.terminal.open(host);
    this.terminal.textarea.setAttribute('aria-label', label);
    this.#answerNothing();
    // What tells a program that the window has the focus is nobody's typing.
    this.terminal.onData((text) => text !== '\x1b[I' && text !== '\x1b[O' && onType(new TextEncoder().encode(text)));
    this.terminal.onBinary((text) => onType(Uint8Array.from(text, (letter) => letter.charCodeAt(0))));
    this.terminal.attachCustomKeyEventHandler((event) => {
      const isOurs = event.ctrlKey && event.shiftKey && !event.altKey && event.key !== 'Control' && event.key !== 'Shift';
      // Who only looks is not held by the terminal.
      return !isOurs && (mayType || event.key !== 'Tab');
    });
    if (onLines && mayType) host.addEventListener('paste', (event) => this.#onPaste(event, onLines), true);
    theme.addEventListener('change', this.#onTheme);
    this.#observer = new ResizeObserver(() => this.#layout());
    this.#observer.observe(host);
  }

  close() {
    theme.removeEventListener('change', this.#onTheme);
    this.#observer.disconnect();
    this.terminal.dispose();
  }

  /// Everything anew: another session.
  reset(columns, rows) {
    this.terminal.reset();
    this.resize(columns, rows);
  }

  /// The screen anew. What draws it brings what scrolled away: that it is kept would show everything twice.
  redraw(columns, rows, data, skipped) {
    this.write(PLAIN + CLEAR + NO_PAST);
    if (skipped > 0) {
      this.write(`\x1b[7m ${skipped} bytes went by too fast for this browser; they are in the log \x1b[27m`);
      this.write('\r\n'.repeat(this.#rows));
      this.write(CLEAR);
    }
    this.resize(columns, rows);
    this.write(data);
  }

  resize(columns, rows) {
    [this.#columns, this.#rows] = [columns, rows];
    if (this.terminal.cols !== columns || this.terminal.rows !== rows) this.terminal.resize(columns, rows);
    if (this.host.clientWidth === 0) return;
    // Somebody else's window may be the one that counts now: two that asked again each time would never end.
    const own = this.#isFitted ? this.#fitting() : null;
    if (!own || own.cols !== columns || own.rows !== rows) this.#scale();
  }

  /// The same once everything so far is drawn.
  resizeThen(columns, rows) {
    this.terminal.write('', () => this.terminal.element?.isConnected && this.resize(columns, rows));
  }

  write(data) {
    this.pending += data.length;
    this.terminal.write(data, () => {
      this.pending -= data.length;
      if (this.pending < PENDING_MIN_BYTES) this.onDrawn();
    });
  }

  focus() {
    this.terminal.focus();
  }

  get isFitted() {
    return this.#isFitted;
  }

  /// The session takes the window's size, or the letters take the session's.
  set isFitted(on) {
    this.#isFitted = on;
    this.#layout();
  }

  /// A mark at the row where the cursor is once everything so far is drawn.
  mark(colour, done) {
    this.terminal.write('', () => {
      const marker = this.terminal.registerMarker(-1) ?? this.terminal.registerMarker(0);
      if (!marker) return;
      this.terminal.registerDecoration({ marker, overviewRulerOptions: { color: colour, position: 'left' } });
      done(() => !marker.isDisposed && this.terminal.scrollToLine(Math.max(0, marker.line - 3)));
    });
  }

  find(text, backwards) {
    const options = { decorations: foundColours(), incremental: false };
    return backwards ? this.search.findPrevious(text, options) : this.search.findNext(text, options);
  }

  /// The selection; without one, all that is here.
  copied() {
    if (this.terminal.hasSelection()) return this.terminal.getSelection();
    this.terminal.selectAll();
    const all = this.terminal.getSelection();
    this.terminal.clearSelection();
    return all.trimEnd() + '\n';
  }

  #layout() {
    if (this.host.clientWidth === 0) return;
    if (!this.#isFitted) {
      this.#scale();
      return;
    }
    const size = this.#fitting();
    if (size && (size.cols !== this.#columns || size.rows !== this.#rows))
      this.onSize(Math.min(size.cols, 1000), Math.min(size.rows, 1000));
  }

  /// What fits into the window, in letters of the usual size.
  #fitting() {
    this.terminal.options.fontSize = FONT_PX;
    return this.#fit.proposeDimensions();
  }

  #onPaste(event, onLines) {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    // A program that is told what is pasted does not run it line by line.
    if (!/[\r\n]/.test(text.trim()) || this.terminal.modes.bracketedPasteMode) return;
    event.preventDefault();
    event.stopPropagation();
    onLines(text, () => this.terminal.element?.isConnected && this.terminal.paste(text));
  }

  /// The largest letters with which the session's own size has room.
  #scale() {
    const style = getComputedStyle(this.host);
    const width = this.host.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 14;
    // On a phone the page scrolls, and only the width counts.
    const height =
      style.getPropertyValue('--grows').trim() === 'yes' ? Infinity : this.host.clientHeight - parseFloat(style.paddingTop) * 2;
    const options = this.terminal.options;
    const screen = this.terminal.element.querySelector('.xterm-screen');
    const fits = () => screen.offsetWidth <= width && screen.offsetHeight <= height;
    const wanted = options.fontSize * Math.min(width / screen.offsetWidth, height / screen.offsetHeight);
    const { viewportY, baseY } = this.terminal.buffer.active;
    let size = Math.min(FONT_MAX_PX, Math.max(FONT_MIN_PX, Math.floor(wanted * 2) / 2 + 0.5));
    for (;;) {
      if (options.fontSize !== size) options.fontSize = size;
      if (size <= FONT_MIN_PX || fits()) break;
      size -= 0.5;
    }
    // Other letters keep the pixels that were scrolled, not the rows.
    if (viewportY !== baseY) requestAnimationFrame(() => this.terminal.element?.isConnected && this.terminal.scrollToLine(viewportY));
  }

  /// Questions of a program about the terminal are the session's to answer: every browser's answer would be typed once more.
  #answerNothing() {
    const { parser } = this.terminal;
    const never = () => true;
    for (const id of [
      { final: 'c' },
      { prefix: '>', final: 'c' },
      { prefix: '=', final: 'c' },
      { final: 'n' },
      { prefix: '?', final: 'n' },
      { prefix: '>', final: 'q' },
      { intermediates: '$', final: 'p' },
      { prefix: '?', intermediates: '$', final: 'p' },
      { final: 't' },
    ]) {
      parser.registerCsiHandler(id, never);
    }
    parser.registerDcsHandler({ intermediates: '$', final: 'q' }, never);
    for (const code of [4, 10, 11, 12, 52]) parser.registerOscHandler(code, (data) => code === 52 || data.includes('?'));
  }
}
