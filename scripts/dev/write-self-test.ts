/**
 * Writes the hashes that the self-test expects (shared/kernels/self-test/self-test-hashes.ts), if all builds that run on this
 * machine give the same ones. Needed when a kernel is added, renamed, or changes its results on purpose.
 *
 *     npx tsx scripts/dev/write-self-test.ts
 */
import { writeFileSync } from 'node:fs';
import { sha256Hex } from '../../shared/files/sha256.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { type KernelHash, runSelfTest, SELF_TEST_BYTES } from '../../shared/kernels/self-test/self-test.js';

const FILE = 'shared/kernels/self-test/self-test-hashes.ts';

async function hashesOf(backend: 'auto' | 'wasm' | 'wasm-exact'): Promise<KernelHash[]> {
  const stackTop = STATIC_BYTES + THREAD_BYTES;
  const pages = Math.ceil((stackTop + SELF_TEST_BYTES) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });
  return runSelfTest(await loadKernels({ memory, backend, stackTop }), memory, stackTop, sha256Hex);
}

const exact = await hashesOf('wasm-exact');
for (const backend of ['auto', 'wasm'] as const) {
  const others = await hashesOf(backend);
  const different = exact.filter(({ hash }, i) => hash !== others[i]!.hash);
  if (different.length > 0) {
    const names = different.map(({ kernel }) => kernel).join(', ');
    process.stderr.write(`${backend} and wasm-exact differ in ${names}; nothing was written\n`);
    process.exit(1);
  }
}
const lines = exact.map(({ kernel, hash }) => `  ${kernel}: '${hash}',`);
writeFileSync(
  FILE,
  `import type { KernelName } from '../command-buffer.js';

// Written by scripts/dev/write-self-test.ts; do not edit.

/** The hash of each kernel in the self-test, which is the same for every build on every machine. */
export const EXPECTED_HASHES: { readonly [K in KernelName]: string } = {
${lines.join('\n')}
};
`,
);
process.stderr.write(`write-self-test: ${FILE}, ${exact.length} kernels\n`);
