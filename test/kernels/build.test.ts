import { readdir, readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUILDS, describeBuilds, kernelSources } from '../../scripts/dev/build-kernels.js';
import { parsePrototypes } from '../../scripts/dev/kernels/prototypes.js';

const KERNELS = new URL('../../shared/kernels/', import.meta.url);

describe('parsePrototypes', () => {
  it('reads prototypes in their order, over several lines', () => {
    const source = 'KERNEL(fill, PTR out, I32 n,\n       F32 value) {\n}\nKERNEL(copy, PTR out, PTR a) {}\n';
    expect(parsePrototypes('x.c', source)).toEqual([
      {
        name: 'fill',
        arguments: [
          { name: 'out', kind: 'ptr' },
          { name: 'n', kind: 'i32' },
          { name: 'value', kind: 'f32' },
        ],
      },
      {
        name: 'copy',
        arguments: [
          { name: 'out', kind: 'ptr' },
          { name: 'a', kind: 'ptr' },
        ],
      },
    ]);
  });

  it('names the file and the bad argument', () => {
    expect(() => parsePrototypes('x.c', 'KERNEL(fill, F64 value) {}')).toThrow(
      'x.c: kernel fill: "F64 value"',
    );
    expect(() => parsePrototypes('x.c', 'KERNEL(fill) {}')).toThrow('x.c: bad prototype');
  });
});

describe('the C source', () => {
  it('has no circle of includes, and only dispatch.h includes C files', async () => {
    const folder = new URL('c/', KERNELS);
    const files = (await readdir(folder, { recursive: true })).filter((file) => /\.[ch]$/.test(file));
    const includes = new Map<string, string[]>();
    for (const file of files) {
      const source = await readFile(new URL(file, folder), 'utf8');
      const targets = [...source.matchAll(/^#include "([^"]+)"/gm)].map((match) =>
        posix.join(posix.dirname(file), match[1]!),
      );
      includes.set(file, targets);
      if (file !== 'dispatch.h') expect(targets.filter((target) => target.endsWith('.c'))).toEqual([]);
    }
    expect(includes.get('entry.c')).toContain('dispatch.h');
    const reachable = (file: string, seen = new Set<string>()): Set<string> => {
      for (const target of includes.get(file) ?? [])
        if (!seen.has(target)) reachable(target, seen.add(target));
      return seen;
    };
    expect(files.filter((file) => reachable(file).has(file))).toEqual([]);
  });
});

describe('the generated files', () => {
  it('are those of the C source', async () => {
    const { version, generated } = kernelSources(new URL('c', KERNELS).pathname);
    const files = new Map<string, string>(generated);
    const builds = new Map<string, Uint8Array>();
    for (const path of ['wasm/relaxed.wasm', 'wasm/exact.wasm'])
      builds.set(path, await readFile(new URL(path, KERNELS)));
    // That a compiler makes these wasm files of this source is tested by test/proof/kernel-builds.test.ts.
    files.set(BUILDS, describeBuilds(version, builds));
    for (const [path, content] of files)
      expect(await readFile(new URL(path, KERNELS), 'utf8'), `${path}: run npm run build:kernels`).toBe(
        content,
      );
  });
});
