import type { Clock } from '../../shared/actor/clock.js';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { ComputeMemory } from '../../shared/engine/memory.js';
import { CommandBuffer } from '../../shared/kernels/command-buffer.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { openWorkbench, type Workbench } from './backends.js';
import type { PeerProcess } from './peer-process.js';
import { emitProduct, operandFloats, type ProductCase } from './products.js';
import type { Windows } from './step-bench.js';
import { timeStats } from './time-stats.js';

/** One product on one backend and one thread. */
export interface KernelResult {
  /** Name of the product. */
  readonly workload: string;
  /** Samples of the batch, or rows of a square matrix. */
  readonly batch: number;
  readonly leafSize?: number;
  readonly backend: string;
  readonly detail: string;
  readonly workers: 1;
  /** Microseconds per call: median of the windows. */
  readonly usPerStep: number;
  readonly gflops: number;
  /** Of the fastest window. */
  readonly fastestGflops: number;
  readonly peerGflops?: number;
  readonly peerFastestGflops?: number;
  /** The peer's median time over this kernel's: above 1, this kernel is faster. */
  readonly ratio?: number;
}

/** A product that is ready to run. */
interface Bench extends Workbench {
  readonly product: ProductCase;
  readonly commandBuffer: number;
  readonly words: number;
}

/** Times a product on all backends and the peer, with alternating windows. */
export async function benchProduct(
  product: ProductCase,
  backends: readonly Backend[],
  peer: PeerProcess | undefined,
  windows: Windows,
  clock: Clock,
): Promise<KernelResult[]> {
  const benches: Bench[] = [];
  for (const backend of backends) benches.push(await prepare(product, backend));
  const times = benches.map((): number[] => []);
  const peerTimes: number[] = [];
  for (let turn = 0; turn <= windows.count; turn++) {
    const own = benches.map((bench) => window(bench, windows.ms, clock));
    const { rows, inner, cols, transposed } = product;
    const request = { product: [rows, inner, cols], transposed, seconds: windows.ms / 1000 };
    const peers = await peer?.ask<{ usPerCall: number }>(request);
    // The first turn only warms up.
    if (turn === 0) continue;
    for (const [i, us] of own.entries()) times[i]?.push(us);
    if (peers !== undefined) peerTimes.push(peers.usPerCall);
  }
  return benches.map((bench, i) => result(bench, times[i] as number[], peerTimes));
}

async function prepare(product: ProductCase, backend: Backend): Promise<Bench> {
  const { memory, kernels } = await openWorkbench(backend);
  const floats = operandFloats(product);
  const a = filled(memory, floats.a);
  const b = filled(memory, floats.b);
  const commandBuffer = new CommandBuffer();
  emitProduct(commandBuffer, product, { a, b, out: memory.allocate(floats.out * 4, 'operands') });
  const words = commandBuffer.words();
  const at = memory.allocate(words.byteLength, 'command buffers');
  memory.i32(at, words.length).set(words);
  return { memory, kernels, product, commandBuffer: at, words: words.length };
}

/** Numbers from 0 to 1: no sum overflows and none is subnormal. */
function filled(memory: ComputeMemory, floats: number): number {
  const at = memory.allocate(floats * 4, 'operands');
  const random = new SeededRandom(floats);
  const values = memory.f32(at, floats);
  for (let i = 0; i < floats; i++) values[i] = random.next() / 2 ** 32;
  return at;
}

/** Microseconds per call over a window of at least `windowMs`. */
function window({ kernels, commandBuffer, words }: Bench, windowMs: number, clock: Clock): number {
  const begunMs = clock.nowMs();
  let calls = 0;
  let spentMs = 0;
  do {
    kernels.run(commandBuffer, words);
    calls += 1;
    spentMs = clock.nowMs() - begunMs;
  } while (spentMs < windowMs);
  return (spentMs / calls) * 1000;
}

function result(
  { product, kernels }: Bench,
  times: readonly number[],
  peerTimes: readonly number[],
): KernelResult {
  const { name, rows, inner, cols, transposed, leafSize } = product;
  const gflops = (us: number): number => (2 * rows * inner * cols) / us / 1000;
  const own = timeStats(times);
  const peer = peerTimes.length === 0 ? undefined : timeStats(peerTimes);
  return {
    ...{
      workload: name,
      batch: transposed === 'a' ? inner : rows,
      ...(leafSize === undefined ? {} : { leafSize }),
    },
    ...{ backend: kernels.backend, detail: kernels.detail, workers: 1 },
    usPerStep: own.median,
    gflops: gflops(own.median),
    fastestGflops: gflops(own.fastest),
    ...(peer && {
      peerGflops: gflops(peer.median),
      peerFastestGflops: gflops(peer.fastest),
      ratio: peer.median / own.median,
    }),
  };
}
