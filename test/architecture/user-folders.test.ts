import { homedir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, it } from 'vitest';

it.each([
  ['configuration', process.env.XDG_CONFIG_HOME],
  ['cache', process.env.XDG_CACHE_HOME],
])('tests, and the processes that they start, leave the %s of the user alone', (_what, folder) => {
  const checkout = join(import.meta.dirname, '..', '..');
  expect(relative(join(checkout, 'node_modules'), folder ?? homedir())).toMatch(/^\.cache/);
});
