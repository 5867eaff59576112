// What a person does about sessions, beside typing.

import { equal, screen, shows, until } from '../browser.mjs';
import { guest, link, looking, origin, routed, shoot, type, typist, wanted } from '../world.mjs';

export const tests = {
  async the_list_shows_what_the_sessions_do() {
    const page = await guest();
    await page.goto(link());
    const names = await until('rows', async () => {
      const found = await page.locator('ul.rows a.name strong').allTextContents();
      return found.length > 0 && found;
    });
    for (const session of [wanted.shell, wanted.quiet, wanted.lane])
      if (!names.includes(session)) throw new Error(`no ${session} in ${names}`);
    await page.getByRole('searchbox', { name: 'Filter sessions' }).fill(wanted.quiet);
    await until('one row', async () => (await page.locator('ul.rows li').count()) === 1);
    await page.getByRole('searchbox', { name: 'Filter sessions' }).fill('there is none like this');
    await page.getByText('No session is like this.').waitFor();
  },

  async a_lock_is_set_and_taken_back_and_all_see_it() {
    const [page, other] = [await typist(), await guest()];
    await other.goto(link());
    await page.getByRole('combobox', { name: 'How long' }).selectOption('900');
    await page.getByRole('button', { name: 'People only' }).click();
    await page.locator('.held', { hasText: 'Agents are refused' }).waitFor();
    await page.locator('.held', { hasText: /Ends in 1\d:\d\d min/ }).waitFor();
    const row = other.locator('ul.rows li', { has: other.locator('a.name strong', { hasText: new RegExp(`^${wanted.shell}$`) }) });
    await row.getByText('people only').waitFor();
    equal(await page.evaluate(() => document.activeElement.id), 'lock', 'the focus after the button was drawn anew');
    await page.getByRole('button', { name: 'Everyone' }).click();
    await page.locator('.held', { hasText: 'Agents and people may type' }).waitFor();
    await row.getByText('everyone').waitFor();
  },

  async panic_stops_all_agents_and_says_who_did() {
    const [page, other] = [await typist(), await guest()];
    await other.goto(link());
    await page.locator('#panic').click();
    const you = await page.locator('#top .who span').nth(1).textContent();
    for (const one of [page, other]) await one.locator('.banner.stopped', { hasText: `by ${you}` }).waitFor();
    equal(await page.locator('#panic').isDisabled(), true, 'whether it can be stopped twice');
    await shoot(other, 'panic');
    await other.locator('#resume').click();
    await page.locator('.banner.stopped').waitFor({ state: 'detached' });
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.press('Control+Shift+X');
    await page.locator('.banner.stopped').waitFor();
    await page.locator('#resume').click();
    await other.locator('.banner.stopped').waitFor({ state: 'detached' });
  },

  async a_command_is_shown_exactly_and_runs_only_when_it_is_allowed() {
    const page = await typist();
    const card = page.locator('.approval', { hasText: `into ${wanted.approve.target}` }).first();
    equal(await card.locator('pre .exact').textContent(), wanted.approve.text, 'the command');
    if ((await screen(page)).includes(wanted.approve.shows)) throw new Error('it ran before');
    await card.getByRole('button', { name: 'Allow once' }).click();
    await card.waitFor({ state: 'detached' });
    await shows(page, wanted.approve.shows);
    await page.locator('.typed li.agent', { hasText: wanted.approve.text }).waitFor();
    await page.goto(`${origin}/#/`);
    const other = page.locator('.approval', { hasText: `into ${wanted.deny.target}` }).first();
    const odd = await other.locator('.odd').allTextContents();
    for (const name of wanted.deny.named) if (!odd.includes(name)) throw new Error(`${name} is not shown: ${odd}`);
    if (wanted.deny.named.length > 0) await other.getByText('not visible').waitFor();
    await shoot(page, 'approval');
    await other.getByRole('button', { name: 'Deny' }).click();
    await other.waitFor({ state: 'detached' });
  },

  async a_second_click_decides_nothing_about_what_came_in_its_place() {
    const page = await guest({ viewport: { width: 700, height: 860 } });
    const approval = (id, text) => ({ id, target: wanted.quiet, caller: 'somebody', text, reason: 'it is a test', seconds_left: 500 });
    const list = (approvals) => ({ is: 'sessions', sessions: [], approvals, devices: [] });
    const said = [];
    let tell;
    await routed(page, {
      said,
      instead: (say) => {
        if (say.do === 'list') return list([approval('a1', 'first'), approval('a2', 'second')]);
        return say.do === 'decide' && say.id === 'a2' ? { is: 'refused', why: 'it was answered already' } : null;
      },
      ready: (send) => {
        tell = send;
      },
    });
    await page.goto(link());
    const card = (text) => page.locator('.approval', { hasText: text });
    const allow = (text) => card(text).getByRole('button', { name: 'Allow once' });
    await until('the first one can be answered', () => allow('first').isEnabled());
    const { x, y, width, height } = await allow('first').boundingBox();
    // Another browser has answered the first one just now.
    tell(list([approval('a2', 'second')]));
    await card('first').waitFor({ state: 'detached' });
    await page.mouse.click(x + width / 2, y + height / 2);
    await page.waitForTimeout(200);
    equal(
      said.filter((say) => say.do === 'decide'),
      [],
      'what was decided',
    );
    // Another process counts its ids anew.
    tell(list([approval('a2', 'third')]));
    await card('third').waitFor();
    equal(await card('second').count(), 0, 'cards of what is not there');
    await allow('third').click();
    await page.getByText('it was answered already').waitFor();
  },

  async several_lines_are_shown_before_they_are_pasted() {
    const page = await typist();
    await type(page, "bind 'set enable-bracketed-paste off'; echo plain-$((4+5))");
    await shows(page, 'plain-9');
    const paste = (text) =>
      page.evaluate((text) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData('text/plain', text);
        const event = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
        document.querySelector('.xterm-helper-textarea').dispatchEvent(event);
      }, text);
    await type(page, 'cat');
    await paste('one-line\n');
    await shows(page, 'one-line');
    await paste('lines-1\nlines-\u202e2\n');
    const dialog = page.getByRole('dialog', { name: /^Paste 2 lines into/ });
    await dialog.getByText('U+202E').waitFor();
    if ((await screen(page)).includes('lines-1')) throw new Error('it was typed before');
    await dialog.getByRole('button', { name: 'Paste' }).click();
    await shows(page, 'lines-1');
    await page.keyboard.press('Control+c');
  },

  async what_a_server_asks_at_login_is_answered_by_a_person() {
    const { device, user, asks } = wanted.question;
    const page = await guest();
    await page.goto(link());
    const looks = await guest();
    await looks.goto(looking());
    await looks.locator('.question', { hasText: 'This link only looks.' }).waitFor();
    equal(await looks.locator('.question input').count(), 0, 'fields for those who only look');
    const answered = async ([prompt, answer]) => {
      const card = page.locator('.question', { hasText: `${device} asks whoever logs in as ${user}` }).filter({ hasText: prompt });
      const field = card.locator('input');
      await field.fill('half of it');
      // The list that comes meanwhile leaves it alone.
      await page.waitForTimeout(1200);
      equal(await field.inputValue(), 'half of it', 'what is being typed');
      await shoot(page, 'question');
      await field.fill(answer);
      await card.getByRole('button', { name: /^Answer/ }).click();
      await card.waitFor({ state: 'detached' });
    };
    // A login gives up after a while and is begun again: then so are the answers.
    for (let tries = 1; ; tries += 1) {
      try {
        for (const ask of asks) await answered(ask);
        break;
      } catch (problem) {
        if (tries === 3) throw problem;
      }
    }
    equal((await page.content()).includes(asks[0][1]), false, 'whether an answer is in the page');
  },

  async a_command_is_interrupted() {
    const page = await typist();
    // What is shown of a line before it runs takes no interrupt: the shell is about to start the program.
    await type(page, 'echo begun-$((1+1)); sleep 1000');
    await shows(page, 'begun-2');
    await page.waitForTimeout(1500);
    await page.locator('#interrupt').click();
    await type(page, 'echo after-$((2+3))');
    await shows(page, 'after-5');
  },

  async a_note_is_kept_and_shown_as_text() {
    const page = await typist();
    await page.locator('#note').click();
    await page.getByRole('textbox', { name: 'Note' }).fill('<img src=x onerror=alert(1)> on the spare line');
    await page.getByRole('button', { name: 'Keep' }).click();
    await page.locator('.facts .note', { hasText: '<img src=x' }).waitFor();
    equal(await page.locator('.facts img').count(), 0, 'elements that a note made');
    await page.goto(`${origin}/#/`);
    await page.locator('ul.rows .note', { hasText: 'on the spare line' }).waitFor();
  },

  async a_device_is_opened_and_its_session_closed() {
    const page = await guest();
    await page.goto(link());
    await page.locator('#open').click();
    await page.getByRole('combobox', { name: /Device/ }).fill(wanted.device);
    await page.keyboard.press('Enter');
    await page.locator('.xterm-rows').waitFor();
    await shows(page, /\S/);
    await type(page, 'echo opened-$((4+4))');
    await shows(page, 'opened-8');
    await page.locator('#close').click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close session' }).click();
    await page.locator('.over', { hasText: 'This session is over' }).waitFor();
    await shoot(page, 'ended');
    await page.getByRole('button', { name: 'Open it again' }).click();
    await page.locator('.over').waitFor({ state: 'hidden' });
    await type(page, 'echo again-$((5+4))');
    await shows(page, 'again-9');
  },
};
