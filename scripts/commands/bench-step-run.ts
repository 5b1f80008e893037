import { systemClock } from '../../shared/actor/clock.js';
import { availableBackends } from '../bench/backends.js';
import { benchOverhead, type OverheadResult } from '../bench/overhead-bench.js';
import { describePytorch, findPytorch } from '../bench/pytorch.js';
import { benchSteps, COMPARED_STEPS, type StepResult } from '../bench/step-bench.js';
import type { Workload } from '../bench/workloads.js';
import { type Column, formatNumber, textTable } from '../terminal/text-table.js';
import { beginOn } from './bench-machine.js';
import type { BenchSettings } from './bench-options.js';
import type { CommandContext } from './command.js';

/** Length of a window, short enough that some fall between two interruptions on a busy machine. */
const WINDOW_MS = 50;

/** Settings of `bench step`. */
export interface BenchStepSettings extends BenchSettings {
  readonly workloads: readonly Workload[];
  /** Undefined: each workload's own. */
  readonly batches: readonly number[] | undefined;
}

/** Measures steps, prints tables and, with --json, the result. */
export async function benchStepCommand(
  settings: BenchStepSettings,
  { terminal }: CommandContext,
): Promise<void> {
  const machine = beginOn(terminal, settings.anyLoad);
  const backends = settings.backends ?? (await availableBackends());
  const windows = { count: settings.windows, ms: WINDOW_MS };
  const results: StepResult[] = [];
  const overhead: OverheadResult[] = [];
  const pytorch = settings.peer && (await findPytorch());
  if (pytorch) terminal.say(describePytorch(pytorch));
  const peer = pytorch?.start('pytorch-step.py');
  try {
    for (const workload of settings.workloads) {
      for (const batch of settings.batches ?? workload.batches) {
        terminal.say(`${workload.name}, batch ${batch} ...`);
        results.push(...(await benchSteps({ workload, batch, backends, peer, windows }, systemClock)));
        const [fastest] = backends;
        if (workload.showsOverhead && fastest !== undefined)
          overhead.push(...(await benchOverhead(workload, batch, fastest, windows, systemClock)));
      }
    }
  } finally {
    peer?.close();
  }
  for (const line of textTable(STEP_COLUMNS, results)) terminal.say(line);
  if (overhead.length > 0) terminal.say('\noverhead of a step besides its arithmetic, microseconds:');
  if (overhead.length > 0) for (const line of textTable(OVERHEAD_COLUMNS, overhead)) terminal.say(line);
  const peerFacts = pytorch === undefined ? {} : { peer: describePytorch(pytorch) };
  if (settings.json) terminal.result({ machine, ...peerFacts, results, overhead });
}

const STEP_COLUMNS: readonly Column<StepResult>[] = [
  { heading: 'workload', cell: ({ workload }) => workload },
  { heading: 'batch', cell: ({ batch }) => String(batch) },
  { heading: 'backend', cell: ({ backend, detail }) => `${backend} (${detail})` },
  { heading: 'us/step', cell: ({ usPerStep }) => formatNumber(usPerStep) },
  { heading: 'fastest', cell: ({ fastestUsPerStep }) => formatNumber(fastestUsPerStep) },
  { heading: 'peer', cell: ({ peerUsPerStep }) => formatNumber(peerUsPerStep) },
  { heading: 'fastest', cell: ({ peerFastestUsPerStep }) => formatNumber(peerFastestUsPerStep) },
  { heading: 'speed ratio', cell: ({ ratio }) => formatNumber(ratio) },
  { heading: `weights after ${COMPARED_STEPS}`, cell: ({ weightsSha256 }) => weightsSha256.slice(0, 12) },
];

const OVERHEAD_COLUMNS: readonly Column<OverheadResult>[] = [
  { heading: 'workload', cell: ({ workload }) => workload },
  { heading: 'batch', cell: ({ batch }) => String(batch) },
  { heading: 'path', cell: ({ path }) => path },
  { heading: 'threads', cell: ({ threads }) => String(threads) },
  { heading: 'step', cell: ({ usPerStep }) => formatNumber(usPerStep) },
  { heading: 'arithmetic', cell: ({ arithmeticUs }) => formatNumber(arithmeticUs) },
  { heading: 'overhead', cell: ({ overheadUs }) => formatNumber(overheadUs) },
];
