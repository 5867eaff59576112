// A real browser for the tests, and waiting for what it shows.

import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const PROGRAMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const WAIT_MS = 45000;

export async function launch(wanted) {
  const executablePath = wanted ?? PROGRAMS.find(existsSync);
  if (!executablePath) throw new Error('there is no Chromium; `apt-get install chromium` installs it');
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--force-color-profile=srgb', '--host-resolver-rules=MAP evil.example 127.0.0.1'],
  });
}

/// A browser of its own: its cookies, its size, its colours. Complaints of its pages are kept.
export async function visitor(browser, complaints, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 860 }, colorScheme: 'dark', ...options });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' || message.text().includes('Content Security Policy'))
      complaints.push(`${message.type()}: ${message.text()}`);
  });
  return page;
}

/// What the terminal shows now.
export function screen(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('.xterm-rows > div')]
      .map((row) => row.textContent.replaceAll('\u00a0', ' ').trimEnd())
      .join('\n')
      .trimEnd(),
  );
}

/// Until the terminal shows this.
export async function shows(page, wanted) {
  const until = Date.now() + WAIT_MS;
  for (;;) {
    const text = await screen(page);
    if (wanted instanceof RegExp ? wanted.test(text) : text.includes(wanted)) return text;
    if (Date.now() > until) throw new Error(`the terminal does not show ${wanted}, but:\n${text}`);
    await page.waitForTimeout(50);
  }
}

export async function until(what, check) {
  const end = Date.now() + WAIT_MS;
  for (;;) {
    const got = await check();
    if (got) return got;
    if (Date.now() > end) throw new Error(`never: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function equal(got, wanted, what) {
  const [one, other] = [JSON.stringify(got), JSON.stringify(wanted)];
  if (one !== other) throw new Error(`${what}: ${one} instead of ${other}`);
}

/// Keeps pictures of pages in a folder.
export function camera(folder) {
  mkdirSync(folder, { recursive: true });
  return async (page, name, fullPage = false) => {
    // Messages go by themselves, at any moment.
    await page.evaluate(() => document.getElementById('toasts')?.replaceChildren());
    // A terminal that is out of sight is not drawn.
    if (fullPage) await page.evaluate(() => document.querySelector('.host')?.scrollIntoView());
    await page.waitForTimeout(100);
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage });
  };
}
