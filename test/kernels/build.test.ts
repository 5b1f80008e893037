import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { buildKernels } from '../../scripts/build-kernels.js';
import { parsePrototypes } from '../../scripts/kernels/prototypes.js';

const KERNELS = new URL('../../shared/kernels/', import.meta.url);
/** Two compilations by a compiler that itself runs in WebAssembly. */
const BUILD_MS = 240_000;

describe('parsePrototypes', () => {
  it('reads kernels in their order, over several lines', () => {
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

  it('names the file and the argument that it does not understand', () => {
    expect(() => parsePrototypes('x.c', 'KERNEL(fill, F64 value) {}')).toThrow(
      'x.c: kernel fill: "F64 value"',
    );
    expect(() => parsePrototypes('x.c', 'KERNEL(fill) {}')).toThrow('x.c: bad prototype');
  });
});

describe('what is checked in beside the C source', () => {
  it(
    'is what the build makes of it, byte for byte',
    async () => {
      const built = await buildKernels(new URL('c', KERNELS).pathname);
      expect([...built.keys()]).toContain('wasm/relaxed.wasm');
      for (const [path, content] of built) {
        const checkedIn = await readFile(new URL(path, KERNELS));
        // Compared by hand: an assertion on unequal wasm files would print them.
        expect(checkedIn.equals(Buffer.from(content)), `${path}; npm run build:kernels makes it anew`).toBe(
          true,
        );
      }
    },
    BUILD_MS,
  );
});
