// A session and its terminal.

import { equal, screen, shows, until } from '../browser.mjs';
import { shoot, type, typist } from '../world.mjs';

export const tests = {
  async what_is_typed_comes_out_and_has_an_author() {
    const page = await typist();
    await type(page, 'echo out-$((6*7))');
    await shows(page, 'out-42');
    const row = page.locator('.typed li.person', { hasText: 'echo out-$((6*7))' }).last();
    await row.waitFor();
    const you = await page.locator('#top .who span').nth(1).textContent();
    equal(await row.locator('.author').textContent(), you, 'the author');
    await type(page, "printf '\\033[38;2;10;200;30mRGB%s\\033[0m\\n' -cell");
    await shows(page, 'RGB-cell');
    const colour = await page.evaluate(() => {
      const cell = [...document.querySelectorAll('.xterm-rows span')].filter((span) => span.textContent.startsWith('RGB-cell')).at(-1);
      return cell && getComputedStyle(cell).color;
    });
    equal(colour, 'rgb(10, 200, 30)', 'the colour of a cell');
  },

  async what_programs_ask_terminals_is_not_answered_by_browsers() {
    const page = await typist();
    await type(page, 'printf \'\\033[c\\033[6n\\033[>c\\033]11;?\\007\\033[?1$p\'; sleep 0.4; read -t 0.4 -n 1 got; echo "answer=[$got]"');
    await shows(page, 'answer=[]');
  },

  async two_browsers_see_the_same_and_each_other() {
    const [one, other] = [await typist(), await typist()];
    await type(one, 'echo same-$((20+3))');
    await shows(one, 'same-23');
    await shows(other, 'same-23');
    const names = await Promise.all([one, other].map((page) => page.locator('#top .who span').nth(1).textContent()));
    for (const name of names) await other.locator('.guests li', { hasText: name }).waitFor();
    await one.context().close();
    await until('the other one has gone', async () => (await other.locator('.guests li', { hasText: `${names[0]} ` }).count()) === 0);
  },

  async the_session_takes_the_windows_size_only_when_it_is_told_to() {
    const page = await typist();
    const fits = () =>
      page.evaluate(() => {
        const [host, shown] = [document.querySelector('.host'), document.querySelector('.xterm-screen')];
        return shown.offsetWidth <= host.clientWidth && shown.offsetHeight <= host.clientHeight;
      });
    await type(page, 'stty size');
    await shows(page, /^24 80$/m);
    equal(await fits(), true, 'whether the letters fit');
    await page.setViewportSize({ width: 900, height: 700 });
    await until('smaller letters', fits);
    await page.locator('#fit').click();
    await until('another size', async () => !(await page.locator('.about').textContent()).includes('80 x 24'));
    await type(page, 'echo size $(stty size)');
    const [, rows, columns] = /^size (\d+) (\d+)$/m.exec(await shows(page, /^size \d+ \d+$/m));
    await page.locator('.about', { hasText: `${columns} x ${rows}` }).waitFor();
    await page.setViewportSize({ width: 1360, height: 860 });
    await until('it follows the window', async () => !(await page.locator('.about').textContent()).includes(`${columns} x ${rows}`));
    await page.locator('#fit').click();
    await type(page, 'echo still-$((1+1))');
    await shows(page, 'still-2');
  },

  async what_scrolled_away_can_be_searched_and_copied() {
    const page = await typist({ permissions: ['clipboard-read', 'clipboard-write'] });
    await type(page, 'clear; for i in $(seq 1 400); do echo "line-$i-"; done');
    await shows(page, 'line-400-');
    await page.keyboard.press('Control+Shift+F');
    await page.getByRole('searchbox', { name: 'Search in the terminal' }).fill('line-17-');
    await page.locator('.finder .count', { hasText: /^1 of 1$/ }).waitFor();
    await shows(page, 'line-17-');
    await shoot(page, 'search');
    await page.keyboard.press('Escape');
    equal(await page.locator('.finder').isHidden(), true, 'whether the search is closed');
    await page.keyboard.press('Control+Shift+C');
    await page.getByText('Copied.').waitFor();
    const copied = await page.evaluate(() => navigator.clipboard.readText());
    for (const line of ['line-1-', 'line-400-']) if (!copied.includes(line)) throw new Error(`no ${line} in what was copied`);
    await page.keyboard.press('Shift+PageUp');
    await until('back', async () => !(await screen(page)).includes('line-400-'));
  },
};
