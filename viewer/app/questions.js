// What servers ask whoever logs in: a one-time code, a new password. The answer goes to the server that asks, and no agent sees it.

import { button, el } from './dom.js';
import { model } from './model.js';
import { addressOf, isSaid, said, waiting } from './waiting.js';

export function questions(holder) {
  waiting(holder, {
    name: 'questions',
    items: () => model.questions,
    card,
    says: (open) => (open.length === 1 ? 'A server asks a person' : `Servers ask ${open.length} questions`),
    address: (question) => addressOf(question.device),
  });
}

function card(question) {
  const name = `${question.prompt} of ${question.device}`;
  const field = el('input', {
    type: question.echo ? 'text' : 'password',
    id: `answer-${question.id}`,
    autocomplete: 'one-time-code',
    autocapitalize: 'off',
    spellcheck: 'false',
    'aria-label': `Answer: ${name}`,
  });
  const form = el(
    'form',
    { class: 'approval question', 'aria-label': name },
    el('p', { class: 'asks' }, el('strong', {}, question.device), ` asks whoever logs in as ${question.user}:`),
    question.about ? el('p', { class: 'told' }, question.about) : null,
    el('label', { for: field.id }, question.prompt),
    model.mayType ? field : null,
    el(
      'p',
      { class: 'actions' },
      el('span', { class: 'left' }, 'No agent sees the answer.'),
      model.mayType ? button('Answer', () => form.requestSubmit(), { class: 'primary', 'aria-label': `Answer ${name}` }) : el('span', {}, 'This link only looks.'),
    ),
  );
  form.onsubmit = (event) => {
    event.preventDefault();
    if (isSaid(form)) return;
    const answer = field.value;
    field.value = '';
    if (model.act({ do: 'answer', id: question.id, answer }, 'The connection is lost: nothing was answered.')) said(form);
  };
  return form;
}
