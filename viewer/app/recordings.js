// The list of recordings.

import { el, fill, write } from './dom.js';
import { move } from './list.js';
import { clock, size } from './text.js';

export function recordings(main) {
  const filter = el('input', {
    type: 'search',
    placeholder: 'Filter',
    'aria-label': 'Filter recordings',
    class: 'filter',
    autocomplete: 'off',
  });
  const rows = el('ul', { class: 'rows recordings', 'aria-label': 'Recordings' });
  const head = el(
    'div',
    { class: 'head row recording', 'aria-hidden': 'true' },
    ['Began', 'Session', 'Length', 'Size', ''].map((title) => el('span', {}, title)),
  );
  const empty = el('p', { class: 'empty' }, 'The recordings are being fetched.');
  main.append(
    el('h1', { class: 'hidden' }, 'Recordings'),
    el(
      'div',
      { class: 'tools' },
      el('p', { class: 'hint' }, 'What sessions showed, and what was typed. Secrets stand there by their names.'),
      filter,
    ),
    head,
    rows,
    empty,
  );
  let all = null;
  let isOver = false;

  const update = () => {
    if (!all) return;
    const text = filter.value.trim().toLowerCase();
    const shown = all.filter((recording) => `${recording.title}\n${recording.session}\n${recording.name}`.toLowerCase().includes(text));
    fill(rows, [shown.map((recording) => recording.name)], () => shown.map(row));
    head.hidden = shown.length === 0;
    empty.hidden = shown.length > 0;
    write(
      empty,
      all.length === 0
        ? 'Nothing is recorded. `[audit] recordings = true` in the configuration records every session.'
        : 'No recording is like this.',
    );
  };
  filter.oninput = update;
  head.hidden = true;
  fetch('/recordings')
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
    .then((found) => {
      all = found;
      if (!isOver) update();
    })
    .catch((error) => write(empty, `The recordings could not be fetched (${error.message}). Load the page again.`));
  const end = () => {
    isOver = true;
  };
  return { title: 'Recordings', update, end, find: () => filter.focus(), move: (step) => move(rows, step) };
}

function row(recording) {
  const began = new Date(recording.began_s * 1000);
  const options = { year: 'numeric', month: 'short', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
  return el(
    'li',
    { class: 'row recording' },
    el(
      'span',
      { class: 'when' },
      recording.began_s > 0 ? el('time', { datetime: began.toISOString() }, began.toLocaleString([], options)) : '-',
    ),
    el(
      'span',
      { class: 'what' },
      el(
        'a',
        { class: 'name', href: `#/recordings/${encodeURIComponent(recording.name)}` },
        el('strong', {}, recording.session || recording.name),
        el('span', { class: 'kind' }, recording.title),
      ),
    ),
    el('span', { class: 'length' }, clock(recording.length_s)),
    el('span', { class: 'size' }, size(recording.bytes)),
    el('span', {}, recording.is_open ? el('span', { class: 'running' }, 'still written') : null),
  );
}
