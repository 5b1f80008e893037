import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** Folders of tests that start threads or processes, which run what is compiled in dist/. */
const COMPILED = [
  ...['engine', 'worker', 'coordinator', 'process', 'browser', 'bench'].map(
    (folder) => `test/${folder}/**/*.test.ts`,
  ),
  'test/proof/nodes.test.ts',
  'test/proof/package.test.ts',
  'test/trainer/trainer.test.ts',
  'test/trainer/public/*.test.ts',
  'test/trainer/formats/*.test.ts',
];

/**
 * What only the proof and the checks of a change look at: builds under emulation, and runs that take long to show what shorter
 * tests show in part.
 */
const PROOF = ['test/proof/**', 'test/process/long/**', 'test/browser/long/**'];
const PROVES = Boolean(process.env.UNISUM_PROOF);

/** Stands for the folders of the user, in tests and in the processes that they start: those of the user are left alone. */
const USER_FOLDERS = join(import.meta.dirname, 'node_modules', '.cache', 'unisum-test');

export default defineConfig({
  test: {
    env: { XDG_CONFIG_HOME: join(USER_FOLDERS, 'config'), XDG_CACHE_HOME: join(USER_FOLDERS, 'cache') },
    // Processes: a test that starts threads, or ends one of them, must not be a thread of the runner's itself.
    pool: 'forks',
    // What is compiled runs as it is: also in a process of a test, recipes and commands share its modules.
    server: { deps: { external: [/\/dist\//] } },
    // Two files at a time: tests that start several threads each still get a core now and then.
    maxWorkers: 2,
    // Starting threads takes a second on a machine that is busy.
    testTimeout: PROVES ? 300_000 : 30_000,
    hookTimeout: PROVES ? 300_000 : 30_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'plain',
          include: ['test/**/*.test.ts'],
          exclude: [...COMPILED, ...(PROVES ? [] : PROOF)],
          globalSetup: 'test/kernels/addon.ts',
        },
      },
      {
        extends: true,
        test: {
          name: 'compiled',
          include: COMPILED,
          exclude: PROVES ? [] : PROOF,
          globalSetup: 'test/support/build.ts',
        },
      },
    ],
  },
});
