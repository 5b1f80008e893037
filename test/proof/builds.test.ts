import { describe, expect, it } from 'vitest';
import { sha256Hex } from '../../shared/files/sha256.js';
import { regionsOf } from '../../shared/kernels/bounds/regions.js';
import { CommandBuffer, type KernelArguments, type KernelName } from '../../shared/kernels/command-buffer.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { runSelfTest, SELF_TEST_BYTES } from '../../shared/kernels/self-test/self-test.js';
import { placeTestCase } from '../../shared/kernels/self-test/test-case.js';
import { BUILDS, type Build, commandOf } from './builds.js';
import { openDriver } from './driver.js';

const stackTop = STATIC_BYTES + THREAD_BYTES;
const COMMAND_BUFFER = stackTop;
const pages = Math.ceil((stackTop + SELF_TEST_BYTES) / 65536) + 1;
const memoryOf = () => new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });

/** Runs a test for each build; the name of a skipped test has the reason. */
function forEachBuild(only: (build: Build) => boolean, test: (build: Build) => void | Promise<void>): void {
  for (const build of BUILDS.filter(only)) {
    it.skipIf(build.missing)(`${build.name}${build.missing ? `: ${build.missing}` : ''}`, () => test(build));
  }
}

const isSanitized = ({ name }: Build): boolean => name.startsWith('sanitized');

describe('the self-test gives the hashes of wasm-exact on', () => {
  forEachBuild(
    () => true,
    async (build) => {
      const [memory, exactMemory] = [memoryOf(), memoryOf()];
      const hashes = runSelfTest(
        openDriver(commandOf(build), { memory, stackTop }),
        memory,
        stackTop,
        sha256Hex,
      );
      const exact = await loadKernels({ memory: exactMemory, backend: 'wasm-exact', stackTop });
      expect(hashes).toEqual(runSelfTest(exact, exactMemory, stackTop, sha256Hex));
    },
  );
});

/** Runs a call with one accessible word less than it needs at the end of the argument `name`. */
function runShort(build: Build, kernel: KernelName, name: string): void {
  const memory = memoryOf();
  const words = new Uint32Array(memory.buffer);
  const { args } = placeTestCase(
    kernel,
    { rows: 5, inner: 6, cols: 7 },
    'ordinary',
    words,
    COMMAND_BUFFER + 1024,
  );
  const call = new CommandBuffer().emit(kernel, args as KernelArguments<typeof kernel>).words();
  words.set(call, COMMAND_BUFFER / 4);
  const kernels = openDriver(commandOf(build), { memory, stackTop }, function* (call, contents) {
    for (const region of regionsOf(call, contents)) {
      yield region.name === name ? { ...region, bytes: region.bytes - 4 } : region;
    }
  });
  kernels.run(COMMAND_BUFFER, call.length);
}

describe('an access beyond a region is detected by', () => {
  forEachBuild(isSanitized, (build) => {
    // One read and one write that are whole words in every build; see docs/one-hash.md about masked ones.
    expect(() => runShort(build, 'gatherU8AsI32', 'out')).toThrow('AddressSanitizer: use-after-poison');
    expect(() => runShort(build, 'oneHot', 'labels')).toThrow('AddressSanitizer: use-after-poison');
    expect(() => runShort(build, 'oneHot', 'none')).not.toThrow();
  });
});
