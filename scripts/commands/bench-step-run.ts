import { systemClock } from '../../shared/actor/clock.js';
import { presentBackends } from '../bench/backends.js';
import { describeMachine, machineFacts } from '../bench/machine-facts.js';
import { benchOverhead, type OverheadResult } from '../bench/overhead-bench.js';
import { describePytorch, findPytorch } from '../bench/pytorch.js';
import { benchSteps, COMPARED_STEPS, type StepResult } from '../bench/step-bench.js';
import type { Workload } from '../bench/workloads.js';
import { type Column, figure, textTable } from '../terminal/text-table.js';
import type { BenchSettings } from './bench-options.js';
import type { CommandContext } from './command.js';

/** Length of one window: some are short enough to fall between two interruptions of a busy machine. */
const WINDOW_MS = 50;

/** What `bench step` is told. */
export interface BenchStepSettings extends BenchSettings {
  readonly workloads: readonly Workload[];
  /** Undefined: each workload's own. */
  readonly batches: readonly number[] | undefined;
}

/** Times steps, prints tables for people and, with --json, the result. */
export async function benchStepCommand(
  settings: BenchStepSettings,
  { terminal, interrupted }: CommandContext,
): Promise<void> {
  const machine = machineFacts();
  terminal.say(describeMachine(machine));
  const backends = settings.backends ?? (await presentBackends());
  const windows = { count: settings.windows, ms: WINDOW_MS };
  const results: StepResult[] = [];
  const overhead: OverheadResult[] = [];
  const pytorch = settings.peer && (await findPytorch());
  if (pytorch) terminal.say(describePytorch(pytorch));
  const peer = pytorch?.start('pytorch-step.py');
  try {
    for (const workload of settings.workloads) {
      for (const batch of settings.batches ?? workload.batches) {
        if (interrupted.aborted) return;
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
  if (overhead.length > 0) terminal.say('\na step apart from its arithmetic, microseconds:');
  if (overhead.length > 0) for (const line of textTable(OVERHEAD_COLUMNS, overhead)) terminal.say(line);
  const peerFacts = pytorch === undefined ? {} : { peer: describePytorch(pytorch) };
  if (settings.json) terminal.result({ machine, ...peerFacts, results, overhead });
}

const STEP_COLUMNS: readonly Column<StepResult>[] = [
  { heading: 'workload', cell: ({ workload }) => workload },
  { heading: 'batch', cell: ({ batch }) => String(batch) },
  { heading: 'backend', cell: ({ backend, detail }) => `${backend} (${detail})` },
  { heading: 'us/step', cell: ({ usPerStep }) => figure(usPerStep) },
  { heading: 'fastest', cell: ({ fastestUsPerStep }) => figure(fastestUsPerStep) },
  { heading: 'peer', cell: ({ peerUsPerStep }) => figure(peerUsPerStep) },
  { heading: 'fastest', cell: ({ peerFastestUsPerStep }) => figure(peerFastestUsPerStep) },
  { heading: 'times as fast', cell: ({ ratio }) => figure(ratio) },
  { heading: `weights after ${COMPARED_STEPS}`, cell: ({ weightsSha256 }) => weightsSha256.slice(0, 12) },
];

const OVERHEAD_COLUMNS: readonly Column<OverheadResult>[] = [
  { heading: 'workload', cell: ({ workload }) => workload },
  { heading: 'batch', cell: ({ batch }) => String(batch) },
  { heading: 'path', cell: ({ path }) => path },
  { heading: 'threads', cell: ({ threads }) => String(threads) },
  { heading: 'step', cell: ({ usPerStep }) => figure(usPerStep) },
  { heading: 'arithmetic', cell: ({ arithmeticUs }) => figure(arithmeticUs) },
  { heading: 'overhead', cell: ({ overheadUs }) => figure(overheadUs) },
];
