// What the tests share: the viewer that they are about, a browser, and ways to come to a session.

import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { camera, launch, shows, visitor } from './browser.mjs';

export const wanted = JSON.parse(process.env.VIEWER_TEST);
export const origin = `http://${wanted.address}`;
export const port = new URL(origin).port;
export const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
export const browser = await launch(wanted.chromium);
export const shoot = camera(wanted.shots);

/// What the browser has said against our pages in the test that runs.
export const complaints = [];

/// Complaints that a test causes itself.
export function forgive(pattern) {
  complaints.splice(0, complaints.length, ...complaints.filter((text) => !pattern.test(text)));
}

function next(links) {
  if (links.length === 0) throw new Error('there are too few links for all tests');
  return links.shift();
}

export const link = () => next(wanted.links);
export const looking = () => next(wanted.read_only);
export const guest = (options) => visitor(browser, complaints, options);
export const at = (session) => `${origin}/#/session/${session}`;

export async function enter(page, session) {
  await page.goto(at(session));
  await page.locator('.xterm-rows').waitFor();
  return page;
}

/// A browser that has logged in and is at the shell.
export async function typist(options) {
  const page = await guest(options);
  await page.goto(link());
  await enter(page, wanted.shell);
  await shows(page, /\S/);
  return page;
}

export async function type(page, line) {
  await page.locator('.xterm-helper-textarea').focus();
  await page.keyboard.type(`${line}\n`);
}

/// Listens in on a page's WebSocket: `said` gets what it says, `instead` may answer in the server's place, `ready` gets what tells it
/// something.
export async function routed(page, { said = [], instead = () => null, ready = () => {} }) {
  await page.routeWebSocket('**/ws', (socket) => {
    const server = socket.connectToServer();
    const tell = (message) => socket.send(JSON.stringify(message));
    let isMuted = false;
    socket.onMessage((text) => {
      const say = JSON.parse(text);
      said.push(say);
      const answer = instead(say);
      if (answer) {
        isMuted = answer.is === 'sessions';
        tell(answer);
      } else {
        server.send(text);
      }
    });
    server.onMessage((text) => {
      if (!isMuted) socket.send(text);
    });
    ready(tell);
  });
}
