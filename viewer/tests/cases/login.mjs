// Who gets in, and what those get who do not.

import { createServer } from 'node:http';

import { equal, shows } from '../browser.mjs';
import { enter, forgive, guest, link, looking, origin, port, shoot, type, typist, wanted } from '../world.mjs';

export const tests = {
  async a_link_logs_one_browser_in_once() {
    const page = await guest();
    const token = link();
    await page.goto(token);
    equal(page.url(), `${origin}/`, 'where the link leads');
    const cookies = await page.context().cookies();
    equal(
      cookies.map(({ name, httpOnly, sameSite, path }) => ({ name, httpOnly, sameSite, path })),
      [{ name: `jackfield-${port}`, httpOnly: true, sameSite: 'Strict', path: '/' }],
      'the cookie',
    );
    equal(await page.evaluate(() => document.cookie), '', 'what the page sees of the cookie');
    equal((await page.goto(token)).url(), `${origin}/`, 'the same browser again');
    const other = await guest();
    equal((await other.goto(token)).status(), 401, 'another browser with the same link');
    await other.getByText('was used already').waitFor();
    equal((await other.goto(origin)).status(), 401, 'without a login');
    await shoot(other, 'not-logged-in');
    forgive(/status of 401/);
  },

  async the_page_asks_nobody_else_and_allows_no_styles_or_scripts_of_its_text() {
    const page = await guest();
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    const answer = await page.goto(link());
    await enter(page, wanted.shell);
    const policy = answer.headers()['content-security-policy'];
    if (/unsafe|\*/.test(policy) || !policy.includes("default-src 'none'") || !policy.includes("frame-ancestors 'none'"))
      throw new Error(policy);
    equal([...new Set(asked.map((url) => new URL(url).host))], [wanted.address], 'hosts that were asked');
    const ran = await page.evaluate(() => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
      return Boolean(window.ran);
    });
    equal(ran, false, 'whether a script in the page ran');
    forgive(/inline script/);
  },

  async a_read_only_link_only_looks() {
    const [page, writer] = [await guest(), await typist()];
    await page.goto(looking());
    await enter(page, wanted.shell);
    await page.getByText('Read-only link').waitFor();
    for (const id of ['#panic', '#lock', '#interrupt', '#close', '#note', '#fit']) equal(await page.locator(id).isVisible(), false, id);
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('echo never-$((1+1))\n');
    await type(writer, 'echo seen-$((1+1))');
    if ((await shows(page, 'seen-2')).includes('never-')) throw new Error('it has typed');
    const answers = await page.evaluate(
      ([session, said]) =>
        new Promise((resolve) => {
          const socket = new WebSocket(`ws://${location.host}/ws`);
          const refused = [];
          socket.onopen = () => said.forEach((say) => socket.send(JSON.stringify(say)));
          socket.onmessage = ({ data }) => {
            const tell = JSON.parse(data);
            if (tell.is === 'refused') refused.push(tell.why);
            if (refused.length === said.length - 1) resolve(refused);
          };
          setTimeout(() => resolve(refused), 30000);
        }),
      [
        wanted.shell,
        [
          { do: 'enter', session: wanted.shell },
          { do: 'type', data: btoa('echo never\r') },
          { do: 'panic', on: true },
          { do: 'lock', session: wanted.shell, rule: 'people' },
          { do: 'decide', id: 'a7', allow: true },
          { do: 'close', session: wanted.shell },
        ],
      ],
    );
    equal(answers.length, 5, 'refusals');
    if (answers.some((why) => !why.includes('only looks'))) throw new Error(answers.join('\n'));
    await shoot(page, 'read-only');
  },

  async a_page_of_another_origin_can_do_nothing() {
    const page = await guest();
    await page.goto(link());
    const foreign = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end('<!doctype html><p>foreign</p>'));
    await new Promise((ready) => foreign.listen(0, '127.0.0.1', ready));
    await page.goto(`http://127.0.0.1:${foreign.address().port}/`);
    const got = await page.evaluate(async (target) => {
      const attempt = (work) =>
        work.then(
          (done) => done,
          (error) => `failed: ${error.name}`,
        );
      const socket = () =>
        new Promise((resolve) => {
          const made = new WebSocket(`${target.replace('http', 'ws')}/ws`);
          made.onopen = () => resolve('opened');
          made.onerror = () => resolve('failed');
        });
      const script = (path) =>
        new Promise((resolve) => {
          const made = document.createElement('script');
          made.src = target + path;
          made.onload = () => resolve('loaded');
          made.onerror = () => resolve('failed');
          document.head.append(made);
        });
      const frame = () =>
        new Promise((resolve) => {
          const made = document.createElement('iframe');
          made.src = target;
          made.onload = () => {
            try {
              resolve(made.contentDocument ? 'read' : 'closed');
            } catch {
              resolve('closed');
            }
          };
          document.body.append(made);
        });
      return {
        read: await attempt(fetch(`${target}/me`, { credentials: 'include' }).then(() => 'read')),
        blind: await attempt(
          fetch(`${target}/recordings`, { credentials: 'include', mode: 'no-cors' }).then((answer) => `${answer.type} ${answer.status}`),
        ),
        post: await attempt(fetch(`${target}/`, { method: 'POST', credentials: 'include' }).then(() => 'read')),
        socket: await socket(),
        script: await script('/me'),
        asset: await script('/app/main.js'),
        frame: await frame(),
      };
    }, origin);
    equal(
      got,
      {
        read: 'failed: TypeError',
        blind: 'failed: TypeError',
        post: 'failed: TypeError',
        socket: 'failed',
        script: 'failed',
        asset: 'failed',
        frame: 'closed',
      },
      'what the foreign page got',
    );
    // A link there may lead here all the same: it opens the page, which that one cannot see into.
    await page.evaluate((target) => {
      location.href = target;
    }, link());
    await page.locator('ul.rows li').first().waitFor();
    foreign.close();
    forgive(/./);
  },

  async under_a_foreign_name_nothing_is_answered() {
    const page = await guest();
    const token = link();
    const answer = await page.goto(token.replace(wanted.address, `evil.example:${port}`));
    equal(answer.status(), 403, 'a wrong Host');
    equal((await page.context().cookies()).length, 0, 'cookies');
    equal((await page.goto(token)).url(), `${origin}/`, 'the link afterwards');
    forgive(/./);
  },
};
