import { describe, expect, it } from 'vitest';
import { bannedCalls } from './banned-calls.js';
import { longFiles, wrongExports, wrongNames } from './file-shape.js';
import { leaks } from './leaks.js';
import { missingFromLock } from './lock-file.js';
import { wrongPackages } from './packages.js';
import { house } from './small-house.js';

/* Every rule is shown to fail on a small house that breaks it, and to be content with one that does not. */

describe('banned calls', () => {
  const found = (path: string, code: string): string[] => bannedCalls(house({ [path]: code }));

  it.each([
    ['worker/a.ts', 'Date.now();', 'Date.now'],
    ['worker/a.ts', 'const start = new Date();', 'Date()'],
    ['worker/a.ts', 'const { now } = performance;', 'performance.now'],
    ['worker/a.ts', 'globalThis.setTimeout(() => {}, 1);', 'setTimeout'],
    ['test/a.test.ts', 'await new Promise((done) => setTimeout(done, 100));', 'setTimeout'],
    ['scripts/a.ts', "import { setTimeout } from 'node:timers/promises';", 'node:timers/promises'],
    ['shared/actor/clock.ts', 'Math.random();', 'Math.random'],
    ['test/a.test.ts', "Math['random']();", 'Math.random'],
    ['shared/optim/adam.ts', 'const root = Math.sqrt(2);', 'Math.sqrt'],
    ['shared/optim/adam.ts', 'const f = Math.pow;', 'Math.pow'],
    ['shared/optim/adam.ts', 'const power = beta ** step;', '**'],
    ['shared/data/a.ts', 'const { exp, max } = Math;', 'Math.exp'],
    ['coordinator/a.ts', 'console.log(1);', 'console.log'],
  ])('finds in %s: %s', (path, code, name) => {
    const findings = found(path, code);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toContain(`${path}:1: ${name} is banned here`);
  });

  it.each([
    ['shared/actor/clock.ts', 'Date.now(); setTimeout(f, 1);'],
    ['shared/actor/rng.ts', 'crypto.getRandomValues(bytes);'],
    ['shared/optim/adam.ts', 'Math.fround(1); Math.imul(2, 3); const a = 2 ** level + 10 ** -3;'],
    [
      'coordinator/a.ts',
      'Math.sqrt(2); new Date(0); clock.now(); /* Date.now() */ const a = "Math.random()";',
    ],
    ['scripts/a.ts', 'console.log(1);'],
  ])('admits in %s: %s', (path, code) => {
    expect(found(path, code)).toEqual([]);
  });
});

describe('file shape', () => {
  it('counts lines, and asks for reasons that are still needed', () => {
    const files = house({
      'shared/a.ts': '\n'.repeat(251),
      'shared/b.ts': '\n'.repeat(250),
      'docs/long.md': '\n'.repeat(999),
    });
    expect(longFiles(files, {})).toEqual(['shared/a.ts: 251 lines, more than 250: is it one idea?']);
    expect(longFiles(files, { 'shared/a.ts': 'a table', 'shared/b.ts': 'none' })).toEqual([
      'shared/b.ts: excused from the length rule without need',
    ]);
  });

  it('knows kebab-case', () => {
    const files = {
      'a/inProcess.ts': '',
      'a/in_process.c': '',
      'a/in-process.ts': '',
      'a/in-process.test.ts': '',
      'README.md': '',
    };
    expect(wrongNames(house(files))).toEqual([
      'a/inProcess.ts: file names are in kebab-case',
      'a/in_process.c: file names are in kebab-case',
    ]);
  });

  it('finds default exports and barrels', () => {
    const files = {
      'a/a.ts': 'export default 1;',
      'a/b.ts': "export * from './a.js'; export { c } from './c.js';",
      'a/c.ts': "import './a.js'; export const c = 1;",
      'vitest.config.ts': 'export default {};',
    };
    expect(wrongExports(house(files))).toEqual([
      'a/a.ts: a default export; give it a name',
      'a/b.ts: only re-exports; import from where things are',
    ]);
  });
});

describe('packages', () => {
  const manifest = (dependencies: object, devDependencies: object = {}): string =>
    JSON.stringify({ scripts: { check: 'tsc --noEmit' }, dependencies, devDependencies });

  it('finds what is without a reason or a use, and what is not declared', () => {
    const files = {
      'package.json': manifest({ ws: '8', idle: '1' }, { vitest: '4', tsx: '4' }),
      'CONTRIBUTING.md': '\n- `ws`: sockets\n- `idle`: none\n- `vitest`: tests',
      'scripts/unisum.ts': "import('../worker/a.js');",
      'worker/a.ts': "import ws from 'ws';\nimport { it } from 'vitest';\nimport '@scope/other/part.js';",
      'scripts/tool.ts': "import { it } from 'vitest';\nimport 'unheard-of';",
    };
    expect(wrongPackages(house(files))).toEqual([
      'package.json: nothing uses idle',
      'CONTRIBUTING.md: has no line "- `tsx`: reason"',
      'package.json: nothing uses tsx',
      'worker/a.ts:2: vitest is not among the dependencies of package.json',
      'worker/a.ts:3: @scope/other is not among the dependencies of package.json',
      'scripts/tool.ts:2: unheard-of is not among the devDependencies of package.json',
    ]);
  });

  it('admits imports, commands, types and files of a package', () => {
    const files = {
      'package.json': manifest(
        { 'some-data': '1', ws: '8' },
        { typescript: '7', '@types/ws': '8', '@types/node': '20' },
      ),
      'CONTRIBUTING.md':
        '\n- `some-data`: a\n- `typescript`: b\n- `@types/ws`: c\n- `@types/node`: d\n- `ws`: e',
      'worker/a.ts':
        "import { WebSocket } from 'ws';\nimport fs from 'node:fs';\nrequire.resolve('some-data/package.json');",
      'test/a.test.ts': "import 'typescript';",
    };
    expect(wrongPackages(house(files))).toEqual([]);
  });
});

describe('the lock file', () => {
  const lock = (packages: object): string[] =>
    missingFromLock(house({ 'package-lock.json': JSON.stringify({ packages }) }));

  it('must list optional packages too', () => {
    expect(
      lock({
        '': { dependencies: { a: '1' } },
        'node_modules/a': { version: '1', optionalDependencies: { b: '1' } },
      }),
    ).toEqual(['package-lock.json: b, wanted by node_modules/a, is missing']);
  });

  it('may list them deeper or further up', () => {
    const packages = {
      '': { dependencies: { a: '1' } },
      'node_modules/a': { version: '1', dependencies: { b: '1', c: '1' } },
      'node_modules/a/node_modules/b': { version: '1', dependencies: { c: '1' } },
      'node_modules/c': { version: '1' },
    };
    expect(lock(packages)).toEqual([]);
  });
});

describe('leaks', () => {
  it('finds paths of one machine and unknown hosts', () => {
    const machine = ['', 'home', 'ann', 'unisum'].join('/');
    const files = { 'a.md': `see\n${machine}/a.ts`, 'b.ts': ['https:', '', 'mirror.corp', 'npm'].join('/') };
    expect(leaks(house(files))).toEqual([
      `a.md:2: ${machine.slice(0, -7)} is a path of one machine`,
      'b.ts:1: mirror.corp is not among the public hosts of leaks.ts',
    ]);
  });

  it('finds package addresses in the lock file', () => {
    const address = ['https:', '', 'mirror.corp', 'ws.tgz'].join('/');
    const funding = { 'package-lock.json': `"url": "${address}"` };
    const resolved = { 'package-lock.json': `"resolved": "${address}"` };
    expect(leaks(house(funding))).toEqual([]);
    expect(leaks(house(resolved))).toHaveLength(1);
  });

  it('admits public hosts, this machine and relative paths', () => {
    const files = {
      'a.md': 'https://arxiv.org/abs/1 ws://127.0.0.1:7700/#token ../work/a test/home/b ./tmp/x',
    };
    expect(leaks(house(files))).toEqual([]);
  });
});
