// Pictures of the pages: wide and narrow, dark and light.

import { camera, launch, visitor } from './browser.mjs';

const WIDE = { viewport: { width: 1360, height: 860 } };
const TABLET = { viewport: { width: 900, height: 700 } };
const PHONE = { viewport: { width: 320, height: 640 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

/// `wanted`: `links` (five), `shots`, `shell`, `quiet` (a session to look at), `recording`.
export async function shots(browser, wanted) {
  const shoot = camera(wanted.shots);
  const complaints = [];
  const links = [...wanted.links];
  for (const [form, options, schemes] of [
    ['wide', WIDE, ['dark', 'light']],
    ['tablet', TABLET, ['dark']],
    ['phone', PHONE, ['dark', 'light']],
  ]) {
    for (const colorScheme of schemes) {
      const page = await visitor(browser, complaints, { ...options, colorScheme });
      const name = (what) => `${what}-${form}-${colorScheme}`;
      await page.goto(links.shift());
      await page.locator('ul.rows li').first().waitFor();
      await page.waitForTimeout(900);
      await shoot(page, name('list'), form === 'phone');
      for (const session of [wanted.quiet, wanted.shell]) {
        await page.goto(new URL(`/#/session/${session}`, page.url()).href);
        await page.locator('.xterm-rows').waitFor();
        await page.waitForTimeout(700);
        await shoot(page, name(`session-${session}`), form === 'phone');
      }
      await page.goto(new URL('/#/recordings', page.url()).href);
      await page.locator('ul.rows li.recording').first().waitFor();
      await shoot(page, name('recordings'));
      await page.goto(new URL(`/#/recordings/${wanted.recording}`, page.url()).href);
      await page.locator('#play').waitFor();
      await page.locator('.moment').nth(3).click();
      await page.waitForTimeout(400);
      await shoot(page, name('replay'), form === 'phone');
      await page.keyboard.press('?');
      await shoot(page, name('keys'));
      await page.context().close();
    }
  }
  return complaints;
}

if (process.argv[1].endsWith('shots.mjs')) {
  const wanted = JSON.parse(process.env.VIEWER_TEST);
  const browser = await launch(wanted.chromium);
  console.log(JSON.stringify(await shots(browser, wanted)));
  await browser.close();
}
