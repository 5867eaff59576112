// What waits for a person: each with exactly what would be typed.

import { button, el, toast, write } from './dom.js';
import { model } from './model.js';
import { exact, isPlain, until } from './text.js';

// A click that was meant for what stood there a moment ago decides nothing.
const ARMED_AFTER_MS = 700;

export function approvals(holder) {
  const heading = el('h2', { id: 'approvals-heading', tabindex: '-1' });
  const toggle = button(
    '',
    () => {
      isWhole = !isWhole;
      update();
    },
    { class: 'plain', 'aria-controls': 'approvals-items' },
  );
  const items = el('div', { class: 'items', id: 'approvals-items' });
  const section = el(
    'section',
    { 'aria-labelledby': 'approvals-heading', hidden: true },
    el('div', { class: 'line' }, heading, toggle),
    items,
  );
  const shown = new Map();
  let isWhole = true;
  holder.append(section);

  const update = () => {
    const waiting = model.approvals;
    const ids = new Set(waiting.map((approval) => approval.id));
    for (const [id, card] of shown) {
      if (ids.has(id)) continue;
      // Whoever has just decided goes on with the next one, not at the top of the page.
      const hadFocus = card.contains(document.activeElement);
      card.remove();
      shown.delete(id);
      if (hadFocus) (waiting.length > 0 ? heading : document.getElementById('main')).focus();
    }
    for (const approval of waiting) {
      if (shown.has(approval.id)) continue;
      const made = card(approval);
      shown.set(approval.id, made);
      items.append(made);
    }
    let concealed = 0;
    for (const approval of waiting) {
      const made = shown.get(approval.id);
      made.hidden = !isWhole && location.hash !== addressOf(approval);
      made.classList.toggle('off', !model.isLive);
      concealed += made.hidden ? 1 : 0;
    }
    write(heading, waiting.length === 1 ? 'One command waits for a person' : `${waiting.length} commands wait for a person`);
    write(toggle, concealed > 0 ? `Show ${concealed === waiting.length ? '' : `${concealed} more`}`.trim() : 'Show less');
    toggle.setAttribute('aria-expanded', String(concealed === 0));
    toggle.hidden = concealed === 0 && (!isWhole || isList());
    items.hidden = concealed === waiting.length;
    section.hidden = waiting.length === 0;
  };
  model.addEventListener('change', update);
  // At a session the room is its own: what waits for others stays a line.
  model.addEventListener('route', () => {
    isWhole = isList();
    update();
  });
}

function isList() {
  return document.body.dataset.view === 'list';
}

function addressOf(approval) {
  return `#/session/${encodeURIComponent(approval.target)}`;
}

function card(approval) {
  const decide = (allow) => () => {
    if (!model.say({ do: 'decide', id: approval.id, allow })) toast('The connection is lost: nothing was decided.', 'refused');
  };
  const name = `${approval.caller} on ${approval.target}`;
  const allow = button('Allow once', decide(true), { class: 'primary', 'aria-label': `Allow once: ${name}` });
  const deny = button('Deny', decide(false), { 'aria-label': `Deny: ${name}` });
  const armed = [allow, deny];
  for (const one of armed) one.disabled = true;
  if (model.mayType)
    setTimeout(
      () =>
        armed.forEach((one) => {
          one.disabled = false;
        }),
      ARMED_AFTER_MS,
    );
  return el(
    'article',
    { class: 'approval', 'aria-label': name },
    el(
      'p',
      { class: 'asks' },
      el('span', { class: 'author agent' }, approval.caller),
      ' wants to type into ',
      el('a', { href: addressOf(approval) }, approval.target),
      el('span', { class: 'reason' }, `: ${approval.reason}`),
    ),
    el('pre', { tabindex: '0', 'aria-label': 'Exactly what would be typed' }, exact(approval.text)),
    isPlain(approval.text)
      ? null
      : el(
          'p',
          { class: 'warning' },
          'It has characters that are not visible, or not plain ASCII: they stand above by name, or are underlined.',
        ),
    el(
      'p',
      { class: 'actions' },
      el('span', { class: 'left' }, 'ends in ', until(approval.until)),
      model.mayType ? [deny, allow] : el('span', {}, 'This link only looks.'),
    ),
  );
}
