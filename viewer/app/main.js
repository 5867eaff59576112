// The page: its parts, and which of them is shown at which address.

import './strict.js';
import { approvals } from './approvals.js';
import { questions } from './questions.js';
import { el } from './dom.js';
import { keys } from './keys.js';
import { list } from './list.js';
import { model } from './model.js';
import { recordings } from './recordings.js';
import { replay } from './replay.js';
import { session } from './session.js';
import { tick } from './text.js';
import { apply } from './theme.js';
import { banners, top } from './top.js';

// Each makes its part of `main`, and gives what ends it.
const ROUTES = [
  [/^#\/session\/([^/]+)$/, session],
  [/^#\/recordings\/([^/]+)$/, replay],
  [/^#\/recordings$/, recordings],
  [/^(#\/?)?$/, list],
];

const main = document.getElementById('main');
let shown = null;

function show() {
  shown?.end();
  main.replaceChildren();
  document.querySelectorAll('dialog').forEach((dialog) => dialog.close());
  const found = ROUTES.map(([pattern, view]) => [pattern.exec(location.hash), view]).find(([match]) => match);
  if (!found) {
    main.append(el('p', { class: 'empty' }, 'There is no such page. ', el('a', { href: '#/' }, 'All sessions')));
    shown = null;
  } else {
    const [match, view] = found;
    document.body.dataset.view = view.name;
    shown = view(main, decodeURIComponent(match[1] ?? ''));
  }
  document.title = shown?.title ? `${shown.title} - jackfield` : 'jackfield';
  model.dispatchEvent(new Event('route'));
}

apply();
top(document.getElementById('top'));
banners(document.getElementById('banners'));
questions(document.getElementById('questions'));
approvals(document.getElementById('approvals'));
keys(() => shown);
addEventListener('hashchange', show);
model.addEventListener('change', () => shown?.update?.());
setInterval(tick, 1000);
show();
model.start();
