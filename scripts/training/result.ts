import type { EndNews } from '../../shared/protocol/watch-messages.js';

/** What a worker did for a run. */
export interface WorkerShare {
  readonly name: string;
  readonly backend: string;
  readonly threads: number;
  /** Samples that it computed. */
  readonly samples: number;
  /** The same as a part of all, 0 to 1. */
  readonly share: number;
}

/** The result of `train`, as `--json` prints it (design section 10). */
export interface TrainResult {
  readonly recipe: string;
  readonly steps: number;
  readonly samples: number;
  readonly seconds: number;
  readonly samplesPerSecond: number;
  /** Mean over the samples of the latest epoch. */
  readonly trainLoss: number;
  /** Of the latest evaluation, such as testAccuracy and testLoss. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Why it ended. */
  readonly ending: 'finished' | 'stopped' | 'interrupted';
  /** The evaluation with the lowest loss. */
  readonly best?: { readonly step: number; readonly loss: number };
  /** The weights are those of this earlier step, the best; `metrics` are theirs. */
  readonly restoredStep?: number;
  readonly weightsSha256: string;
  readonly backend: string;
  readonly workers: readonly WorkerShare[];
  readonly runDir: string;
}

/** What of a result those who watch are told. */
export function newsOf(result: TrainResult): EndNews {
  const { ending, steps, samples, seconds, trainLoss, metrics, weightsSha256 } = result;
  return { kind: 'ended', ending, steps, samples, seconds, trainLoss, metrics, weightsSha256 };
}

/** The result in a few lines for people. */
export function describeResult(result: TrainResult): string[] {
  const { steps, seconds, samplesPerSecond, metrics, workers, weightsSha256, runDir } = result;
  return [
    `${steps} steps in ${seconds.toFixed(2)} s (${Math.round(samplesPerSecond)} samples/s) by ${workers.length} workers`,
    describeMetrics({ trainLoss: result.trainLoss, ...metrics }),
    ...describeBest(result),
    `weights  ${weightsSha256}`,
    `files    ${runDir}`,
  ];
}

/** The same for those who only watch. */
export function describeEnd({
  ending,
  steps,
  seconds,
  trainLoss,
  metrics,
  weightsSha256,
}: EndNews): string[] {
  return [
    `the run is ${ending}: ${steps} steps in ${seconds.toFixed(2)} s`,
    describeMetrics({ trainLoss, ...metrics }),
    `weights  ${weightsSha256}`,
  ];
}

/** Metrics in one line for people. */
export function describeMetrics(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join(', ');
}

/** The best evaluation, where it is not the last. */
function describeBest({ best, restoredStep, steps }: TrainResult): string[] {
  if (best === undefined || best.step === steps) return [];
  const kept = restoredStep === undefined ? 'the weights are those of the last step' : 'its weights are kept';
  return [`best     testLoss ${best.loss.toFixed(4)} after step ${best.step}; ${kept}`];
}
