import { describe, expect, it } from 'vitest';
import { wrongArrows } from './arrows.js';
import { circles } from './circles.js';
import { deadExports } from './dead-exports.js';
import { house } from './small-house.js';

/* Every rule is shown to fail on a small house that breaks it, and to be content with one that does not. */

describe('arrows', () => {
  const arrow = (from: string, code: string): string[] => wrongArrows(house({ [from]: code }));

  it.each([
    ['shared/link/a.ts', "import { b } from '../../coordinator/b.js';", 'shared must not import coordinator'],
    ['worker/a.ts', "\nimport type { B } from '../coordinator/b.js';", 'worker must not import coordinator'],
    ['coordinator/a.ts', "const b = await import('../worker/b.js');", 'coordinator must not import worker'],
    ['coordinator/a.ts', "const b = new URL('../worker/b.js', import.meta.url);", 'must not import worker'],
    ['coordinator/a.ts', "export * from '../worker/b.js';", 'must not import worker'],
    ['coordinator/a.ts', "type B = import('../test/b.js').B;", 'must not import test'],
    ['shared/graph/a.ts', "import { b } from '../engine/b.js';", 'shared/engine, which comes later'],
    ['shared/sum/a.ts', "export { b } from '../graph/b.js';", 'shared/sum must not import shared/graph'],
    ['shared/errors.ts', "import { b } from './sum/b.js';", 'must not import shared/sum'],
  ])('refuses in %s: %s', (from, code, message) => {
    const findings = arrow(from, code);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toMatch(new RegExp(`^${from}:[12]: .*${message}`));
  });

  it.each([
    ['shared/link/a.ts', "import { b } from '../protocol/b.js'; import { c } from './c.js';"],
    ['shared/sum/a.ts', "import { UserError } from '../errors.js'; import { c } from './c.js';"],
    [
      'worker/a.ts',
      "import { b } from '../shared/link/b.js'; import fs from 'node:fs'; import ws from 'ws';",
    ],
    ['scripts/a.ts', "import { b } from '../worker/b.js'; // import '../test/b.js'"],
  ])('admits in %s: %s', (from, code) => {
    expect(arrow(from, code)).toEqual([]);
  });

  it('asks for the place of a new folder', () => {
    expect(() => arrow('shared/attic/a.ts', "import { b } from '../sum/b.js';")).toThrow(
      'no place in the order',
    );
  });
});

describe('circles', () => {
  it('finds one of several files and of types', () => {
    const files = {
      'shared/a.ts': "import { b } from './b.js';",
      'shared/b.ts': "import type { C } from './c.js';",
      'shared/c.ts': "import('./a.js');",
      'shared/d.ts': "import { a } from './a.js';",
    };
    expect(circles(house(files))).toEqual([
      'shared/a.ts -> shared/b.ts -> shared/c.ts -> shared/a.ts: a circle of imports',
    ]);
  });

  it('is content with two ways to the same file', () => {
    const files = {
      'shared/a.ts': "import { b } from './b.js'; import { c } from './c.js';",
      'shared/b.ts': "import { c } from './c.js';",
      'shared/c.ts': 'export const c = 1;',
    };
    expect(circles(house(files))).toEqual([]);
  });
});

describe('dead exports', () => {
  const dead = (files: Record<string, string>): string[] =>
    deadExports(house(files), { 'shared/kept.ts k': 'reason', 'shared/words/': 'reason' });

  it('finds what nothing uses, and what only its test uses', () => {
    const files = {
      'shared/a.ts': 'export const used = 1;\nexport const unused = 2;\nexport function tested() {}',
      'shared/b.ts': "import { used } from './a.js';",
      'test/a.test.ts': "import { tested } from '../shared/a.js';",
    };
    expect(dead(files)).toEqual([
      'shared/a.ts:2: nothing uses the export unused',
      'shared/a.ts:3: nothing uses the export tested',
    ]);
  });

  it('admits uses of all kinds', () => {
    const files = {
      'shared/words/word.ts': 'export const word = 1;',
      'shared/a.ts': 'export const a = 1; export class K {} export interface T {} export type U = T;',
      'shared/b.ts': "import * as all from './a.js';",
      'shared/lazy.ts': 'export const define = 1;',
      'scripts/a.ts': "const { define } = await import('../shared/lazy.js');",
      'shared/kept.ts': 'export const k = 1;',
      'shared/part.ts': 'export const part = () => 1;\npart();',
      'test/part.test.ts': "import { part } from '../shared/part.js';",
    };
    expect(dead(files)).toEqual([]);
  });
});
