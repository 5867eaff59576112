// The other pages, by keys, on a phone, for everybody.

import { equal, screen, shows, until } from '../browser.mjs';
import { shots } from '../shots.mjs';
import { axe, at, forgive, guest, link, origin, routed, shoot, wanted, browser } from '../world.mjs';

export const tests = {
  async a_recording_is_replayed() {
    const page = await guest();
    await page.goto(link());
    await page.getByRole('link', { name: 'Recordings' }).click();
    await page.locator('a.name').first().waitFor();
    await page.goto(`${origin}/#/recordings/${wanted.recording}`);
    await page.locator('#play').waitFor();
    const position = async () => Number(await page.locator('#bar').inputValue());
    const moments = page.locator('.typed li.command .moment');
    const count = await moments.count();
    equal(await page.locator('.mark').count(), count, 'marks on the bar');
    if (count < 2) throw new Error('the recording has too few commands');
    await page.locator('#play').click();
    await until('it plays', async () => (await position()) > 0.3);
    await page.locator('#play').click();
    const stopped = await position();
    await page.waitForTimeout(300);
    equal(await position(), stopped, 'the time while it stands');
    const early = await screen(page);
    await moments.last().click();
    await until('a later screen', async () => (await screen(page)) !== early);
    await page.waitForTimeout(300);
    const late = await screen(page);
    await moments.first().click();
    await until('an earlier screen', async () => (await screen(page)) !== late);
    await page.locator('h1').click();
    await page.keyboard.press(']');
    await page.keyboard.press('>');
    equal(await page.locator('#speed').inputValue(), '2', 'the speed');
    const before = await position();
    await page.keyboard.press('ArrowRight');
    await until('five seconds on', async () => Math.abs((await position()) - before - 5) < 0.1);
    await page.keyboard.press('End');
    await page.keyboard.press(' ');
    await until('from the beginning', async () => (await position()) < 3 && (await page.locator('#play').textContent()) === 'Pause');
    await page.locator('#bar').fill(await page.locator('#bar').getAttribute('max'));
    await shows(page, late.split('\n')[0]);
    await page.waitForTimeout(300);
    const whole = await screen(page);
    await page.locator('#bar').evaluate((bar) => {
      for (const to of [0, bar.max, 0, bar.max, 0, bar.max]) {
        bar.value = to;
        bar.dispatchEvent(new Event('input'));
      }
    });
    await until('what one leap shows', async () => (await screen(page)) === whole);
    await page.goto(`${origin}/#/recordings/${wanted.cut}`);
    await page.getByText('ends in the middle').waitFor();
    await page.goto(`${origin}/#/recordings/absent.cast`);
    await page.getByText('no recording').waitFor();
    const outside = await page.evaluate((path) => fetch(path).then((answer) => answer.status), '/recordings/..%2F..%2Fetc%2Fpasswd');
    equal(outside, 404, 'a path out of the folder');
    forgive(/status of 404/);
  },

  async everything_goes_by_keys() {
    const page = await guest();
    await page.goto(link());
    await page.locator('ul.rows li').first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    const row = page.locator('ul.rows li').first();
    equal(
      await row.evaluate((item) => item.contains(document.activeElement) && getComputedStyle(item).outlineStyle),
      'solid',
      'the row with the focus',
    );
    await page.keyboard.press('/');
    await page.keyboard.type(wanted.shell);
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.locator('.xterm-rows').waitFor();
    await page.waitForFunction(() => document.activeElement.classList.contains('xterm-helper-textarea'));
    await page.keyboard.type('echo keys-$((7+7))\n?');
    await shows(page, 'keys-14');
    equal(await page.getByRole('dialog').count(), 0, 'lists of keys while one types');
    await page.keyboard.press('Control+c');
    await page.keyboard.press('Control+Shift+L');
    equal(await page.evaluate(() => document.activeElement.className), 'back', 'out of the terminal');
    const reached = new Set();
    for (let step = 0; step < 14; step += 1) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate(() => document.activeElement.id || document.activeElement.className));
    }
    for (const id of ['unlock', 'lock', 'interrupt', 'fit', 'search', 'copy', 'note', 'close'])
      if (!reached.has(id)) throw new Error(`Tab does not reach ${id}: ${[...reached]}`);
    await page.keyboard.press('Control+Shift+L');
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('s');
    await page.locator('#open').waitFor();
    await page.keyboard.press('r');
    await page.getByRole('searchbox', { name: 'Filter recordings' }).waitFor();
  },

  async what_is_absent_refused_or_has_no_terminal_says_so() {
    const page = await guest();
    await page.goto(link());
    await page.goto(at('nowhere'));
    await page.getByText('There is no session nowhere.').waitFor();
    await page.goto(at(encodeURIComponent(wanted.lane)));
    await page.getByText('it has no terminal').waitFor();
    await page.goto(`${origin}/#/what`);
    await page.getByText('There is no such page').waitFor();
    equal((await page.goto(`${origin}/what`)).status(), 404, 'another path');
    const refused = await guest();
    await routed(refused, { instead: (say) => say.do === 'enter' && { is: 'refused', why: 'too many guests are there' } });
    await refused.goto(link());
    await refused.goto(at(wanted.shell));
    await refused.getByText('Refused: too many guests are there').waitFor();
    const empty = await guest();
    await routed(empty, { instead: (say) => say.do === 'list' && { is: 'sessions', sessions: [], approvals: [], devices: [] } });
    await empty.goto(link());
    await empty.getByText('No session is open. Open a device').waitFor();
    await shoot(empty, 'empty');
    forgive(/status of 404/);
  },

  async a_phone_shows_everything_within_its_width() {
    const page = await guest({ viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true });
    await page.goto(link());
    for (const hash of [
      '#/',
      `#/session/${wanted.quiet}`,
      `#/session/${wanted.shell}`,
      '#/recordings',
      `#/recordings/${wanted.recording}`,
    ]) {
      await page.goto(`${origin}/${hash}`);
      await page.waitForTimeout(400);
      const wide = await page.evaluate(() =>
        [...document.querySelectorAll('body *')]
          .filter((part) => part.getBoundingClientRect().right > 320 && !part.closest('.host'))
          .map((part) => `${part.tagName} ${part.id} ${part.className}`)
          .slice(0, 5),
      );
      equal([await page.evaluate(() => document.documentElement.scrollWidth), wide], [320, []], `what is too wide at ${hash}`);
    }
  },

  async people_who_hear_or_magnify_the_page_can_use_it() {
    const found = [];
    for (const colorScheme of ['dark', 'light']) {
      const page = await guest({ colorScheme });
      await page.goto(link());
      for (const hash of ['#/', `#/session/${wanted.quiet}`, '#/recordings', `#/recordings/${wanted.recording}`]) {
        await page.goto(`${origin}/${hash}`);
        await page.waitForTimeout(500);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() =>
          window.axe.run({ exclude: [['.xterm']] }, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }),
        );
        for (const { id, nodes } of violations)
          found.push(
            `${colorScheme} ${hash} ${id}: ${nodes
              .slice(0, 4)
              .map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message ?? ''}`)
              .join(' | ')}`,
          );
      }
      await page.context().close();
    }
    equal(found, [], 'obstacles');
  },

  async pictures_are_taken() {
    equal(await shots(browser, { ...wanted, links: [link(), link(), link(), link(), link()] }), [], 'complaints of the browser');
  },
};
