import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { compileKernels, kernelSources } from '../../scripts/dev/build-kernels.js';

const KERNELS = new URL('../../shared/kernels/', import.meta.url);
/** Time limit for two compilations by a compiler that runs in WebAssembly. */
const BUILD_MS = 600_000;

// Of the proof the longest part by far, and nothing but a change of the C source can break it: `npm run proof` alone has it.
it.skipIf(process.env.CI)(
  'the compiler makes the wasm files that are checked in, byte for byte',
  async () => {
    const built = await compileKernels(kernelSources(new URL('c', KERNELS).pathname));
    expect([...built.keys()]).toContain('wasm/relaxed.wasm');
    for (const [path, content] of built) {
      const checkedIn = await readFile(new URL(path, KERNELS));
      // Compared by hand: an assertion on unequal wasm files would print them.
      expect(
        checkedIn.equals(Buffer.from(content)),
        `${path} is out of date: run npm run build:kernels`,
      ).toBe(true);
    }
  },
  BUILD_MS,
);
