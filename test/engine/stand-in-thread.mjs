// @ts-check
/**
 * A compute thread whose kernels are a few operations in JavaScript: exact arithmetic on integers, and the ways in which
 * a thread can fail.
 */
import { parentPort } from 'node:worker_threads';

/** The compiled modules, by name so that the type check needs no build. @param {string} path */
const compiled = (path) => import(new URL(`../../dist/shared/${path}`, import.meta.url).href);

/** @type {typeof import('../../shared/engine/threads/thread-loop.js')} */
const { runThread } = await compiled('engine/threads/thread-loop.js');
/** @type {typeof import('../../shared/errors.js')} */
const { UserError } = await compiled('errors.js');

/** @param {import('../../shared/engine/threads/thread-loop.js').ThreadTask} task */
export function compute(task) {
  return runThread(task, load, (ready) => parentPort?.postMessage(ready));
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
        const [operation, ...args] = cells.subarray(at, at + 4);
        OPERATIONS[/** @type {number} */ (operation)]?.(
          cells,
          .../** @type {[number, number, number]} */ (args),
        );
      }
    },
  };
  return kernels;
}

/** @type {Readonly<Record<number, (cells: Int32Array, a: number, b: number, c: number) => void>>} */
const OPERATIONS = {
  // digest: cells[a] = a number that depends on cells [b, b + c) and on their order
  1: (cells, a, b, c) => {
    cells[a] = cells.subarray(b, b + c).reduce((sum, cell) => (Math.imul(sum, 31) + cell) | 0, 17);
  },
  // exit: the thread dies without an error
  2: () => process.exit(3),
  // fail: throws
  3: () => {
    throw new RangeError('the kernel failed');
  },
  // hold: adds 1 to cells[a], and waits until cells[b] is not 0
  4: (cells, a, b) => {
    Atomics.add(cells, a, 1);
    Atomics.notify(cells, a);
    Atomics.wait(cells, b, 0);
  },
  // count: adds 1 to cells[a]; when it is b, holds with cells[c] and cells[c + 1]
  5: (cells, a, b, c) => {
    const count = Atomics.add(cells, a, 1) + 1;
    if (count === b) OPERATIONS[4]?.(cells, c, c + 1, 0);
  },
  // exitAt: exits when cells[a] is b
  6: (cells, a, b) => {
    if (Atomics.load(cells, a) === b) process.exit(3);
  },
};
