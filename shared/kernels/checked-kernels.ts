import { AssertionError } from '../errors.js';
import type { Kernels } from './kernels.js';
import { STATIC_BYTES } from './memory-map.js';
import { type Call, callsOf, type Region, regionsOf } from './regions.js';

/** Environment variable that turns the checks on in every thread of a process; any value but the empty one. */
export const CHECK_VARIABLE = 'UNISUM_CHECK_OFFSETS';

/**
 * Kernels that look at every call before they run its tape: each offset must be a multiple of 4 (bytes of samples apart)
 * and lead, as far as the kernel goes from it, to memory that is there and is not the wasm build's own. For hunting bugs
 * of plans: a wrong offset otherwise shows as wrong numbers, or not at all.
 *
 * `run` throws AssertionError that names kernel, argument, offset and extent; then nothing of the tape has run.
 * @param memory the one that `kernels` were loaded with
 */
export function checkOffsets(kernels: Kernels, memory: WebAssembly.Memory): Kernels {
  return {
    ...kernels,
    run(tapeOffset, words) {
      const contents = new Uint32Array(memory.buffer);
      for (const call of callsOf(new Int32Array(memory.buffer, tapeOffset, words))) check(call, contents);
      kernels.run(tapeOffset, words);
    },
  };
}

function check(call: Call, memory: Uint32Array): void {
  for (const region of regionsOf(call, memory)) {
    const why = fault(region, memory.byteLength);
    if (why) {
      const { name, offset, bytes } = region;
      throw new AssertionError(`${call.kernel}: ${name} at ${offset}, ${bytes} bytes: ${why}`);
    }
  }
}

function fault({ name, offset, bytes }: Region, memoryBytes: number): string | undefined {
  if (!Number.isInteger(bytes) || bytes < 0) return 'not a number of bytes';
  if (offset < STATIC_BYTES) return "inside the wasm build's own memory";
  if (offset + bytes > memoryBytes) return `outside of the memory of ${memoryBytes} bytes`;
  if (offset % 4 !== 0 && !name.startsWith('sample')) return 'not a multiple of 4';
  return undefined;
}
