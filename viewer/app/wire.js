// The WebSocket. When it is lost it is opened again, after pauses that grow.

const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 15000;
const TYPED_MAX_BYTES = 32 * 1024;

// A tunnel keeps its near end open when the far one is out of reach, and a browser is told nothing of it: who has heard nothing for long
// asks. The answer may come behind a large screen on a slow line.
const QUIET_MS = 20000;
const ANSWER_MAX_MS = 60000;
const CONNECT_MAX_MS = 20000;

import { toBase64 } from './text.js';

export class Wire extends EventTarget {
  #socket = null;
  #failures = 0;
  #timer = 0;
  #watch = 0;

  open() {
    clearTimeout(this.#timer);
    // There is one at a time: what two are told would be shown twice.
    this.#socket?.close();
    this.#state('connecting');
    const socket = new WebSocket(`ws://${location.host}/ws`);
    this.#socket = socket;
    this.#giveUpAfter(socket, CONNECT_MAX_MS);
    socket.onopen = () => {
      if (this.#socket !== socket) return;
      this.#failures = 0;
      this.#askAfterSilence(socket);
      this.#state('open');
    };
    socket.onmessage = ({ data }) => {
      // What was still on its way when another connection was begun is not of now.
      if (this.#socket !== socket) return;
      this.#askAfterSilence(socket);
      this.dispatchEvent(new CustomEvent('tell', { detail: JSON.parse(data) }));
    };
    socket.onclose = ({ reason }) => {
      if (this.#socket === socket) this.#lost(reason);
    };
  }

  /// Says it, or says that it cannot.
  say(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /// Typed bytes, in messages that are not too long.
  type(bytes) {
    for (let from = 0; from < bytes.length; from += TYPED_MAX_BYTES) {
      const data = toBase64(bytes.subarray(from, from + TYPED_MAX_BYTES));
      if (!this.say({ do: 'type', data })) return false;
    }
    return true;
  }

  #askAfterSilence(socket) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      this.say({ do: 'list' });
      this.#giveUpAfter(socket, ANSWER_MAX_MS);
    }, QUIET_MS);
  }

  #giveUpAfter(socket, ms) {
    clearTimeout(this.#watch);
    this.#watch = setTimeout(() => {
      if (this.#socket !== socket) return;
      socket.close();
      // That waits for the other end, which is not there.
      this.#lost('Nothing has come for a while');
    }, ms);
  }

  async #lost(reason) {
    clearTimeout(this.#watch);
    this.#socket = null;
    this.#state('lost', { reason });
    // A WebSocket does not tell why it was refused.
    const answer = await fetch('/me', { signal: AbortSignal.timeout(CONNECT_MAX_MS) }).catch(() => null);
    // Somebody did not wait for the answer, and it is being opened again.
    if (this.#socket) return;
    if (answer?.status === 401) {
      this.#state('logged-out');
      return;
    }
    const pause = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** this.#failures) * (0.75 + Math.random() / 2);
    this.#failures += 1;
    this.#state('lost', { reason, again: Date.now() + pause });
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), pause);
  }

  #state(state, detail = {}) {
    this.dispatchEvent(new CustomEvent('state', { detail: { state, ...detail } }));
  }
}
