// The viewer in a real browser. `VIEWER_TEST` is JSON:
//
//   address, links, read_only   where it is; one-time links that may type (40) and that only look (one)
//   shell, quiet, lane          a session with a shell in which nothing runs; another one to look at; one without a terminal
//   approve                     { target, text, shows }: what waits, in `shell`'s terminal once it is allowed
//   deny                        { target, named }: a command that waits, and names of characters in it that are not visible, if any
//   question                    { device, user, asks }: who asks whoever logs in, and prompts with their answers
//   size                        rows and columns of `shell`, if they are not 24 and 80
//   device                      a device that can be opened, and has a shell
//   recording, cut              names of two recordings: one of commands in a shell, and one that ends in a line's middle
//   shots                       a folder for pictures; chromium: the browser, if it is not where it usually is
//
// Prints a line of JSON for each test and one at the end; exits with 1 if one failed.

import { tests as acting } from './cases/acting.mjs';
import { tests as connection } from './cases/connection.mjs';
import { tests as login } from './cases/login.mjs';
import { tests as pages } from './cases/pages.mjs';
import { tests as terminal } from './cases/terminal.mjs';
import { browser, complaints } from './world.mjs';

const tests = { ...login, ...terminal, ...acting, ...connection, ...pages };
const only = process.argv.slice(2);
let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  if (only.length > 0 && !only.includes(name)) continue;
  const begun = Date.now();
  let error = await test().then(
    () => null,
    (problem) => problem.message.slice(0, 1500),
  );
  if (!error && complaints.length > 0) error = `the browser complains: ${complaints.join('; ')}`;
  complaints.length = 0;
  for (const context of browser.contexts()) await context.close();
  failed += error ? 1 : 0;
  console.log(JSON.stringify({ test: name, ms: Date.now() - begun, ...(error ? { error } : {}) }));
}
await browser.close();
console.log(JSON.stringify({ failed }));
process.exit(failed > 0 ? 1 : 0);
