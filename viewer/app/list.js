// All sessions, one row each.

import { ask, button, el, fill, write } from './dom.js';
import { model } from './model.js';
import { duration, exact, since } from './text.js';
import { STATES, holds, isWaiting } from './words.js';

const PARTS = [
  ['all', 'All', () => true],
  ['running', 'Running', (session) => session.state === 'running'],
  ['waiting', 'Waiting for a person', (session) => isWaiting(session, model.approvals)],
  ['failed', 'With an error', (session) => Boolean(session.last_error)],
  ['closed', 'Closed', (session) => session.state === 'closed'],
];

let part = 'all';

export function openDevice() {
  if (!model.mayType) return;
  const choices = el(
    'datalist',
    { id: 'devices' },
    model.devices.map((device) => el('option', { value: device })),
  );
  const input = el('input', {
    name: 'session',
    list: 'devices',
    required: true,
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    id: 'device',
  });
  const body = [
    el('label', { for: 'device' }, 'Device, or device#name for another session on it'),
    input,
    choices,
    el('p', { class: 'hint' }, model.devices.length > 0 ? `Configured: ${model.devices.join(', ')}` : 'No device is configured.'),
  ];
  ask({
    title: 'Open a session',
    body,
    action: 'Open',
    done: (data) => {
      const name = String(data.get('session')).trim();
      if (!name || !model.open(name)) return;
      location.hash = `#/session/${encodeURIComponent(name)}`;
      // At once: what comes of it is told on that page.
      model.dispatchEvent(new Event('go'));
    },
  });
}

export function list(main) {
  const filter = el('input', {
    type: 'search',
    placeholder: 'Filter',
    'aria-label': 'Filter sessions',
    class: 'filter',
    autocomplete: 'off',
  });
  const chips = el('div', { class: 'chips', role: 'group', 'aria-label': 'Which sessions' });
  const open = button('Open a device', openDevice, { id: 'open', 'aria-keyshortcuts': 'o' });
  const head = el(
    'div',
    { class: 'head row', 'aria-hidden': 'true' },
    ['', 'Session', 'Mode', 'Now', 'Input', 'Here'].map((title) => el('span', {}, title)),
  );
  const rows = el('ul', { class: 'rows', 'aria-label': 'Sessions' });
  const empty = el('p', { class: 'empty' });
  main.append(el('h1', { class: 'hidden' }, 'Sessions'), el('div', { class: 'tools' }, chips, filter, open), head, rows, empty);
  const made = new Map();

  const update = () => {
    const text = filter.value.trim().toLowerCase();
    const chosen = PARTS.find(([name]) => name === part)[2];
    const fits = (session) =>
      [session.session, session.kind, session.note, session.running?.text ?? ''].join('\n').toLowerCase().includes(text);
    const shown = model.sessions
      .filter((session) => chosen(session) && fits(session))
      .sort((one, other) => one.session.localeCompare(other.session));
    const counts = PARTS.map(([name, title, belongs]) => [name, title, model.sessions.filter(belongs).length]);
    fill(chips, [part, counts], () =>
      counts.map(([name, title, count]) => {
        const chip = button(
          [title, el('span', { class: 'count' }, String(count))],
          () => {
            part = name;
            update();
            chips.querySelector('[aria-pressed=true]')?.focus();
          },
          { 'aria-pressed': String(part === name), class: 'chip' },
        );
        return chip;
      }),
    );
    const names = new Set(shown.map((session) => session.session));
    for (const [name, row] of made) {
      if (!names.has(name)) {
        row.item.remove();
        made.delete(name);
      }
    }
    shown.forEach((session, at) => {
      if (!made.has(session.session)) made.set(session.session, row(session.session));
      const { item, draw } = made.get(session.session);
      draw(session);
      if (rows.children[at] !== item) rows.insertBefore(item, rows.children[at] ?? null);
    });
    open.hidden = !model.mayType;
    head.hidden = shown.length === 0;
    empty.hidden = shown.length > 0;
    write(
      empty,
      !model.isKnown
        ? 'The sessions are being fetched.'
        : model.sessions.length > 0
          ? 'No session is like this.'
          : model.mayType
            ? 'No session is open. Open a device, or let an agent do so.'
            : 'No session is open.',
    );
  };
  filter.oninput = update;
  update();
  return { title: 'Sessions', update, end: () => {}, find: () => filter.focus(), move: (step) => move(rows, step) };
}

/// The focus to the next row.
export function move(rows, step) {
  const links = [...rows.querySelectorAll('a.name')];
  const at = links.findIndex((link) => link.closest('li').contains(document.activeElement));
  links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))]?.focus();
}

function row(name) {
  const link = el('a', { class: 'name', href: `#/session/${encodeURIComponent(name)}` });
  const [state, mode, now, input, here] = ['state', 'mode', 'now', 'input', 'here'].map((kind) => el('span', { class: kind }));
  const item = el('li', { class: 'row' }, state, el('span', { class: 'what' }, link), mode, now, input, here);
  const draw = (session) => {
    const waits = model.approvals.filter((approval) => approval.target === session.session).length;
    const [device, ...rest] = session.session.split('#');
    item.dataset.state = session.state;
    item.classList.toggle('waits', waits > 0 || session.state === 'needs_input');
    fill(state, [session.state], () => [
      el('span', { class: `light ${session.state}`, 'aria-hidden': 'true' }),
      el('span', { class: 'word' }, STATES[session.state] ?? session.state),
    ]);
    fill(link, [session.session, session.kind], () => [
      el('strong', {}, device, rest.length > 0 ? el('span', { class: 'part' }, `#${rest.join('#')}`) : null),
      el('span', { class: 'kind' }, session.kind),
    ]);
    fill(mode, [session.mode, session.cwd], () => [
      session.mode || el('span', { class: 'none' }, '-'),
      session.cwd ? el('span', { class: 'cwd' }, session.cwd) : null,
    ]);
    fill(now, [session.running, session.detail, session.last_error, session.note, waits, session.idle_s >= 60 ? session.idle_s : 0], () =>
      doing(session, waits),
    );
    const [kind, short] = holds(session, null);
    fill(input, [kind, short], () => el('span', { class: `hold ${kind}` }, short));
    fill(here, session.guests, () =>
      session.guests.map((guest) =>
        el('span', { class: 'guest', title: `${guest.by}, ${guest.may_type ? 'may type' : 'only looks'}` }, guest.name),
      ),
    );
  };
  return { item, draw };
}

function doing(session, waits) {
  const running = session.running;
  const idle =
    session.state === 'ready' && session.idle_s >= 60 ? el('span', { class: 'none' }, `idle for ${duration(session.idle_s)}`) : null;
  return [
    running
      ? el(
          'span',
          { class: 'running' },
          exact(running.text),
          ' ',
          el('span', { class: `author ${running.by.kind}` }, running.by.name),
          ' ',
          since(running.since_ms),
        )
      : idle,
    waits > 0
      ? el('span', { class: 'waiting' }, waits === 1 ? 'a command waits for approval' : `${waits} commands wait for approval`)
      : null,
    session.detail
      ? el(
          'span',
          { class: session.state === 'needs_input' ? 'waiting' : 'detail' },
          session.state === 'needs_input' ? `asks: ${session.detail}` : session.detail,
        )
      : null,
    session.last_error ? el('span', { class: 'error' }, session.last_error) : null,
    session.note ? el('span', { class: 'note' }, session.note) : null,
  ];
}
