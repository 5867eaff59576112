// A strip of cards at the top of the page for what waits for a person. In the list it is whole; at a session what waits for others is a line.

import { button, el, write } from './dom.js';
import { model } from './model.js';

// A click that was meant for what stood there a moment ago decides nothing, nor does the second one of a double click.
const ARMED_AFTER_MS = 700;

/// The card's buttons do nothing for a moment.
function disarm(made) {
  made.armedAt = performance.now() + ARMED_AFTER_MS;
  const buttons = [...made.querySelectorAll('.actions button')];
  // Who goes by keys is where the focus is, wherever that has moved.
  for (const one of buttons) one.disabled = one !== document.activeElement;
  clearTimeout(made.arming);
  made.arming = setTimeout(() => {
    for (const one of buttons) one.disabled = false;
  }, ARMED_AFTER_MS);
}

/// What somebody has said about a card was said; once is enough.
export function said(made) {
  made.saidAt = performance.now();
  disarm(made);
}

export function isSaid(made) {
  return performance.now() - (made.saidAt ?? -Infinity) < ARMED_AFTER_MS;
}

/// `name` is for ids, `items` gives what waits (each with an `id`), `card` an element for one, `says` the heading for a list of them,
/// `address` the hash of the page that one belongs to.
export function waiting(holder, { name, items, card, says, address }) {
  const heading = el('h2', { id: `${name}-heading`, tabindex: '-1' });
  const toggle = button(
    '',
    () => {
      isWhole = !isWhole;
      update();
    },
    { class: 'plain', 'aria-controls': `${name}-items` },
  );
  const cards = el('div', { class: 'items', id: `${name}-items` });
  const section = el(
    'section',
    { 'aria-labelledby': `${name}-heading`, hidden: true },
    el('div', { class: 'line' }, heading, toggle),
    cards,
  );
  const shown = new Map();
  let isWhole = true;
  holder.append(section);
  cards.addEventListener(
    'click',
    (event) => {
      const made = event.target.closest('.approval');
      const isPointed = event.detail > 0 && event.target.closest('.actions button');
      if (!made || !isPointed || performance.now() >= made.armedAt) return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
  /// What has come to stand somewhere else.
  const settle = () => {
    for (const made of shown.values()) {
      const place = `${made.offsetLeft} ${made.offsetTop}`;
      if (made.place !== place) disarm(made);
      made.place = place;
    }
  };
  const moves = new ResizeObserver(settle);
  for (const above of ['top', 'banners', 'questions', 'approvals']) moves.observe(document.getElementById(above));

  const update = () => {
    const open = items();
    const keys = open.map(keyOf);
    for (const [key, made] of shown) {
      if (keys.includes(key)) continue;
      // Whoever has just answered goes on with the next one, not at the top of the page.
      const hadFocus = made.contains(document.activeElement);
      made.remove();
      shown.delete(key);
      if (hadFocus) (open.length > 0 ? heading : document.getElementById('main')).focus();
    }
    for (const [at, item] of open.entries()) {
      // What somebody types there must not be made anew.
      if (shown.has(keys[at])) continue;
      const made = card(item);
      shown.set(keys[at], made);
      cards.append(made);
    }
    let concealed = 0;
    for (const [at, item] of open.entries()) {
      const made = shown.get(keys[at]);
      made.hidden = !isWhole && location.hash !== address(item);
      made.classList.toggle('off', !model.isLive);
      concealed += made.hidden ? 1 : 0;
    }
    write(heading, says(open));
    write(toggle, concealed > 0 ? `Show ${concealed === open.length ? '' : `${concealed} more`}`.trim() : 'Show less');
    toggle.setAttribute('aria-expanded', String(concealed === 0));
    toggle.hidden = concealed === 0 && (!isWhole || isList());
    cards.hidden = concealed === open.length;
    section.hidden = open.length === 0;
    settle();
  };
  model.addEventListener('change', update);
  model.addEventListener('route', () => {
    isWhole = isList();
    update();
  });
}

/// All that a card shows: another process begins to count its ids anew, and a caller may give another reason.
function keyOf(item) {
  return JSON.stringify([model.mayType, { ...item, until: 0, seconds_left: 0 }]);
}

function isList() {
  return document.body.dataset.view === 'list';
}

/// The page of a session.
export function addressOf(session) {
  return `#/session/${encodeURIComponent(session)}`;
}
