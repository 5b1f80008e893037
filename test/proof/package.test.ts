import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { putMnist, unpackPackage } from '../support/installed-package.js';
import { nativeNodes } from './nodes.js';

/* The package as npm, pnpm and yarn install it from the registry, under every version of Node that it supports. */

const BASE = mkdtempSync(join(tmpdir(), 'unisum-installers-'));
const [packed, cache] = [join(BASE, 'packed'), join(BASE, 'cache')];
let tarball: string;

/** Each with the command that adds a file as a package to the project in the current folder. */
const INSTALLERS: Readonly<Record<string, readonly string[]>> = {
  npm: ['install', '--no-audit', '--no-fund'],
  pnpm: ['exec', '--yes', '--', 'pnpm@10', 'add'],
  yarn: ['exec', '--yes', '--', 'yarn@1', 'add', '--no-lockfile'],
};

beforeAll(async () => {
  await unpackPackage(packed);
  putMnist(cache);
  const args = ['pack', packed, '--ignore-scripts', '--pack-destination', BASE, '--loglevel=error'];
  tarball = join(BASE, execFileSync('npm', args, { encoding: 'utf8' }).trim());
}, 120_000);
afterAll(() => rmSync(BASE, { recursive: true }));

/** Of the weights after the first steps of `npm start`. */
const HASH = 'b800e83d6e6c17b7e1525f3db2453feffe487f604acc4c9277a9e6dc19d2c825';
const RUN_MS_MAX = 120_000;

const USE = `import('unisum/graph').then(({ Graph }) => console.log(typeof Graph));`;
const REQUIRE = `console.log(typeof require('unisum/graph').Graph);`;

describe.each(Object.entries(INSTALLERS))('a project of %s', (name, args) => {
  const folder = join(BASE, name);

  beforeAll(() => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'package.json'), '{ "name": "mine", "version": "1.0.0" }');
    const { status, stderr } = spawnSync('npm', [...args, tarball], { cwd: folder, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    writeFileSync(join(folder, 'use.cjs'), `${REQUIRE}${USE}`);
  }, 300_000);

  it.each(nativeNodes().filter((node) => !('missing' in node)))(
    'trains with one hash, alone and with a worker that joins, is imported and required: $name',
    async (node) => {
      const [program = '', ...first] = 'command' in node ? node.command : [];
      const file = resolve(program);
      const { PATH, XDG_CONFIG_HOME } = process.env;
      const how = { cwd: folder, env: { PATH, XDG_CONFIG_HOME, XDG_CACHE_HOME: cache } };
      const run = async (...words: string[]) => {
        const { stdout } = await promisify(execFile)(file, [...first, ...words], {
          ...how,
          timeout: RUN_MS_MAX,
        });
        return stdout;
      };
      const cli = join(folder, 'node_modules/unisum/dist/scripts/unisum.js');
      const train = async (...options: string[]) =>
        JSON.parse(await run(cli, 'train', '--steps', '20', '--json', ...options)) as TrainResult;
      for (const backend of ['auto', 'wasm'])
        expect(await train('--backend', backend)).toMatchObject({ weightsSha256: HASH });
      const joinFile = join(BASE, `${name}-${node.name}.join`.replaceAll(' ', '-'));
      const [together] = await Promise.all([
        train('--workers', '1', '--min-workers', '2', '--listen', '127.0.0.1:0', '--join-file', joinFile),
        run(cli, 'worker', '--join-file', joinFile),
      ]);
      expect(together.weightsSha256).toBe(HASH);
      expect(together.workers).toHaveLength(2);
      expect(await run('use.cjs')).toBe('function\nfunction\n');
    },
    4 * RUN_MS_MAX,
  );
});
