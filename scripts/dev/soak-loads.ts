/*
 * Loads and disposes of a trained model many times, and fails when memory or threads grow:
 *
 *     npm run soak:loads -- RUN [LOADS]
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { load } from '../../trainer/public/unisum.js';

const LOADS = 1000;
/** Growth per load that is no leak: of the heap, and of the resident set, which the allocator keeps in larger pieces. */
const HEAP_BYTES_MAX = 4096;
const RESIDENT_BYTES_MAX = 32_768;
/** Loads before the first measurement: until then caches are filled, and the allocator takes memory that it reuses later. */
const WARM_UP = 300;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes that remain in use: heap, array buffers, and the resident set. */
function inUse(): { readonly heap: number; readonly rss: number } {
  for (let i = 0; i < 5; i++) collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}

async function loadAndDispose(path: string): Promise<void> {
  const model = await load(path, { threads: 1 });
  const elements = Object.values(model.inputs).map((shape) =>
    shape.reduce((product, side) => product * side, 1),
  );
  const names = Object.keys(model.inputs);
  const inputs = Object.fromEntries(names.map((name, i) => [name, new Float32Array(elements[i] ?? 1)]));
  await model.predict(inputs);
  await model.dispose();
}

const [path, count = String(LOADS)] = process.argv.slice(2);
if (path === undefined) throw new Error('name a run directory: npm run soak:loads -- runs/FOLDER');
const loads = Number(count);
for (let i = 0; i < WARM_UP; i++) await loadAndDispose(path);
const before = inUse();
for (let i = 0; i < loads; i++) await loadAndDispose(path);
const after = inUse();
const growth = { heap: (after.heap - before.heap) / loads, rss: (after.rss - before.rss) / loads };
const threads = process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
process.stderr.write(
  `${loads} loads: heap ${Math.round(growth.heap)} bytes a load, resident ${Math.round(growth.rss)} bytes a load, ` +
    `${threads} threads left\n`,
);
if (growth.heap > HEAP_BYTES_MAX || growth.rss > RESIDENT_BYTES_MAX || threads > 0) process.exitCode = 1;
