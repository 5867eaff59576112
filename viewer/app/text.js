// Texts as people read them: ages, sizes, and commands in which nothing can hide.

import { el } from './dom.js';

export function bytesOf(text) {
  return new TextEncoder().encode(text);
}

export function toBase64(bytes) {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

export function fromBase64(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/// `42 s`, `3:05 min`, `2:10 h`, `4 d`.
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, '0');
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}:${two(whole % 60)} min`;
  if (whole < 48 * 3600) return `${Math.floor(whole / 3600)}:${two(Math.floor((whole % 3600) / 60))} h`;
  return `${Math.floor(whole / 86400)} d`;
}

/// `1:02:03` or `2:03`, as on a player.
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (number) => String(number).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  const [number, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : bytes < 1e9 ? [bytes / 1e6, 'MB'] : [bytes / 1e9, 'GB'];
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ${unit}`;
}

/// Time that goes on by itself: since a moment of Unix time, or until one.
export function since(ms) {
  return el('time', { class: 'ticks', 'aria-live': 'off', 'data-since': ms }, duration((Date.now() - ms) / 1000));
}

export function until(ms) {
  return el('time', { class: 'ticks', 'aria-live': 'off', 'data-until': ms }, left(ms));
}

/// What is left is rounded up: nothing ends in 0 s.
function left(ms) {
  return duration(Math.ceil((ms - Date.now()) / 1000));
}

/// Called every second.
export function tick() {
  for (const time of document.querySelectorAll('time.ticks')) {
    const { since, until } = time.dataset;
    const text = since ? duration((Date.now() - since) / 1000) : left(until);
    if (time.textContent !== text) time.textContent = text;
  }
}

// Characters that a terminal obeys, that turn the direction of a text, that have no width, or that nobody can tell from a space.
const HIDDEN = new RegExp(
  [
    '[\\p{C}\\p{Zl}\\p{Zp}\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000',
    '\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u3164\\uffa0\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}]',
  ].join(''),
  'u',
);
const NAMES = { '\n': 'Enter', '\r': 'Enter', '\t': 'Tab', '\u001b': 'Esc', '\u007f': 'Backspace' };

function mark(character) {
  const code = character.codePointAt(0);
  const number = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  const named = NAMES[character];
  if (named) return el('span', { class: 'odd', title: number }, named);
  if (code < 0x20) return el('span', { class: 'odd', title: number }, `Ctrl-${String.fromCharCode(code + 0x40)}`);
  return el('span', { class: 'odd alarm', title: 'not visible by itself' }, number);
}

/// A text that is, or was, typed: letter by letter in the order in which it is typed, what is invisible by its name.
export function exact(text) {
  const holder = el('code', { class: 'exact', dir: 'ltr' });
  const trailing = text.length - text.trimEnd().length;
  const end = text.length - trailing;
  let plain = '';
  let at = 0;
  const flush = () => {
    if (plain) holder.append(plain);
    plain = '';
  };
  for (const character of text) {
    const isSpaceAtEnd = character === ' ' && at >= end;
    at += character.length;
    if (HIDDEN.test(character)) {
      flush();
      holder.append(mark(character));
      if (character === '\n') holder.append('\n');
    } else if (isSpaceAtEnd) {
      flush();
      holder.append(el('span', { class: 'odd', title: 'a space at the end' }, 'Space'));
    } else if (character.codePointAt(0) > 0x7e) {
      flush();
      const number = `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, '0')}`;
      holder.append(el('span', { class: 'foreign', title: `${number}, not an ASCII letter` }, character));
    } else {
      plain += character;
    }
  }
  flush();
  return holder;
}

/// Whether a text has characters that are invisible, or look like others.
export function isPlain(text) {
  return /^[\x20-\x7e\n]*$/.test(text);
}
