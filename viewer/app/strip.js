// Who typed what, in the colours of their kinds.

import { el } from './dom.js';
import { exact } from './text.js';

const KEPT_MAX = 500;

/// Colours of the marks beside the terminal; those of the page are in its style sheet.
export const COLOURS = { agent: '#9a86f0', person: '#2fa9a0', plugin: '#b98a3c', runtime: '#7d8c96' };

export function strip() {
  const rows = el('ol', { class: 'typed', 'aria-label': 'Who typed what', tabindex: '0' });
  const empty = el('p', { class: 'empty small' }, 'Nobody has typed since you came.');
  return {
    node: el('div', { class: 'strip', role: 'log', 'aria-live': 'off', 'aria-label': 'Who typed what' }, empty, rows),
    clear: () => {
      rows.replaceChildren();
      empty.hidden = false;
    },
    /// Adds what somebody typed; `when` is a text for the time. Gives the row.
    add: (by, text, when) => {
      empty.hidden = true;
      const isAtEnd = rows.scrollHeight - rows.scrollTop - rows.clientHeight < 40;
      const what = text === '[hidden]' ? el('em', { class: 'concealed' }, 'hidden') : exact(text === '' ? '\r' : text);
      const row = el(
        'li',
        { class: by.kind },
        el(
          'span',
          { class: 'by' },
          el('span', { class: `author ${by.kind}` }, by.name),
          el('span', { class: 'kindname' }, by.kind),
          el('time', {}, when),
        ),
        what,
      );
      rows.append(row);
      while (rows.children.length > KEPT_MAX) rows.firstElementChild.remove();
      if (isAtEnd) rows.scrollTop = rows.scrollHeight;
      return row;
    },
  };
}
