/*
 * Loads and disposes of a trained model many times, and fails when memory or threads grow:
 *
 *     npm run soak:loads -- RUN [LOADS]
 *
 * A leak grows all the time, while caches and the allocator take memory now and then. So the growth that counts is the median of
 * several spans of loads. With few loads, which tests run, the resident set tells nothing, and only the heap counts.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { load } from '../../trainer/public/unisum.js';

const LOADS = 1000;
const SPANS = 5;
/** Growth per load that is no leak: of the heap, and of the resident set, which the allocator keeps in larger pieces. */
const HEAP_BYTES_MAX = 4096;
const RESIDENT_BYTES_MAX = 32_768;
/** Loads before the first measurement, at most: until then caches are filled, and the allocator takes memory that it reuses later. */
const WARM_UP_MAX = 300;
/** Turns of the event loop in which ports of threads that have stopped are closed. */
const TURNS_MAX = 1000;

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

/** Threads that are left. The ports of one that has stopped are closed some turns of the event loop later. */
async function threadsLeft(): Promise<number> {
  const count = (): number =>
    process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
  for (let turn = 0; turn < TURNS_MAX && count() > 0; turn++)
    await new Promise<void>((resolve) => setImmediate(resolve));
  return count();
}

/** The middle one of the growths per load between measurements. */
function medianGrowth(bytes: readonly number[], loads: number): number {
  const growths = bytes.slice(1).map((now, i) => (now - (bytes[i] as number)) / loads);
  return growths.sort((a, b) => a - b)[Math.floor(growths.length / 2)] as number;
}

const [path, count = String(LOADS)] = process.argv.slice(2);
if (path === undefined) throw new Error('name a run directory: npm run soak:loads -- runs/FOLDER');
const each = Math.ceil(Number(count) / SPANS);
const isLong = Number(count) >= WARM_UP_MAX;
const loadTimes = async (times: number): Promise<void> => {
  for (let i = 0; i < times; i++) await loadAndDispose(path);
};
await loadTimes(Math.min(WARM_UP_MAX, 2 * each));
const found = [inUse()];
for (let span = 0; span < SPANS; span++) {
  await loadTimes(each);
  found.push(inUse());
}
const heap = medianGrowth(
  found.map((bytes) => bytes.heap),
  each,
);
const resident = medianGrowth(
  found.map(({ rss }) => rss),
  each,
);
const threads = await threadsLeft();
process.stderr.write(
  `${SPANS * each} loads: heap ${Math.round(heap)} bytes a load, resident ${Math.round(resident)} bytes a load, ` +
    `${threads} threads left\n`,
);
const grows = heap > HEAP_BYTES_MAX || (isLong && resident > RESIDENT_BYTES_MAX) || threads > 0;
// Threads that are left would keep the process alive.
process.exit(grows ? 1 : 0);
