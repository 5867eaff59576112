// The bar at the top, and what concerns all sessions below it: a lost connection, agents that are stopped.

import { button, el, fill, toast } from './dom.js';
import { help } from './keys.js';
import { model } from './model.js';
import { until } from './text.js';
import { chosen, next, theme } from './theme.js';

export function stopAgents() {
  if (!model.mayType || (model.panic && model.isLive)) return;
  // It is said also before all is known of what is there.
  if (!model.say({ do: 'panic', on: true }))
    toast('The connection is lost: nobody was stopped. `jackfield panic` at a terminal does it.', 'refused');
}

export function top(holder) {
  const sessions = el('a', { href: '#/' }, 'Sessions');
  const records = el('a', { href: '#/recordings' }, 'Recordings');
  const who = el('span', { class: 'who' });
  const colours = button('', next, { class: 'plain', id: 'theme' });
  const panic = button('Stop all agents', stopAgents, { class: 'panic', id: 'panic', 'aria-keyshortcuts': 'Control+Shift+X' });
  panic.title = 'No agent types anywhere until a person says so (Ctrl+Shift+X)';
  holder.append(
    el(
      'a',
      { class: 'brand', href: '#/', 'aria-label': 'jackfield, all sessions' },
      el('img', { src: '/icon.svg', alt: '', width: 20, height: 20 }),
      el('span', {}, 'jackfield'),
    ),
    el('nav', { 'aria-label': 'Pages' }, sessions, records),
    who,
    colours,
    button('Keys', help, { class: 'plain', title: 'Keys of this page (?)', id: 'help' }),
    panic,
  );
  const update = () => {
    const state = model.connection.state;
    const role = model.mayType ? 'may type' : 'only looks';
    fill(who, [state, model.you, role], () => [
      el('span', { class: `dot ${state}`, 'aria-hidden': 'true' }),
      el('span', {}, state === 'open' ? model.you || 'connected' : state === 'connecting' ? 'connecting' : 'not connected'),
      state === 'open' && model.you ? el('span', { class: 'role' }, role) : null,
    ]);
    panic.disabled = !model.mayType || !model.isLive || Boolean(model.panic);
    panic.hidden = model.isKnown && !model.mayType;
    const atRecordings = location.hash.startsWith('#/recordings');
    for (const [link, isHere] of [
      [sessions, !atRecordings],
      [records, atRecordings],
    ]) {
      if (isHere) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
  };
  const name = () => {
    colours.replaceChildren('Theme', el('span', { class: 'wide' }, `: ${chosen()}`));
    colours.setAttribute('aria-label', `Theme: ${chosen()}`);
  };
  theme.addEventListener('change', name);
  for (const event of ['change', 'route']) model.addEventListener(event, update);
  name();
  update();
}

export function banners(holder) {
  const update = () => {
    const { state, again, reason } = model.connection;
    const isOld = model.isKnown && !model.isLive;
    fill(holder, [state, again, model.panic, model.mayType, isOld], () => [
      state === 'logged-out' ? loggedOut() : null,
      state === 'lost' ? lost(again, reason) : null,
      isOld && (state === 'connecting' || state === 'open') ? connecting() : null,
      model.panic && model.isLive ? stopped() : null,
    ]);
  };
  model.addEventListener('change', update);
}

function loggedOut() {
  return el(
    'div',
    { class: 'banner lost', role: 'alert' },
    el(
      'p',
      {},
      el('strong', {}, 'You are not logged in any more. '),
      'Run ',
      el('code', {}, 'jackfield viewer'),
      ' for a new link; it opens a page like this one.',
    ),
  );
}

function lost(again, reason) {
  const when = again ? [' Trying again in ', until(again), '. '] : [' '];
  return el(
    'div',
    { class: 'banner lost', role: 'alert' },
    el('p', {}, el('strong', {}, 'The connection is lost. '), reason ? `${reason}. ` : null, 'What you see may be old.', when),
    button('Try now', () => model.wire.open()),
  );
}

function connecting() {
  return el('div', { class: 'banner lost' }, el('p', {}, el('strong', {}, 'Connecting again. '), 'What you see may be old.'));
}

function stopped() {
  return el(
    'div',
    { class: 'banner stopped', role: 'alert' },
    el('p', {}, el('strong', {}, 'All input of agents is stopped'), ` by ${model.panic}. People may type.`),
    model.mayType ? button('Let agents go on', () => model.act({ do: 'panic', on: false }), { id: 'resume' }) : null,
  );
}
