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
  readonly weightsSha256: string;
  readonly backend: string;
  readonly workers: readonly WorkerShare[];
  readonly runDir: string;
}

/** The result in a few lines for people. */
export function describeResult(result: TrainResult): string[] {
  const { steps, seconds, samplesPerSecond, metrics, workers, weightsSha256, runDir } = result;
  const figures = Object.entries(metrics).map(([name, value]) => `${name} ${value.toFixed(4)}`);
  return [
    `${steps} steps in ${seconds.toFixed(2)} s (${Math.round(samplesPerSecond)} samples/s) by ${workers.length} workers`,
    `trainLoss ${result.trainLoss.toFixed(4)}${figures.map((figure) => `, ${figure}`).join('')}`,
    `weights  ${weightsSha256}`,
    `files    ${runDir}`,
  ];
}
