// What waits for a person: each with exactly what would be typed.

import { button, el } from './dom.js';
import { model } from './model.js';
import { exact, isPlain, until } from './text.js';
import { addressOf, isSaid, said, waiting } from './waiting.js';

export function approvals(holder) {
  waiting(holder, {
    name: 'approvals',
    items: () => model.approvals,
    card,
    says: (open) => (open.length === 1 ? 'One command waits for a person' : `${open.length} commands wait for a person`),
    address: (approval) => addressOf(approval.target),
  });
}

function card(approval) {
  const decide = (allow) => () => {
    if (isSaid(made)) return;
    if (model.act({ do: 'decide', id: approval.id, allow }, 'The connection is lost: nothing was decided.')) said(made);
  };
  const name = `${approval.caller} on ${approval.target}`;
  const allow = button('Allow once', decide(true), { class: 'primary', 'aria-label': `Allow once: ${name}` });
  const deny = button('Deny', decide(false), { 'aria-label': `Deny: ${name}` });
  const made = el(
    'article',
    { class: 'approval', 'aria-label': name },
    el(
      'p',
      { class: 'asks' },
      el('span', { class: 'author agent' }, approval.caller),
      ' wants to type into ',
      el('a', { href: addressOf(approval.target) }, approval.target),
      approval.cwd ? [' in ', exact(approval.cwd)] : null,
      el('span', { class: 'reason' }, `: ${approval.reason}`),
    ),
    el('pre', { tabindex: '0', 'aria-label': 'Exactly what would be typed' }, exact(approval.text)),
    approval.why ? el('p', {}, 'The reason that it gives: ', exact(approval.why)) : null,
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
  return made;
}
