import { AssertionError } from '../../errors.js';
import type { Kernels } from '../kernels.js';
import { STATIC_BYTES } from '../memory-map.js';
import { type Call, callsOf, type Region, regionsOf } from './regions.js';

/** Environment variable that turns the checks on in every thread of a process, with any non-empty value. */
export const CHECK_VARIABLE = 'UNISUM_CHECK_OFFSETS';

/**
 * Wraps kernels so that every call of a command buffer is checked before it runs. Each offset must be a multiple of 4 (the
 * bytes of samples excepted), and all bytes that the kernel reads or writes from it on must lie inside the memory and
 * outside the constants of the wasm build. For finding bugs of plans: without the checks a wrong offset gives wrong
 * numbers, or no visible error.
 *
 * `run` throws AssertionError that names kernel, argument, offset and size; no call of the command buffer has run then.
 * @param memory the memory that `kernels` were loaded with
 */
export function checkOffsets(kernels: Kernels, memory: WebAssembly.Memory): Kernels {
  return {
    ...kernels,
    run(offset, words) {
      const contents = new Uint32Array(memory.buffer);
      for (const call of callsOf(new Int32Array(memory.buffer, offset, words))) check(call, contents);
      kernels.run(offset, words);
    },
  };
}

function check(call: Call, memory: Uint32Array): void {
  for (const region of regionsOf(call, memory)) {
    const why = violation(region, memory.byteLength);
    if (why) {
      const { name, offset, bytes } = region;
      throw new AssertionError(`${call.kernel}: ${name} at ${offset}, ${bytes} bytes: ${why}`);
    }
  }
}

function violation({ name, offset, bytes }: Region, memoryBytes: number): string | undefined {
  if (!Number.isInteger(bytes) || bytes < 0) return 'not a number of bytes';
  if (offset < STATIC_BYTES) return 'inside the constants of the wasm build';
  if (offset + bytes > memoryBytes) return `outside of the memory of ${memoryBytes} bytes`;
  if (offset % 4 !== 0 && !name.startsWith('sample')) return 'not a multiple of 4';
  return undefined;
}
