// @ts-check
/**
 * A compute thread whose kernels are a few lines of JavaScript: integers to compare exactly, and the ways in which a
 * thread can fail.
 */
import { parentPort } from 'node:worker_threads';

/** The compiled modules, by name so that the type check needs no build. @param {string} path */
const compiled = (path) => import(new URL(`../../dist/shared/${path}`, import.meta.url).href);

/** @type {typeof import('../../shared/engine/thread-loop.js')} */
const { serve } = await compiled('engine/thread-loop.js');
/** @type {typeof import('../../shared/errors.js')} */
const { UserError } = await compiled('errors.js');

/** @param {import('../../shared/engine/thread-loop.js').ThreadTask} task */
export function compute(task) {
  return serve(task, load, (ready) => parentPort?.postMessage(ready));
}

/** @param {import('../../shared/kernels/kernels.js').LoadOptions & { backend: string }} options */
async function load({ memory, backend }) {
  if (backend === 'native') throw new UserError('the stand-in has no native kernels: use others');
  const kernels = {
    backend: /** @type {const} */ ('wasm'),
    detail: 'stand-in',
    /** @param {number} offset @param {number} words */
    run(offset, words) {
      const cells = new Int32Array(memory.buffer);
      for (let at = offset / 4; at < offset / 4 + words; at += 4) {
        const [deed, ...args] = cells.subarray(at, at + 4);
        DEEDS[/** @type {number} */ (deed)]?.(cells, .../** @type {[number, number, number]} */ (args));
      }
    },
  };
  return kernels;
}

/** @type {Readonly<Record<number, (cells: Int32Array, a: number, b: number, c: number) => void>>} */
const DEEDS = {
  // digest: cells[a] = a number that depends on cells [b, b + c) and on their order
  1: (cells, a, b, c) => {
    cells[a] = cells.subarray(b, b + c).reduce((sum, cell) => (Math.imul(sum, 31) + cell) | 0, 17);
  },
  // exit: the thread goes, without a word
  2: () => process.exit(3),
  // slip: an exception
  3: () => {
    throw new RangeError('the kernel slipped');
  },
  // hold: counts itself in at cells[a], and stays until cells[b] is not 0
  4: (cells, a, b) => {
    Atomics.add(cells, a, 1);
    Atomics.notify(cells, a);
    Atomics.wait(cells, b, 0);
  },
  // count: one more in cells[a]; from b on, does as 4 with cells[c] and cells[c + 1]
  5: (cells, a, b, c) => {
    const count = Atomics.add(cells, a, 1) + 1;
    if (count === b) DEEDS[4]?.(cells, c, c + 1, 0);
  },
  // exit at a count: as 2 when cells[a] is b
  6: (cells, a, b) => {
    if (Atomics.load(cells, a) === b) process.exit(3);
  },
};
