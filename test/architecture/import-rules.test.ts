import { describe, expect, it } from 'vitest';
import { wrongArrows } from './arrows.js';
import { nodeInBrowser } from './browser-imports.js';
import { circles } from './circles.js';
import { deadExports } from './dead-exports.js';
import { smallRepository } from './small-repository.js';

/* Every rule is shown to fail on a small repository that breaks it, and to pass on one that does not. */

describe('arrows', () => {
  const arrow = (from: string, code: string): string[] => wrongArrows(smallRepository({ [from]: code }));

  it.each([
    ['shared/link/a.ts', "import { b } from '../../coordinator/b.js';", 'shared must not import coordinator'],
    ['worker/a.ts', "\nimport type { B } from '../coordinator/b.js';", 'worker must not import coordinator'],
    ['coordinator/a.ts', "const b = await import('../worker/b.js');", 'coordinator must not import worker'],
    ['coordinator/a.ts', "const b = new URL('../worker/b.js', import.meta.url);", 'must not import worker'],
    ['coordinator/a.ts', "export * from '../worker/b.js';", 'must not import worker'],
    ['coordinator/a.ts', "type B = import('../test/b.js').B;", 'must not import test'],
    ['shared/graph/a.ts', "import { b } from '../engine/b.js';", 'shared/engine, which comes later'],
    [
      'shared/reduction/a.ts',
      "export { b } from '../graph/b.js';",
      'shared/reduction must not import shared/graph',
    ],
    ['shared/errors.ts', "import { b } from './reduction/b.js';", 'must not import shared/reduction'],
    ['examples/a.ts', "import { b } from '../worker/b.js';", 'examples must not import worker'],
    ['trainer/a.ts', "import { b } from '../scripts/b.js';", 'trainer must not import scripts'],
    ['simulation/a.ts', "import { b } from '../trainer/b.js';", 'simulation must not import trainer'],
    [
      'coordinator/membership/a.ts',
      "import { b } from '../scheduling/b.js';",
      'coordinator/membership must not import coordinator/scheduling',
    ],
    [
      'coordinator/state/a.ts',
      "import type { B } from '../policies/b.js';",
      'must not import coordinator/policies',
    ],
    [
      'coordinator/auditing/a.ts',
      "import { b } from '../training-loop.js';",
      'the room coordinator/auditing must not import coordinator/training-loop.ts, which composes the rooms',
    ],
    [
      'coordinator/effects.ts',
      "import { b } from './scheduling/dispatch.js';",
      'coordinator/effects.ts must not import coordinator/scheduling/dispatch.ts: only coordinator/transition.ts',
    ],
    [
      'worker/data-fetch.ts',
      "import { b } from './connection.js';",
      'worker/data-fetch.ts must not import worker/connection.ts',
    ],
  ])('refuses in %s: %s', (from, code, message) => {
    const findings = arrow(from, code);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(new RegExp(`^${from}:[12]: .*${message}`));
  });

  it.each([
    ['shared/link/a.ts', "import { b } from '../protocol/b.js'; import { c } from './c.js';"],
    ['shared/reduction/a.ts', "import { UserError } from '../errors.js'; import { c } from './c.js';"],
    [
      'worker/a.ts',
      "import { b } from '../shared/link/b.js'; import fs from 'node:fs'; import ws from 'ws';",
    ],
    ['scripts/a.ts', "import { b } from '../worker/b.js'; // import '../test/b.js'"],
    [
      'trainer/a.ts',
      "import { b } from '../coordinator/run-coordinator.js'; import c from '../worker/c.js';",
    ],
    [
      'coordinator/transition.ts',
      "import { b } from './membership/b.js'; import { c } from './auditing/c.js';",
    ],
    ['coordinator/effects.ts', "import { b } from './compute/b.js'; import { c } from './transition.js';"],
    ['coordinator/run-coordinator.ts', "import { b } from './membership/frame-limits.js';"],
    ['coordinator/policies/a.ts', "import { b } from '../state/b.js'; import { c } from './c.js';"],
    ['worker/transition.ts', "import { b } from './connection.js'; import { c } from './work-queue.js';"],
    ['vitest.config.ts', "import { b } from './scripts/b.js';"],
  ])('admits in %s: %s', (from, code) => {
    expect(arrow(from, code)).toEqual([]);
  });

  it('need an entry for each new folder or room', () => {
    expect(() => arrow('attic/a.ts', "import { b } from '../shared/b.js';")).toThrow('attic is a new folder');
    expect(() => arrow('coordinator/attic/a.ts', "import { b } from '../state/b.js';")).toThrow('a new room');
    expect(() => arrow('shared/attic/a.ts', "import { b } from '../reduction/b.js';")).toThrow(
      'no place in the order',
    );
  });
});

describe('what browsers reach', () => {
  const findings = (files: Record<string, string>): string[] => nodeInBrowser(smallRepository(files));

  it('has no module and no package of Node, however far away', () => {
    const files = {
      'web/page/main.ts':
        "import { a } from '../../shared/a.js';\nnew URL('../worker/thread.js', import.meta.url);",
      'web/worker/thread.ts': "import { Piscina } from 'piscina';",
      'shared/a.ts': "import { type B, b } from './b.js';",
      'shared/b.ts': "import { createHash } from 'node:crypto';",
    };
    expect(findings(files).sort()).toEqual([
      'shared/b.ts:1: a browser reaches this file and has no node:crypto',
      'web/worker/thread.ts:1: a browser reaches this file and has no piscina',
    ]);
  });

  it('may use types of anything, and packages for browsers', () => {
    const files = {
      'web/page/main.ts':
        "import type { Socket } from 'node:net'; import { type A } from '../../shared/a.js';",
      'shared/a.ts': "import { readFile } from 'node:fs/promises';",
      'web/link/b.ts': "import * as v from 'valibot'; import { sha256 } from '@noble/hashes/sha2.js';",
    };
    expect(findings(files)).toEqual([]);
  });
});

describe('circles', () => {
  it('include several files and type imports', () => {
    const files = {
      'shared/a.ts': "import { b } from './b.js';",
      'shared/b.ts': "import type { C } from './c.js';",
      'shared/c.ts': "import('./a.js');",
      'shared/d.ts': "import { a } from './a.js';",
    };
    expect(circles(smallRepository(files))).toEqual([
      'shared/a.ts -> shared/b.ts -> shared/c.ts -> shared/a.ts: a circle of imports',
    ]);
  });

  it('are not two paths to the same file', () => {
    const files = {
      'shared/a.ts': "import { b } from './b.js'; import { c } from './c.js';",
      'shared/b.ts': "import { c } from './c.js';",
      'shared/c.ts': 'export const c = 1;',
    };
    expect(circles(smallRepository(files))).toEqual([]);
  });
});

describe('dead exports', () => {
  const EXCEPTED = {
    'shared/kept.ts': 'export const k = 1;',
    'shared/words/word.ts': 'export const word = 1;',
  };
  const dead = (files: Record<string, string>): string[] =>
    deadExports(smallRepository(files), { 'shared/kept.ts k': 'reason', 'shared/words/': 'reason' });

  it('are exports that nothing uses, or only a test', () => {
    const files = {
      'shared/a.ts': 'export const used = 1;\nexport const unused = 2;\nexport function tested() {}',
      'shared/b.ts': "import { used } from './a.js';",
      'test/a.test.ts': "import { tested } from '../shared/a.js';",
      ...EXCEPTED,
    };
    expect(dead(files)).toEqual([
      'shared/a.ts:2: nothing uses the export unused',
      'shared/a.ts:3: nothing uses the export tested',
    ]);
  });

  it('need all of their exceptions', () => {
    const files = {
      'shared/kept.ts': 'export const k = 1;',
      'shared/words/word.ts': 'export const word = 1;',
      'shared/b.ts': "import { k } from './kept.js'; import { word } from './words/word.js';",
    };
    expect(dead(files)).toEqual([
      'shared/kept.ts k: LIVE_EXPORTS has an exception that is no longer needed',
      'shared/words/: LIVE_EXPORTS has an exception that is no longer needed',
    ]);
  });

  it('are not exports that are used in any way', () => {
    const files = {
      ...EXCEPTED,
      'shared/a.ts': 'export const a = 1; export class K {} export interface T {} export type U = T;',
      'shared/b.ts': "import * as all from './a.js';",
      'shared/lazy.ts': 'export const define = 1;',
      'scripts/a.ts': "const { define } = await import('../shared/lazy.js');",
      'shared/part.ts': 'export const part = () => 1;\npart();',
      'test/part.test.ts': "import { part } from '../shared/part.js';",
    };
    expect(dead(files)).toEqual([]);
  });
});
