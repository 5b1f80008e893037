import { coordinate } from '../../coordinator/transition.js';
import { pause } from '../../simulation/faults.js';
import type { Scenario } from '../../simulation/plan.js';
import { VirtualCluster } from '../../simulation/virtual-cluster.js';

/** A run of which only the durations of steps matter. */
export interface TimedRun {
  readonly workers: number;
  readonly steps: number;
  /** Leaves of a batch; no batch is ragged. */
  readonly leaves: number;
  /** By worker, how many times slower than the others it is. */
  readonly slow?: Readonly<Record<string, number>>;
  /** A worker that freezes for good in the middle of a step. */
  readonly freeze?: { readonly name: string; readonly inStep: number };
}

const MS_PER_LEAF = 4;
/** Delay of a message. */
const DELAY_MS = 1;
const LIMIT_MS = 600_000;

/** The duration of each step, in virtual milliseconds. */
export async function stepDurations({
  workers,
  steps,
  leaves,
  slow = {},
  freeze,
}: TimedRun): Promise<number[]> {
  const scenario: Scenario = {
    ...{
      seed: 1,
      steps,
      workers,
      locals: 0,
      minWorkers: workers,
      audit: 0,
      faults: [],
      misbehaviours: [],
    },
    ...{ isStrict: true, saveEvery: 0, placement: 'all', faultEveryMs: 0, coordinatorFaultChance: 0, leaves },
  };
  const endsMs: number[] = [];
  const trace = (line: string): void => {
    if (/ step \d+ is done$/.test(line)) endsMs.push(cluster.clock.nowMs());
    if (freeze === undefined || !line.endsWith(`step ${freeze.inStep - 1} is done`)) return;
    const usualMs = (endsMs.at(-1) as number) - (endsMs.at(-2) as number);
    cluster.clock.after(usualMs / 2, () => pause(cluster, cluster.named(freeze.name), LIMIT_MS));
  };
  const timing = () => ({
    ...{ delayMs: () => DELAY_MS, segmentWaitMs: () => 0 },
    ...{ closeNoticeMs: () => DELAY_MS, silenceMs: 10_000 },
  });
  const cluster = new VirtualCluster(scenario, {
    timing,
    msPerLeaf: () => MS_PER_LEAF,
    trace,
    decide: coordinate,
  });
  for (let i = 1; i <= workers; i++) cluster.join(`worker-${i}`).slowness = slow[`worker-${i}`] ?? 1;
  await cluster.run(LIMIT_MS);
  return endsMs.map((ms, i) => ms - (endsMs[i - 1] ?? 0));
}
