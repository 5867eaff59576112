// The page: its parts, and which of them is shown at which address.

import './strict.js';
import { approvals } from './approvals.js';
import { questions } from './questions.js';
import { el, toast } from './dom.js';
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
let at = null;

function show() {
  if (at === location.hash) return;
  at = location.hash;
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
  entitle();
  model.dispatchEvent(new Event('route'));
}

/// A tab that is not looked at tells by its title what waits.
function entitle() {
  const waiting = model.approvals.length + model.questions.length;
  const isOld = model.isKnown && !model.isLive;
  const first = isOld ? 'not connected - ' : waiting > 0 ? `(${waiting}) ` : model.panic ? 'agents stopped - ' : '';
  const title = first + (shown?.title ? `${shown.title} - jackfield` : 'jackfield');
  if (document.title !== title) document.title = title;
}

/// What was done or refused is told wherever one is; what a page waits for itself, in its place.
function tell({ detail }) {
  if (detail.is === 'done') toast(detail.text);
  else if (detail.is === 'refused' && !shown?.refused?.(detail.why)) toast(detail.why, 'refused');
}

apply();
top(document.getElementById('top'));
banners(document.getElementById('banners'));
questions(document.getElementById('questions'));
approvals(document.getElementById('approvals'));
keys(() => shown);
addEventListener('hashchange', show);
model.addEventListener('go', show);
model.addEventListener('tell', tell);
model.addEventListener('change', () => {
  shown?.update?.();
  entitle();
});
setInterval(tick, 1000);
show();
model.start();
