import { describe, expect, it } from 'vitest';
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { regionsOf } from '../../shared/kernels/regions.js';
import { runSelfTest, SELF_TEST_BYTES } from '../../shared/kernels/self-test.js';
import { type KernelArguments, type KernelName, Tape } from '../../shared/kernels/tape.js';
import { layOut } from '../../shared/kernels/trial.js';
import { BUILDS, type Build, commandOf } from './builds.js';
import { openDriver } from './driver.js';

const stackTop = STATIC_BYTES + THREAD_BYTES;
const TAPE = stackTop;
const pages = Math.ceil((stackTop + SELF_TEST_BYTES) / 65536) + 1;
const memoryOf = () => new WebAssembly.Memory({ initial: pages, maximum: 65536, shared: true });

/** What a build cannot be had for stands in the test's name: a skip needs a reason. */
function forEachBuild(only: (build: Build) => boolean, test: (build: Build) => void | Promise<void>): void {
  for (const build of BUILDS.filter(only)) {
    it.skipIf(build.missing)(`${build.name}${build.missing ? `: ${build.missing}` : ''}`, () => test(build));
  }
}

const isSanitized = ({ name }: Build): boolean => name.startsWith('sanitized');

describe('the self-test, kernel by kernel, is that of wasm-exact on', () => {
  forEachBuild(
    () => true,
    async (build) => {
      const [memory, memoryHere] = [memoryOf(), memoryOf()];
      const there = runSelfTest(openDriver(commandOf(build), { memory, stackTop }), memory, stackTop);
      const exact = await loadKernels({ memory: memoryHere, backend: 'wasm-exact', stackTop });
      expect(there).toEqual(runSelfTest(exact, memoryHere, stackTop));
    },
  );
});

/** A call that may touch one word less than it does, at the end of the argument `name`. */
function runShort(build: Build, kernel: KernelName, name: string): void {
  const memory = memoryOf();
  const words = new Uint32Array(memory.buffer);
  const { args } = layOut(kernel, { rows: 5, inner: 6, cols: 7 }, 'ordinary', words, TAPE + 1024);
  const tape = new Tape().emit(kernel, args as KernelArguments<typeof kernel>).words();
  words.set(tape, TAPE / 4);
  const kernels = openDriver(commandOf(build), { memory, stackTop }, function* (call, contents) {
    for (const region of regionsOf(call, contents)) {
      yield region.name === name ? { ...region, bytes: region.bytes - 4 } : region;
    }
  });
  kernels.run(TAPE, tape.length);
}

describe('a word too far is seen by', () => {
  forEachBuild(isSanitized, (build) => {
    // One read and one write that are whole words in every build; see docs/one-hash.md about masked ones.
    expect(() => runShort(build, 'gatherU8AsI32', 'out')).toThrow('AddressSanitizer: use-after-poison');
    expect(() => runShort(build, 'oneHot', 'labels')).toThrow('AddressSanitizer: use-after-poison');
    expect(() => runShort(build, 'oneHot', 'none')).not.toThrow();
  });
});
