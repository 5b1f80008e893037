import { describe, expect, it } from 'vitest';
import { bannedCalls } from './banned-calls.js';
import { longFiles, wrongExports, wrongNames } from './file-shape.js';
import { globalNames, shadowingTypes } from './global-names.js';
import { leaks } from './leaks.js';
import { missingFromLock } from './lock-file.js';
import { oldWords } from './old-words.js';
import { wrongPackages } from './packages.js';
import { smallRepository } from './small-repository.js';
import { typedCommands } from './typed-commands.js';

/* Every rule is shown to fail on a small repository that breaks it, and to pass on one that does not. */

describe('banned calls', () => {
  const found = (path: string, code: string): string[] => bannedCalls(smallRepository({ [path]: code }));

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
  it('needs a reason for each long file, and for no others', () => {
    const files = smallRepository({
      'shared/a.ts': '\n'.repeat(301),
      'shared/b.ts': '\n'.repeat(300),
      'docs/long.md': '\n'.repeat(999),
    });
    const finding =
      'shared/a.ts: 301 lines, more than 300: if it is one idea, say why in LONG_FILES (exceptions.ts)';
    expect(longFiles(files, {})).toEqual([finding]);
    expect(longFiles(files, { 'shared/a.ts': ' ' })).toEqual([finding]);
    expect(longFiles(files, { 'shared/a.ts': 'a table', 'shared/b.ts': 'none' })).toEqual([
      'shared/b.ts: LONG_FILES has a reason that is no longer needed',
    ]);
  });

  it('checks kebab-case', () => {
    const files = {
      'a/inProcess.ts': '',
      'a/in_process.c': '',
      'a/in-process.ts': '',
      'a/in-process.test.ts': '',
      'README.md': '',
    };
    expect(wrongNames(smallRepository(files))).toEqual([
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
    expect(wrongExports(smallRepository(files))).toEqual([
      'a/a.ts: a default export; give it a name',
      'a/b.ts: only re-exports; import from where things are',
    ]);
  });
});

describe('global names', () => {
  const names = globalNames();
  const found = (code: string): string[] => shadowingTypes(smallRepository({ 'worker/a.ts': code }), names);

  it('are those of ECMAScript, the DOM, web workers and Node', () => {
    const some = [
      'Array',
      'Partial',
      'Document',
      'Range',
      'WorkerGlobalScope',
      'Buffer',
      'NodeJS',
      'process',
    ];
    expect(some.filter((name) => !names.has(name))).toEqual([]);
    // Types of Node's modules are imported, so their names are free.
    expect(names.has('Interface')).toBe(false);
  });

  it.each([
    ['export type Partial = number;', 'Partial'],
    ['interface Buffer {}', 'Buffer'],
    ['export class Range {}', 'Range'],
    ['function f() { type Event = 1; }', 'Event'],
    ['enum Lock { A }', 'Lock'],
    ['function f<Response>(a: Response) {}', 'Response'],
    ['type A = 1; export type { A as Text };', 'Text'],
  ])('finds in: %s', (code, name) => {
    expect(found(code)).toEqual([`worker/a.ts:1: ${name} shadows a global of TypeScript, the DOM or Node`]);
  });

  it.each([
    'export type PartialSum = number;',
    "import { Worker } from 'node:worker_threads'; export type { Worker };",
    'const name = 1; function close() {} const record: Record<string, Partial<object>> = {};',
  ])('admits: %s', (code) => {
    expect(found(code)).toEqual([]);
  });
});

describe('old words', () => {
  it('are found in identifiers and file names', () => {
    const files = {
      'worker/tape-store.ts': 'export class TapeStore { #crews = 1; }',
      'coordinator/a.ts': 'const maxStrideMs = STRIDES_MAX + a.strideOf;',
      'test/simulation/scripts/ends-a-stride.txt': '',
    };
    expect(oldWords(smallRepository(files))).toEqual([
      'worker/tape-store.ts: the file name says "tape": write "command buffer" (docs/glossary.md)',
      'worker/tape-store.ts:1: TapeStore says "tape": write "command buffer" (docs/glossary.md)',
      'worker/tape-store.ts:1: crews says "crew": write "step executor" (docs/glossary.md)',
      ...['maxStrideMs', 'STRIDES_MAX', 'strideOf'].map(
        (name) => `coordinator/a.ts:1: ${name} says "stride": write "steps per execution" (docs/glossary.md)`,
      ),
      'test/simulation/scripts/ends-a-stride.txt: the file name says "stride": write "steps per execution" (docs/glossary.md)',
    ]);
  });

  it('are found in pages', () => {
    const files = { 'docs/a.md': 'A thread\nruns its tapes.', 'worker/a.ts': '// tapes' };
    expect(oldWords(smallRepository(files))).toEqual([
      'docs/a.md:2: "tape" is an old word: write "command buffer" (docs/glossary.md)',
    ]);
  });

  it('are admitted where they mean something else, and inside of other words', () => {
    const files = {
      'shared/graph/ops/conv2d.ts': 'const strides = [1, 1];',
      'test/golden/strided.json': '{}',
      'worker/a.ts': 'const recommended = amendment + stapes + Object.hasOwn;',
    };
    expect(oldWords(smallRepository(files))).toEqual([]);
  });
});

describe('packages', () => {
  const manifest = (dependencies: object, devDependencies: object = {}): string =>
    JSON.stringify({ scripts: { check: 'tsc --noEmit' }, dependencies, devDependencies });

  it('need a reason, a use and a declaration', () => {
    const files = {
      'package.json': manifest({ ws: '8', idle: '1' }, { vitest: '4', tsx: '4', packed: '1' }),
      'CONTRIBUTING.md':
        '\n- `ws`: sockets\n- `idle`: none\n\nBundled with the program by x:\n\n- `packed`: small\n\n- `vitest`: tests',
      'scripts/unisum.ts': "import('../worker/a.js');\nimport 'packed';",
      'worker/a.ts': "import ws from 'ws';\nimport { it } from 'vitest';\nimport '@scope/other/part.js';",
      'scripts/tool.ts': "import { it } from 'vitest';\nimport 'unheard-of';",
    };
    expect(wrongPackages(smallRepository(files))).toEqual([
      'package.json: nothing uses idle',
      'CONTRIBUTING.md: has no line "- `tsx`: reason"',
      'package.json: nothing uses tsx',
      'worker/a.ts:2: vitest is not among the dependencies of package.json, nor bundled',
      'worker/a.ts:3: @scope/other is not among the dependencies of package.json, nor bundled',
      'scripts/tool.ts:2: unheard-of is not among the devDependencies of package.json',
    ]);
  });

  it('are used by imports, commands, types and paths', () => {
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
    expect(wrongPackages(smallRepository(files))).toEqual([]);
  });
});

describe('the lock file', () => {
  const lock = (packages: object): string[] =>
    missingFromLock(smallRepository({ 'package-lock.json': JSON.stringify({ packages }) }));

  it('must list optional packages too', () => {
    expect(
      lock({
        '': { dependencies: { a: '1' } },
        'node_modules/a': { version: '1', optionalDependencies: { b: '1' } },
      }),
    ).toEqual(['package-lock.json: b, required by node_modules/a, is missing']);
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
    expect(leaks(smallRepository(files))).toEqual([
      `a.md:2: ${machine.slice(0, -7)} is a path of one machine`,
      'b.ts:1: mirror.corp is not among the public hosts of leaks.ts',
    ]);
  });

  it('finds package addresses in the lock file', () => {
    const address = ['https:', '', 'mirror.corp', 'ws.tgz'].join('/');
    const funding = { 'package-lock.json': `"url": "${address}"` };
    const resolved = { 'package-lock.json': `"resolved": "${address}"` };
    expect(leaks(smallRepository(funding))).toEqual([]);
    expect(leaks(smallRepository(resolved))).toHaveLength(1);
  });

  it('admits public hosts, this machine and relative paths', () => {
    const files = {
      'a.md': 'https://arxiv.org/abs/1 ws://127.0.0.1:7700/#token ../work/a test/home/b ./tmp/x',
    };
    expect(leaks(smallRepository(files))).toEqual([]);
  });
});

it('finds commands of a checkout in texts that a user of the package sees', () => {
  const files = {
    'relay/a.ts': "say('join:  npm run -s unisum -- worker');",
    'trainer/b.ts': 'say(`resume:  npm start -- --resume`);',
    'trainer/c.ts': '/* npm start -- NAME */ say(commandLine("train NAME")); say("npm run build");',
    'shared/command-line.ts': 'return `npm start -- `;',
    'scripts/dev/d.ts': "say('npm start');",
  };
  expect(typedCommands(smallRepository(files))).toEqual([
    'relay/a.ts:1: this command fails in a package: use commandLine() of shared/command-line.ts',
    'trainer/b.ts:1: this command fails in a package: use commandLine() of shared/command-line.ts',
  ]);
});
