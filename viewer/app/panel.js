// What stands around a session's terminal: its state, who may type, what can be done.

import { ask, button, el, fill } from './dom.js';
import { model } from './model.js';
import { exact, since, until } from './text.js';
import { STATES, holds } from './words.js';

const LOCK_TIMES = [
  ['', 'until unlocked'],
  ['300', 'for 5 min'],
  ['900', 'for 15 min'],
  ['3600', 'for 1 h'],
];

/// The kind of session, and its state.
export function drawAbout(node, session) {
  const { state, kind, mode, cwd, columns, rows } = session;
  fill(node, [state, kind, mode, cwd, columns, rows], () => [
    el('span', { class: 'state' }, el('span', { class: `light ${state}`, 'aria-hidden': 'true' }), STATES[state] ?? state),
    el('span', {}, kind),
    mode ? el('span', {}, mode) : null,
    cwd ? el('code', {}, cwd) : null,
    el('span', { class: 'none' }, `${columns} x ${rows}`),
  ]);
}

/// What runs, what is asked, what went wrong.
export function drawNow(node, { running, detail, last_error: error, state }) {
  const by = running && el('span', { class: `author ${running.by.kind}` }, running.by.name);
  const asks = state === 'needs_input';
  fill(node, [running, detail, error, asks], () => [
    running ? el('span', { class: 'running' }, by, ' runs ', exact(running.text), ' for ', since(running.since_ms)) : null,
    detail ? el('span', { class: asks ? 'waiting' : 'detail' }, asks ? `asks: ${detail}` : detail) : null,
    error ? el('span', { class: 'error' }, error) : null,
  ]);
}

/// Who holds the input, and whether that leaves room for this browser.
export function drawHeld(node, session) {
  const { lock } = session;
  const [kind, , long] = holds(session, model.panic);
  node.className = `held ${model.mayType ? kind : 'looks'}`;
  fill(node, [long, lock.until, model.mayType, model.isLive], () => [
    el('span', { class: 'word' }, long),
    lock.until && lock.rule !== 'everyone' ? el('span', {}, 'Ends in ', until(lock.until), '.') : null,
    el('span', { class: 'you' }, you(session)),
  ]);
}

function you(session) {
  if (!model.isLive) return 'Not connected.';
  if (!model.mayType) return 'Read-only link: you only look.';
  return session.state === 'closed' ? '' : 'You may type.';
}

/// Its note, and who is there.
export function drawFacts(node, session) {
  const { note, guests, opened_by: opener } = session;
  const about = (guest) => ` ${guest.by}, ${guest.may_type ? 'may type' : 'only looks'}`;
  fill(node, [note, guests, opener], () => [
    note ? [el('h2', {}, 'Note'), el('p', { class: 'note' }, note)] : null,
    el('h2', {}, 'Here'),
    guests.length === 0 ? el('p', { class: 'none' }, 'nobody') : null,
    el(
      'ul',
      { class: 'guests', hidden: guests.length === 0 },
      guests.map((guest) => el('li', {}, guest.name, el('span', { class: 'none' }, about(guest)))),
    ),
    opener ? el('p', { class: 'none' }, 'opened by ', el('span', { class: `author ${opener.kind}` }, opener.name)) : null,
  ]);
}

/// The buttons. `acts` has what concerns the terminal: `fit`, `search`, `copy` and `open`; `isFitted` tells how it is.
export function drawControls(node, session, isFitted, acts) {
  const isOpen = session.state !== 'closed';
  const { rule, holder } = session.lock;
  fill(node, [model.mayType, rule, holder, isOpen, session.has_terminal, isFitted], () => {
    // Another one may have begun before the key arrives.
    const runs = () => model.session(session.session)?.running?.id;
    const interrupt = () => model.act({ do: 'interrupt', session: session.session, command: runs() });
    const how = { id: 'interrupt', title: 'What stops a command on this type of device' };
    return [
      model.mayType && isOpen ? [lockOf(session), button('Interrupt', interrupt, how)] : null,
      session.has_terminal ? looks(isFitted, isOpen, acts) : null,
      model.mayType ? endings(session, isOpen, acts) : null,
    ];
  });
}

function looks(isFitted, isOpen, acts) {
  const everybody = 'The session takes the size of this window, for everybody';
  const all = 'The selection, or all that is here';
  return [
    model.mayType && isOpen ? button('Fit to window', acts.fit, { id: 'fit', 'aria-pressed': String(isFitted), title: everybody }) : null,
    button('Search', acts.search, { id: 'search', 'aria-keyshortcuts': 'Control+Shift+F' }),
    button('Copy', acts.copy, { id: 'copy', title: all, 'aria-keyshortcuts': 'Control+Shift+C' }),
  ];
}

function endings(session, isOpen, acts) {
  return [
    el('span', { class: 'gap' }),
    button('Note', () => editNote(session.session), { id: 'note', 'aria-keyshortcuts': 'n' }),
    isOpen
      ? button('Close session', () => close(session.session), { id: 'close', class: 'danger' })
      : button('Open again', acts.open, { id: 'reopen' }),
  ];
}

function lockOf({ session, lock }) {
  const options = LOCK_TIMES.map(([seconds, title]) => el('option', { value: seconds }, title));
  const times = el('select', { 'aria-label': 'How long', id: 'lock-time' }, options);
  const take = () => {
    const seconds = times.value ? { seconds: Number(times.value) } : {};
    model.act({ do: 'lock', session, rule: 'people', ...seconds });
  };
  const give = () => model.act({ do: 'unlock', session });
  return el(
    'div',
    { class: 'lock', role: 'group', 'aria-label': 'Who may type' },
    button('Everyone', give, { 'aria-pressed': String(lock.rule === 'everyone'), id: 'unlock' }),
    button('People only', take, { 'aria-pressed': String(lock.rule === 'people'), id: 'lock' }),
    lock.rule === 'people' ? null : times,
  );
}

/// Asks for another note.
export function editNote(name) {
  const session = model.session(name);
  if (!session || !model.mayType) return;
  const text = el('textarea', { name: 'text', rows: '5', 'aria-label': 'Note', maxlength: '500', value: session.note ?? '' });
  ask({
    title: `Note for ${name}`,
    action: 'Keep',
    done: (data) => model.act({ do: 'note', session: session.session, text: String(data.get('text')).trim() }),
    body: [text, el('p', { class: 'hint' }, 'People and agents read it. Leave it empty to take it away.')],
  });
}

function close(name) {
  const running = model.session(name)?.running;
  const what = running ? `A command of ${running.by.name} runs there: it ends.` : 'What runs there ends, and its log goes; the history and a recording stay.';
  const done = () => model.act({ do: 'close', session: name });
  ask({ title: `Close ${name}?`, body: el('p', {}, what), action: 'Close session', danger: true, done });
}
