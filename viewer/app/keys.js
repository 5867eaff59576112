// Keys of the page, and the list of them.

import { button, el } from './dom.js';
import { openDevice } from './list.js';
import { model } from './model.js';
import { screenReader } from './terminal.js';
import { next } from './theme.js';
import { stopAgents } from './top.js';

const LIST = [
  [
    'Everywhere',
    [
      ['?', 'this list'],
      ['s', 'sessions'],
      ['r', 'recordings'],
      ['o', 'open a device'],
      ['a', 'to what waits for a person'],
      ['d', 'dark, light or as the system'],
      ['/', 'filter or search'],
      ['Ctrl+Shift+X', 'stop all input of agents'],
    ],
  ],
  [
    'In lists',
    [
      ['j, k or arrows', 'next, previous row'],
      ['Enter', 'open the row'],
    ],
  ],
  [
    'At a session',
    [
      ['t', 'into the terminal: keys go to the session'],
      ['Ctrl+Shift+L', 'out of the terminal'],
      ['Ctrl+Shift+F', 'search'],
      ['Ctrl+Shift+C', 'copy the selection, or all'],
      ['Ctrl+Shift+V', 'paste'],
      ['Shift+PageUp/Down', 'scroll back and forth'],
      ['n', 'note'],
    ],
  ],
  [
    'In a recording',
    [
      ['Space', 'play, pause'],
      ['arrows', '5 s back, forth'],
      ['[ and ]', 'previous, next command'],
      ['< and >', 'slower, faster'],
      ['Home, End', 'beginning, end'],
    ],
  ],
];

export function help() {
  if (document.querySelector('dialog.help')) return;
  const reader = el('input', {
    type: 'checkbox',
    checked: screenReader.isOn,
    onchange: () => {
      screenReader.isOn = reader.checked;
    },
  });
  const dialog = el(
    'dialog',
    { class: 'help', 'aria-label': 'Keys' },
    el('h2', {}, 'Keys'),
    el(
      'div',
      { class: 'groups' },
      LIST.map(([title, keys]) =>
        el(
          'section',
          {},
          el('h3', {}, title),
          el(
            'dl',
            {},
            keys.map(([key, what]) => [el('dt', {}, el('kbd', {}, key)), el('dd', {}, what)]),
          ),
        ),
      ),
    ),
    el('label', { class: 'check' }, reader, 'terminals for screen readers, from the next session that is opened'),
    el(
      'div',
      { class: 'actions' },
      el('span', { class: 'none' }, model.version ? `jackfield ${model.version}` : ''),
      button('Close', () => dialog.close(), { class: 'primary' }),
    ),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

/// `view` tells what is shown now.
export function keys(view) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.altKey || event.metaKey) return;
    const act = event.ctrlKey ? (event.shiftKey ? ctrlShift(view(), event) : null) : single(view(), event);
    if (act) {
      event.preventDefault();
      act();
    }
  });
}

function ctrlShift(view, event) {
  const table = { KeyX: stopAgents, KeyF: view?.find, KeyC: view?.copy, KeyL: view?.leaveTerminal };
  return table[event.code];
}

function single(view, event) {
  const target = event.target;
  if (document.querySelector('dialog[open]')) return null;
  if (target.closest('textarea, select, input:not([type=range], [type=checkbox])')) {
    return event.key === 'Escape' && !target.closest('.host') ? () => target.blur() : null;
  }
  const isControl = Boolean(target.closest('button, a, input, summary'));
  const ofView = view?.keys?.[event.key];
  // A button that has the focus keeps its own keys, the time bar its arrows.
  if (ofView && !(event.key === ' ' && isControl)) return ofView;
  const table = {
    '?': help,
    s: () => go('#/'),
    r: () => go('#/recordings'),
    o: openDevice,
    d: next,
    a: toApprovals,
    '/': view?.find,
    t: view?.enterTerminal,
    n: view?.note,
    j: view?.move && (() => view.move(1)),
    k: view?.move && (() => view.move(-1)),
    ArrowDown: view?.move && (() => view.move(1)),
    ArrowUp: view?.move && (() => view.move(-1)),
  };
  return table[event.key];
}

function go(hash) {
  location.hash = hash;
}

function toApprovals() {
  const first = model.questions.length > 0 ? 'questions' : model.approvals.length > 0 ? 'approvals' : null;
  if (first) document.getElementById(`${first}-heading`).focus();
}
