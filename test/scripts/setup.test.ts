import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildIsFresh, buildSources } from '../../scripts/setup/build.mjs';
import { withLock } from '../../scripts/setup/lock.mjs';
import { tooOld } from '../../scripts/setup/node-version.mjs';
import { firstDifference, whyInstall } from '../../scripts/setup/packages.mjs';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const LINUX = { platform: 'linux', arch: 'x64' };

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'unisum-setup-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

describe('the version of Node', () => {
  it.each(['20.19.0', '20.20.2', '22.0.0', '24.1.0'])('may be %s', (version) => {
    expect(tooOld(version)).toBeUndefined();
  });

  it.each(['18.20.0', '20.18.3', '0.10.48'])('must not be %s', (version) => {
    expect(tooOld(version)).toContain(`Node 20.19 or newer is needed, this is ${version}: install`);
  });

  it('is the same in package.json', () => {
    const { engines } = JSON.parse(readFileSync(join(CHECKOUT, 'package.json'), 'utf8'));
    expect(engines.node).toBe('>=20.19');
  });
});

describe('installed packages', () => {
  const ws = { version: '8.0.0', integrity: 'sha512-a' };
  const wanted = { '': {}, 'node_modules/ws': ws };

  it('need no installation when all are there', () => {
    expect(firstDifference(wanted, { 'node_modules/ws': ws }, LINUX)).toBeUndefined();
  });

  it('may lack optional ones', () => {
    const optional = { ...wanted, 'node_modules/fast': { version: '1.0.0', optional: true, os: ['darwin'] } };
    expect(firstDifference(optional, { 'node_modules/ws': ws }, LINUX)).toBeUndefined();
  });

  it.each([
    [{}, 'ws is missing'],
    [{ 'node_modules/ws': { ...ws, version: '7.0.0' } }, 'ws is not 8.0.0'],
    [{ 'node_modules/ws': { ...ws, integrity: 'sha512-b' } }, 'ws has changed'],
    [{ 'node_modules/ws': ws, 'node_modules/@a/b': {} }, '@a/b is no longer used'],
  ])('differ: %j', (installed, reason) => {
    expect(firstDifference(wanted, installed, LINUX)).toBe(reason);
  });

  it('must be for this platform', () => {
    const addon = { version: '1.0.0', optional: true, os: ['linux'], cpu: ['!arm64'] };
    const lock = { 'node_modules/addon': addon };
    expect(firstDifference(lock, lock, LINUX)).toBeUndefined();
    expect(firstDifference(lock, lock, { ...LINUX, arch: 'arm64' })).toBe('addon is for another machine');
    expect(firstDifference(lock, lock, { ...LINUX, platform: 'darwin' })).toBe(
      'addon is for another machine',
    );
  });

  it('are missing in a fresh clone', () => {
    write('package-lock.json', JSON.stringify({ packages: wanted }));
    expect(whyInstall(root)).toBe('none yet');
    write('node_modules/.package-lock.json', JSON.stringify({ packages: { 'node_modules/ws': ws } }));
    expect(whyInstall(root)).toBeUndefined();
  });
});

describe('the build', () => {
  beforeEach(() => {
    for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json']) {
      write(name, readFileSync(join(CHECKOUT, name), 'utf8'));
    }
    symlinkSync(join(CHECKOUT, 'node_modules'), join(root, 'node_modules'));
    write('shared/a.ts', 'export const a: number = 1;\n');
    write('shared/page.html', '<p>');
  });

  it('is fresh until a source changes, and leaves no output of a deleted one', () => {
    expect(buildIsFresh(root)).toBe(false);
    buildSources(root);
    expect(buildIsFresh(root)).toBe(true);
    expect(readFileSync(join(root, 'dist/shared/a.js'), 'utf8')).toMatch(/^const a = 1;$/m);
    expect(readFileSync(join(root, 'dist/shared/page.html'), 'utf8')).toBe('<p>');

    write('shared/page.html', '<b>');
    expect(buildIsFresh(root)).toBe(false);
    write('shared/page.html', '<p>');
    expect(buildIsFresh(root)).toBe(true);

    write('shared/b.ts', 'export const b = 2;\n');
    rmSync(join(root, 'shared/a.ts'));
    buildSources(root);
    expect(existsSync(join(root, 'dist/shared/a.js'))).toBe(false);
    expect(existsSync(join(root, 'dist/shared/b.js'))).toBe(true);
  });

  it('keeps the last good one when the compiler reports errors', () => {
    buildSources(root);
    write('shared/a.ts', 'export const a: number = ;\n');
    expect(() => buildSources(root)).toThrow('the compiler found errors; fix them, then try again');
    expect(existsSync(join(root, 'dist/shared/a.js'))).toBe(true);
    expect(existsSync(join(root, 'dist.next'))).toBe(false);
    expect(buildIsFresh(root)).toBe(false);
  });
});

describe('the lock', () => {
  it('is held during the work and released afterwards, also when the work fails', () => {
    const path = join(root, 'deep/lock');
    withLock(
      path,
      () => undefined,
      () => expect(readFileSync(path, 'utf8')).toBe(String(process.pid)),
    );
    expect(existsSync(path)).toBe(false);
    const fail = (): void => {
      throw new Error('work failed');
    };
    expect(() => withLock(path, () => undefined, fail)).toThrow('work failed');
    expect(existsSync(path)).toBe(false);
  });

  it('is taken over from a process that has ended', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    write('lock', String(pid));
    let worked = false;
    withLock(
      join(root, 'lock'),
      () => undefined,
      () => {
        worked = true;
      },
    );
    expect(worked).toBe(true);
  });

  it('is waited for while its holder is alive', async () => {
    const path = join(root, 'lock');
    write('lock', String(process.pid));
    const lockModule = new URL('../../scripts/setup/lock.mjs', import.meta.url).href;
    const code = `import(${JSON.stringify(lockModule)}).then(({ withLock }) =>
      withLock(${JSON.stringify(path)}, () => console.log('waits'), () => console.log('works')))`;
    const other = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    other.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      if (printed === 'waits\n') rmSync(path);
    });
    await once(other, 'close');
    expect(printed).toBe('waits\nworks\n');
  });
});
