// Reads recordings: asciicast, version 2.

// A pause that is longer than the first is cut down to the second.
const PAUSE_MAX_S = 2;
const PAUSE_KEPT_S = 0.5;

// Of what a leap passes over only the end is drawn: it fills the scroll-back many times.
const DRAWN_MAX = 8 * 1024 * 1024;

/// `{ width, height, title, events, length, isCut }`; events are `[seconds, code, text]`, in order. Throws a sentence.
export function parse(text) {
  const lines = text.split('\n');
  let head;
  try {
    head = JSON.parse(lines[0]);
  } catch {
    throw new Error('This file does not begin like a recording.');
  }
  if (head?.version !== 2) throw new Error(`This recording is of version ${head?.version}; only version 2 can be played here.`);
  const events = [];
  let isCut = false;
  let last = 0;
  for (const line of lines.slice(1)) {
    if (line.trim() === '') continue;
    let event;
    try {
      event = JSON.parse(line);
    } catch {
      // Its writer was ended in the middle of a line.
      isCut = true;
      break;
    }
    if (!Array.isArray(event) || typeof event[0] !== 'number' || typeof event[2] !== 'string') continue;
    last = Math.max(last, event[0]);
    events.push([last, event[1], event[2]]);
  }
  const [width, height] = [head.width || 80, head.height || 24];
  return { width, height, title: head.title ?? '', began: head.timestamp ?? 0, events, length: last, isCut };
}

/// Plays events in time. `show` gets texts to draw, and `null` to begin anew; `resize` columns and rows. While `isBehind` says that not all of
/// it is drawn yet nothing more is given out; `drawn` goes on.
export class Player {
  position = 0;
  speed = 1;
  skipsPauses = true;
  #next = 0;
  // What is shown is of later than that: it is drawn from the beginning.
  #isAnew = false;
  #frame = 0;
  #last = 0;

  constructor(cast, { show, resize, changed, isBehind = () => false }) {
    Object.assign(this, { cast, show, resize, changed, isBehind });
    this.resize(cast.width, cast.height);
  }

  get isPlaying() {
    return this.#frame !== 0;
  }

  play() {
    if (this.isPlaying) return;
    if (this.position >= this.cast.length) this.seek(0);
    this.#last = performance.now();
    this.#frame = requestAnimationFrame((now) => this.#tick(now));
    this.changed();
  }

  pause() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.changed();
  }

  seek(to) {
    const wanted = Math.min(this.cast.length, Math.max(0, to));
    if (wanted < this.position) {
      this.#next = 0;
      this.#isAnew = true;
    }
    this.position = wanted;
    this.#draw();
    this.changed();
  }

  drawn() {
    this.#draw();
  }

  #tick(now) {
    const passed = Math.max(0, now - this.#last) / 1000;
    this.#last = now;
    this.position = Math.min(this.cast.length, this.position + passed * this.speed);
    const upcoming = this.cast.events[this.#next]?.[0] ?? this.cast.length;
    if (this.skipsPauses && upcoming - this.position > PAUSE_MAX_S) this.position = upcoming - PAUSE_KEPT_S;
    this.#draw();
    this.#frame = this.position < this.cast.length ? requestAnimationFrame((later) => this.#tick(later)) : 0;
    this.changed();
  }

  #draw() {
    // Of many leaps in a row only the newest is drawn: each may be megabytes, of which a terminal takes only so many.
    if (this.isBehind()) return;
    if (this.#isAnew) {
      this.#isAnew = false;
      this.show(null);
      this.resize(this.cast.width, this.cast.height);
    }
    let text = '';
    for (; this.#next < this.cast.events.length && this.cast.events[this.#next][0] <= this.position; this.#next += 1) {
      const [, code, data] = this.cast.events[this.#next];
      if (code === 'o') text += data;
      const size = code === 'r' ? /^(\d+)x(\d+)$/.exec(data) : null;
      if (size) {
        if (text) this.show(text.slice(-DRAWN_MAX));
        text = '';
        this.resize(Number(size[1]), Number(size[2]));
      }
    }
    if (text) this.show(text.slice(-DRAWN_MAX));
  }
}
