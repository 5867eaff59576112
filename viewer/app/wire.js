// The WebSocket. When it is lost it is opened again, after pauses that grow.

const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 15000;
const TYPED_MAX_BYTES = 32 * 1024;

import { toBase64 } from './text.js';

export class Wire extends EventTarget {
  #socket = null;
  #failures = 0;
  #timer = 0;

  open() {
    clearTimeout(this.#timer);
    // There is one at a time: what two are told would be shown twice.
    this.#socket?.close();
    this.#state('connecting');
    const socket = new WebSocket(`ws://${location.host}/ws`);
    this.#socket = socket;
    socket.onopen = () => {
      this.#failures = 0;
      this.#state('open');
    };
    socket.onmessage = ({ data }) => this.dispatchEvent(new CustomEvent('tell', { detail: JSON.parse(data) }));
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

  async #lost(reason) {
    this.#socket = null;
    this.#state('lost', { reason });
    // A WebSocket does not tell why it was refused.
    const answer = await fetch('/me').catch(() => null);
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
