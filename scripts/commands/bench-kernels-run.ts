import { systemClock } from '../../shared/actor/clock.js';
import { availableBackends } from '../bench/backends.js';
import { benchExactness, type ExactnessResult } from '../bench/exactness-bench.js';
import { benchProduct, type KernelResult } from '../bench/kernel-bench.js';
import { measurePeak } from '../bench/peak.js';
import { PRODUCTS } from '../bench/products.js';
import { describePytorch, findPytorch } from '../bench/pytorch.js';
import { WORKLOADS } from '../bench/workloads.js';
import { type Column, formatNumber, textTable } from '../terminal/text-table.js';
import { beginOn } from './bench-machine.js';
import type { BenchSettings } from './bench-options.js';
import type { CommandContext } from './command.js';

/** Length of a window. */
const WINDOW_MS = 30;

/** The result of a kernel, and how it compares with the machine's peak. */
interface ResultWithPeak extends KernelResult {
  /** Fraction of the machine's peak; absent when the peak is not known. */
  readonly shareOfPeak?: number;
}

/** Measures kernels and the cost of the canonical order; prints tables and, with --json, the result. */
export async function benchKernelsCommand(
  settings: BenchSettings,
  { terminal }: CommandContext,
): Promise<void> {
  const machine = beginOn(terminal, settings.anyLoad);
  const backends = settings.backends ?? (await availableBackends());
  const windows = { count: settings.windows, ms: WINDOW_MS };
  const peakGflops = await measurePeak();
  const peakText =
    peakGflops === undefined
      ? 'unknown, because there is no C compiler'
      : `${formatNumber(peakGflops)} GFLOP/s`;
  terminal.say(`peak of one core, multiply-adds in registers: ${peakText}`);
  const pytorch = settings.peer && (await findPytorch());
  if (pytorch) terminal.say(describePytorch(pytorch));
  const peer = pytorch?.start('pytorch-step.py');
  const results: ResultWithPeak[] = [];
  try {
    for (const product of PRODUCTS) {
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
      const [fastest] = backends;
      if (fastest !== undefined)
        exactness.push(await benchExactness(workload, batch, fastest, windows, systemClock));
    }
  }
  terminal.say('\ncost of the canonical order in whole steps:');
  for (const line of textTable(EXACTNESS_COLUMNS, exactness)) terminal.say(line);
  const facts = {
    ...(peakGflops === undefined ? {} : { peakGflops }),
    ...(pytorch === undefined ? {} : { peer: describePytorch(pytorch) }),
  };
  if (settings.json) terminal.result({ machine, ...facts, results, exactness });
}

const percent = (share: number | undefined): string =>
  share === undefined ? '-' : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;

const KERNEL_COLUMNS: readonly Column<ResultWithPeak>[] = [
  { heading: 'product', cell: ({ workload }) => workload },
  { heading: 'backend', cell: ({ backend, detail }) => `${backend} (${detail})` },
  { heading: 'GFLOP/s', cell: ({ gflops }) => formatNumber(gflops) },
  { heading: 'fastest', cell: ({ fastestGflops }) => formatNumber(fastestGflops) },
  { heading: 'of peak', cell: ({ shareOfPeak }) => percent(shareOfPeak) },
  { heading: 'peer', cell: ({ peerGflops }) => formatNumber(peerGflops) },
  { heading: 'fastest', cell: ({ peerFastestGflops }) => formatNumber(peerFastestGflops) },
  { heading: 'speed ratio', cell: ({ ratio }) => formatNumber(ratio) },
];

const EXACTNESS_COLUMNS: readonly Column<ExactnessResult>[] = [
  { heading: 'workload', cell: ({ workload }) => workload },
  { heading: 'batch', cell: ({ batch }) => String(batch) },
  { heading: 'backend', cell: ({ backend }) => backend },
  { heading: 'leaf size', cell: ({ leafSize }) => String(leafSize) },
  { heading: 'us/step', cell: ({ usPerStep }) => formatNumber(usPerStep) },
  { heading: 'one leaf', cell: ({ oneLeafUsPerStep }) => formatNumber(oneLeafUsPerStep) },
  { heading: 'cost', cell: ({ price }) => percent(price) },
];
