import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { buildIsFresh } from '../../scripts/setup/build.mjs';

/** The folder of package.json. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds dist/ before tests that start threads or processes: those run compiled files, which must not be older than the
 * sources under test.
 * @throws Error when the sources do not compile; the compiler has said why
 */
export function setup(): void {
  if (buildIsFresh(ROOT)) return;
  const done = spawnSync('npm', ['run', '-s', 'build'], { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (done.status !== 0)
    throw new Error('tests with threads need a build, and npm run build failed: see above');
}
