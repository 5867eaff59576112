// A strip of cards at the top of the page for what waits for a person. In the list it is whole; at a session what waits for others is a line.

import { button, el, write } from './dom.js';
import { model } from './model.js';

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

  const update = () => {
    const open = items();
    const ids = new Set(open.map((item) => item.id));
    for (const [id, made] of shown) {
      if (ids.has(id)) continue;
      // Whoever has just answered goes on with the next one, not at the top of the page.
      const hadFocus = made.contains(document.activeElement);
      made.remove();
      shown.delete(id);
      if (hadFocus) (open.length > 0 ? heading : document.getElementById('main')).focus();
    }
    for (const item of open) {
      // What somebody types there must not be made anew.
      if (shown.has(item.id)) continue;
      const made = card(item);
      shown.set(item.id, made);
      cards.append(made);
    }
    let concealed = 0;
    for (const item of open) {
      const made = shown.get(item.id);
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
  };
  model.addEventListener('change', update);
  model.addEventListener('route', () => {
    isWhole = isList();
    update();
  });
}

function isList() {
  return document.body.dataset.view === 'list';
}

/// The page of a session.
export function addressOf(session) {
  return `#/session/${encodeURIComponent(session)}`;
}
