// A recording in a player: time bar, marks of commands, what was typed.

import { Player, parse } from './cast.js';
import { button, el, write } from './dom.js';
import { finder } from './finder.js';
import { copy } from './session.js';
import { Screen } from './terminal.js';
import { clock, exact } from './text.js';

const SPEEDS = [0.5, 1, 2, 4, 8, 16];
const STEP_S = 5;
// A terminal draws later than it is told: what begins anew must not come before what was told earlier.
const ANEW = '\x1bc';

export function replay(main, name) {
  const over = el('div', { class: 'over', role: 'status' }, el('p', {}, 'Fetching the recording.'));
  const host = el('div', { class: 'host' });
  const title = el('h1', {}, name);
  const about = el('div', { class: 'about' });
  const stage = el('div', { class: 'stage' }, el('div', { class: 'frame' }, host, over));
  const aside = el('aside', { 'aria-label': 'What was typed' });
  main.append(
    el(
      'article',
      { class: 'session replay' },
      el('header', {}, el('a', { class: 'back', href: '#/recordings' }, 'Recordings'), title, about),
      el('div', { class: 'work' }, stage, aside),
    ),
  );
  const view = {
    title: name,
    end: () => {
      view.isOver = true;
    },
  };
  const failed = (error) => over.replaceChildren(el('p', {}, error.message));
  fetch(`/recordings/${encodeURIComponent(name)}`)
    .then(async (answer) => {
      if (!answer.ok) throw new Error(await reason(answer));
      const cast = parse(await answer.text());
      if (view.isOver) return;
      over.hidden = true;
      write(title, cast.title || name);
      const began = cast.began > 0 ? new Date(cast.began * 1000).toLocaleString([], { hourCycle: 'h23' }) : '';
      about.append(
        el('span', {}, began),
        el('span', {}, clock(cast.length)),
        el('span', { class: 'none' }, `${cast.width} x ${cast.height}`),
        cast.isCut ? el('span', { class: 'waiting' }, 'it ends in the middle: its writer was stopped') : '',
      );
      play(view, cast, { host, stage, aside });
    })
    .catch(failed);
  return view;
}

/// The sentence of a page that says no.
async function reason(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
  return page.querySelector('p')?.textContent ?? `The recording could not be fetched (${answer.status}).`;
}

function play(view, cast, { host, stage, aside }) {
  const screen = new Screen(host, { label: 'Recording' });
  const search = finder(screen);
  host.parentElement.append(search.node);
  const toggle = button('Play', () => (player.isPlaying ? player.pause() : player.play()), {
    class: 'primary',
    id: 'play',
    'aria-keyshortcuts': 'Space',
  });
  const time = el('output', { class: 'time', id: 'time' });
  const bar = el('input', {
    type: 'range',
    min: '0',
    max: String(Math.max(cast.length, 0.001)),
    step: '0.01',
    value: '0',
    'aria-label': 'Time',
    class: 'bar',
    id: 'bar',
  });
  const marks = cast.events.filter(([, code]) => code === 'm');
  const speed = el(
    'select',
    { 'aria-label': 'Speed', id: 'speed' },
    SPEEDS.map((factor) => el('option', { value: factor }, `${factor}x`)),
  );
  const pauses = el('input', { type: 'checkbox', checked: true, id: 'pauses' });
  const rows = typed(cast, (at) => player.seek(at));

  const player = new Player(cast, {
    show: (text) => screen.write(text ?? ANEW),
    resize: (columns, lines) => screen.resizeThen(columns, lines),
    isBehind: () => screen.pending > 0,
    changed: () => {
      if (!toggle.isConnected && player) return;
      write(toggle, player?.isPlaying ? 'Pause' : 'Play');
      const position = player?.position ?? 0;
      bar.value = position;
      bar.setAttribute('aria-valuetext', clock(position));
      write(time, `${clock(position)} / ${clock(cast.length)}`);
      follow(rows, position);
    },
  });
  screen.onDrawn = () => player.drawn();
  bar.oninput = () => player.seek(Number(bar.value));
  speed.value = '1';
  speed.onchange = () => {
    player.speed = Number(speed.value);
  };
  pauses.onchange = () => {
    player.skipsPauses = pauses.checked;
  };
  stage.append(
    el(
      'div',
      { class: 'player', role: 'group', 'aria-label': 'Player' },
      toggle,
      time,
      el(
        'div',
        { class: 'track' },
        bar,
        el(
          'div',
          { class: 'marks', 'aria-hidden': 'true' },
          marks.map(([at, , label]) => tickOf(at / Math.max(cast.length, 0.001), label)),
        ),
      ),
      speed,
      el('label', { class: 'check' }, pauses, 'skip pauses'),
      button('Search', search.open),
      button('Copy', () => copy(screen)),
    ),
  );
  aside.append(
    el('h2', {}, 'Commands and typing'),
    rows.length > 0
      ? el(
          'ol',
          { class: 'typed', tabindex: '0', 'aria-label': 'Commands and typing' },
          rows.map(({ node }) => node),
        )
      : el('p', { class: 'empty small' }, 'Nothing was typed.'),
  );
  player.changed();
  Object.assign(view, controls(player, speed, marks), {
    find: search.open,
    copy: () => copy(screen),
    leaveTerminal: () => toggle.focus(),
    enterTerminal: () => screen.focus(),
    screen,
    end: () => {
      view.isOver = true;
      player.pause();
      screen.onDrawn = () => {};
      screen.close();
    },
  });
}

function tickOf(share, label) {
  const made = el('span', { class: 'mark', title: label });
  made.style.left = `${share * 100}%`;
  return made;
}

/// Rows of what was typed, line by line, and of marks; each leads to its time.
function typed(cast, seek) {
  const rows = [];
  let line = null;
  const add = (at, kind, what) => {
    const node = el(
      'li',
      { class: kind },
      el('button', { type: 'button', class: 'moment', onclick: () => seek(at) }, el('time', {}, clock(at)), what),
    );
    rows.push({ at, node });
  };
  const flush = () => {
    if (line) add(line.at, 'input', exact(line.text));
    line = null;
  };
  for (const [at, code, text] of cast.events) {
    if (code === 'm') {
      flush();
      add(at, 'command', el('span', { class: 'label' }, text || 'mark'));
    } else if (code === 'i') {
      line ??= { at, text: '' };
      line.text += text;
      if (/[\r\n]$/.test(text)) flush();
    }
  }
  flush();
  return rows;
}

function follow(rows, position) {
  let current = null;
  for (const row of rows) if (row.at <= position) current = row;
  for (const row of rows) row.node.classList.toggle('current', row === current);
}

/// Keys of the player.
function controls(player, speed, marks) {
  const faster = (step) => {
    const at = Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(player.speed) + step));
    player.speed = SPEEDS[at];
    speed.value = String(player.speed);
  };
  const toMark = (forwards) => {
    const places = [0, ...marks.map(([at]) => at), player.cast.length];
    const next = forwards ? places.find((at) => at > player.position + 0.01) : places.findLast((at) => at < player.position - 0.5);
    player.seek(next ?? player.position);
  };
  const table = {
    ' ': () => (player.isPlaying ? player.pause() : player.play()),
    ArrowLeft: () => player.seek(player.position - STEP_S),
    ArrowRight: () => player.seek(player.position + STEP_S),
    Home: () => player.seek(0),
    End: () => player.seek(player.cast.length),
    '[': () => toMark(false),
    ']': () => toMark(true),
    '<': () => faster(-1),
    '>': () => faster(1),
  };
  return { keys: table };
}
