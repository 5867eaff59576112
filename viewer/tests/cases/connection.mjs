// Connections that end, and more output than can be drawn.

import { equal, screen, shows, until } from '../browser.mjs';
import { enter, forgive, guest, link, routed, shoot, type, typist, wanted } from '../world.mjs';

/// A page with the shell's session; `sockets` has what ends each of its connections.
async function cuttable() {
  const page = await guest();
  const sockets = [];
  await page.routeWebSocket('**/ws', (socket) => {
    const server = socket.connectToServer();
    sockets.push(() => Promise.all([socket.close({ code: 1001, reason: 'jackfield has ended' }), server.close()]));
  });
  await page.goto(link());
  await enter(page, wanted.shell);
  return { page, sockets };
}

export const tests = {
  async a_lost_connection_is_told_and_comes_back() {
    const { page, sockets } = await cuttable();
    await type(page, 'echo before-$((3+3))');
    await shows(page, 'before-6');
    await sockets.shift()();
    await page.locator('.banner.lost').waitFor();
    await shoot(page, 'lost');
    await page.locator('.banner.lost').waitFor({ state: 'detached' });
    equal(sockets.length, 1, 'new connections');
    await type(page, 'echo back-$((3+4))');
    await shows(page, 'back-7');
    await page.context().clearCookies();
    await sockets.shift()();
    await page.getByText('not logged in any more').waitFor();
    forgive(/status of 401/);
  },

  async a_connection_that_is_opened_by_hand_is_the_only_one() {
    const { page, sockets } = await cuttable();
    await shows(page, /\S/);
    // The page asks why it is lost, and is not told for a while.
    let answer;
    const held = new Promise((resolve) => {
      answer = resolve;
    });
    await page.route('**/me', async (route) => {
      await held;
      await route.continue();
    });
    await sockets.shift()();
    await page.locator('.banner.lost').waitFor();
    await page.keyboard.press('Control+Shift+X');
    await page.locator('.toast', { hasText: 'nobody was stopped' }).waitFor();
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.locator('.banner.lost').waitFor({ state: 'detached' });
    await until('it is there again', () => sockets.length === 1);
    answer();
    await page.waitForTimeout(2000);
    equal(sockets.length, 1, 'new connections');
    equal(await page.locator('.banner.lost').count(), 0, 'banners');
  },

  async much_output_leaves_the_page_alive() {
    const page = await typist();
    await type(page, 'clear; seq 1 1500000; echo flood-$((9+9))');
    await page.waitForTimeout(300);
    await page.locator('#panic').click();
    await page.locator('#resume').click();
    await until('the end of the flood', async () => (await screen(page)).includes('flood-18'));
  },

  async what_comes_faster_than_it_is_drawn_goes_by() {
    const page = await guest();
    const said = [];
    let inject;
    await routed(page, {
      said,
      ready: (send) => {
        inject = send;
      },
    });
    await page.goto(link());
    await enter(page, wanted.shell);
    await shows(page, /\S/);
    equal(said.filter((say) => say.do === 'enter').length, 1, 'times that the session was entered');
    const data = Buffer.from('too much of it\r\n'.repeat(100000)).toString('base64');
    for (let count = 0; count < 6; count += 1) inject({ is: 'output', data });
    await until('the screen is asked for anew', () => said.filter((say) => say.do === 'enter').length === 2);
    await page.locator('#search').click();
    const search = page.getByRole('searchbox', { name: 'Search in the terminal' });
    await until('it is told what is missing', async () => {
      await search.fill('');
      await search.fill('bytes went by too fast');
      return /^1 of 1$/.test(await page.locator('.finder .count').textContent());
    });
    await page.keyboard.press('Escape');
    await type(page, 'echo afterwards-$((1+2))');
    await shows(page, 'afterwards-3');
  },

  async a_connection_on_which_nothing_comes_is_told_to_be_lost() {
    const page = await guest();
    await page.clock.install();
    let isMute = false;
    let sockets = 0;
    await page.routeWebSocket('**/ws', (socket) => {
      sockets += 1;
      const server = socket.connectToServer();
      socket.onMessage((text) => isMute || server.send(text));
      server.onMessage((text) => isMute || socket.send(text));
    });
    await page.goto(link());
    await page.locator('ul.rows li').first().waitFor();
    const passed = async (seconds) => {
      for (let left = seconds; left > 0; left -= 10) {
        await page.clock.runFor(10000);
        // The other end's clock is its own.
        await page.waitForTimeout(100);
      }
    };
    await passed(200);
    equal(sockets, 1, 'connections while somebody answers');
    isMute = true;
    await passed(90);
    await page.locator('.banner.lost').waitFor();
    isMute = false;
    await passed(40);
    await page.locator('.banner.lost').waitFor({ state: 'detached' });
    equal(sockets > 1, true, 'whether it was opened again');
  },

  async two_windows_that_both_fit_do_not_quarrel_about_the_size() {
    const [page, other] = [await typist(), await typist({ viewport: { width: 1000, height: 700 } })];
    await other.locator('#fit').click();
    await until('its size', async () => !(await page.locator('.about').textContent()).includes('80 x 24'));
    await page.locator('#fit').click();
    await page.waitForTimeout(1000);
    const size = async () => /\d+ x \d+/.exec(await page.locator('.about').textContent())[0];
    const seen = new Set();
    for (let look = 0; look < 10; look += 1) {
      seen.add(await size());
      await page.waitForTimeout(100);
    }
    equal(seen.size, 1, 'sizes');
    for (const one of [page, other]) await one.locator('#fit').click();
  },

  async what_is_drawn_again_is_there_once() {
    const page = await guest();
    let inject;
    await routed(page, {
      ready: (send) => {
        inject = send;
      },
    });
    await page.goto(link());
    await enter(page, wanted.shell);
    await shows(page, /\S/);
    const rows = Array.from({ length: 60 }, (_, row) => `past-${row}-`).join('\r\n');
    const data = Buffer.from(rows).toString('base64');
    for (let count = 0; count < 3; count += 1) inject({ is: 'screen', session: wanted.shell, columns: 80, rows: 24, data });
    await shows(page, 'past-59-');
    await page.locator('#search').click();
    await page.getByRole('searchbox', { name: 'Search in the terminal' }).fill('past-7-');
    await page.locator('.finder .count', { hasText: /^1 of 1$/ }).waitFor();
  },

  async why_there_is_no_session_stays_to_be_read() {
    const page = await guest();
    const why = 'the device is switched off';
    await routed(page, { instead: (say) => say.do === 'open' && { is: 'refused', why } });
    await page.goto(link());
    await page.locator('#open').click();
    await page.getByRole('combobox', { name: /Device/ }).fill(`${wanted.device}#off`);
    await page.keyboard.press('Enter');
    await page.locator('.over', { hasText: why }).waitFor();
    await page.waitForTimeout(1000);
    equal(await page.locator('.over').getByText(why).isVisible(), true, 'whether it stands there');
    equal(await page.locator('.held').textContent(), '', 'what is said of who may type');
  },

  async a_session_that_somebody_else_opens_again_goes_on_here() {
    const [page, other] = [await guest(), await guest()];
    await page.goto(link());
    await other.goto(link());
    const session = `${wanted.device}#again`;
    await other.locator('#open').click();
    await other.getByRole('combobox', { name: /Device/ }).fill(session);
    await other.keyboard.press('Enter');
    await other.locator('.xterm-rows').waitFor();
    await enter(page, encodeURIComponent(session));
    await other.locator('#close').click();
    await other.getByRole('dialog').getByRole('button', { name: 'Close session' }).click();
    for (const one of [page, other]) await one.locator('.over', { hasText: 'This session is over' }).waitFor();
    await other.getByRole('button', { name: 'Open it again' }).click();
    for (const one of [page, other]) await one.locator('.over').waitFor({ state: 'hidden' });
    await type(other, 'echo reopened-$((8+9))');
    await shows(page, 'reopened-17');
  },
};
