import { systemClock } from '../../shared/actor/clock.js';
import { presentBackends } from '../bench/backends.js';
import { benchExactness, type ExactnessResult } from '../bench/exactness-bench.js';
import { benchProduct, type KernelResult } from '../bench/kernel-bench.js';
import { describeMachine, machineFacts } from '../bench/machine-facts.js';
import { measurePeak } from '../bench/peak.js';
import { PRODUCTS } from '../bench/products.js';
import { describePytorch, findPytorch } from '../bench/pytorch.js';
import { WORKLOADS } from '../bench/workloads.js';
import { type Column, figure, textTable } from '../terminal/text-table.js';
import type { BenchSettings } from './bench-options.js';
import type { CommandContext } from './command.js';

/** Length of one window. */
const WINDOW_MS = 30;

/** A kernel's result beside what the machine could do. */
interface SharedResult extends KernelResult {
  /** Of the machine's peak; absent where that is not known. */
  readonly shareOfPeak?: number;
}

/** Times kernels, and what the canonical order costs; prints tables for people and, with --json, the result. */
export async function benchKernelsCommand(
  settings: BenchSettings,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const machine = machineFacts();
  terminal.say(describeMachine(machine));
  const backends = settings.backends ?? (await presentBackends());
  const windows = { count: settings.windows, ms: WINDOW_MS };
  const peakGflops = await measurePeak();
  const peakText = peakGflops === undefined ? 'not known: no C compiler' : `${figure(peakGflops)} GFLOP/s`;
  terminal.say(`peak of a core, multiply-adds in registers: ${peakText}`);
  const pytorch = settings.peer && (await findPytorch());
  if (pytorch) terminal.say(describePytorch(pytorch));
  const peer = pytorch?.start('pytorch-step.py');
  const results: SharedResult[] = [];
  try {
    for (const product of PRODUCTS) {
      if (interrupted.aborted) return;
      for (const result of await benchProduct(product, backends, peer, windows, systemClock)) {
        const share = peakGflops === undefined ? {} : { shareOfPeak: result.fastestGflops / peakGflops };
        results.push({ ...result, ...share });
      }
    }
  } finally {
    peer?.close();
  }
  for (const line of textTable(KERNEL_COLUMNS, results)) terminal.say(line);
  const exactness: ExactnessResult[] = [];
  for (const workload of WORKLOADS) {
    for (const batch of workload.batches) {
      if (interrupted.aborted) return;
      const [fastest] = backends;
      if (fastest !== undefined)
        exactness.push(await benchExactness(workload, batch, fastest, windows, systemClock));
    }
  }
  terminal.say('\nprice of the canonical order, whole steps:');
  for (const line of textTable(EXACTNESS_COLUMNS, exactness)) terminal.say(line);
  const facts = {
    ...(peakGflops === undefined ? {} : { peakGflops }),
    ...(pytorch === undefined ? {} : { peer: describePytorch(pytorch) }),
  };
  if (settings.json) terminal.result({ machine, ...facts, results, exactness });
}

const percent = (share: number | undefined): string =>
  share === undefined ? '-' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;

const KERNEL_COLUMNS: readonly Column<SharedResult>[] = [
  { heading: 'product', cell: ({ workload }) => workload },
  { heading: 'backend', cell: ({ backend, detail }) => `${backend} (${detail})` },
  { heading: 'GFLOP/s', cell: ({ gflops }) => figure(gflops) },
  { heading: 'fastest', cell: ({ fastestGflops }) => figure(fastestGflops) },
  { heading: 'of peak', cell: ({ shareOfPeak }) => percent(shareOfPeak) },
  { heading: 'peer', cell: ({ peerGflops }) => figure(peerGflops) },
  { heading: 'fastest', cell: ({ peerFastestGflops }) => figure(peerFastestGflops) },
  { heading: 'times as fast', cell: ({ ratio }) => figure(ratio) },
];

const EXACTNESS_COLUMNS: readonly Column<ExactnessResult>[] = [
  { heading: 'workload', cell: ({ workload }) => workload },
  { heading: 'batch', cell: ({ batch }) => String(batch) },
  { heading: 'backend', cell: ({ backend }) => backend },
  { heading: 'leaf', cell: ({ leaf }) => String(leaf) },
  { heading: 'us/step', cell: ({ usPerStep }) => figure(usPerStep) },
  { heading: 'one leaf', cell: ({ oneLeafUsPerStep }) => figure(oneLeafUsPerStep) },
  { heading: 'price', cell: ({ price }) => percent(price) },
];
