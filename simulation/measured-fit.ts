/*
 * The parameters of simulated machines, fitted to measured steps: c, what a processor takes for a sample; l, what an exchange takes
 * whatever its size; r, what a MB takes on the link of a member; p, what a MB takes on the coordinator's machine, which all exchanges
 * share. A step of n members takes c batch / min(n, cores) + l + r (MB of one member) + p (MB of all).
 */

/** A measured step of remote workers. */
export interface MeasuredStep {
  readonly members: number;
  /** Processors that the members share. */
  readonly cores: number;
  readonly batch: number;
  /** Of weights and partial sums, both ways, of all members. */
  readonly megabytes: number;
  readonly stepMs: number;
}

/** What was fitted. Nothing is less than 0. */
export interface FittedMachines {
  readonly msPerSample: number;
  readonly exchangeMs: number;
  readonly linkMsPerMb: number;
  readonly sharedMsPerMb: number;
}

const NAMES = ['msPerSample', 'exchangeMs', 'linkMsPerMb', 'sharedMsPerMb'] as const;

/** Least number of points: one is left out, and the others decide four parameters. */
export const POINTS_LEAST = NAMES.length + 1;

/** The time of a step by the model. */
export function predictedMs(fitted: FittedMachines, step: MeasuredStep): number {
  return termsOf(step).reduce((sum, term, i) => sum + term * fitted[NAMES[i] as (typeof NAMES)[number]], 0);
}

/** Fits the model by least squares of relative errors. What would be less than 0 is 0. */
export function fitMachines(steps: readonly MeasuredStep[]): FittedMachines {
  let used = NAMES.map((_, i) => i);
  for (;;) {
    const values = solve(steps, used);
    const least = used.reduce((a, b) => ((values[b] as number) < (values[a] as number) ? b : a));
    if ((values[least] as number) >= 0) {
      const [msPerSample = 0, exchangeMs = 0, linkMsPerMb = 0, sharedMsPerMb = 0] = values;
      return { msPerSample, exchangeMs, linkMsPerMb, sharedMsPerMb };
    }
    used = used.filter((i) => i !== least);
  }
}

/** The relative error of each step, as a model predicts it that was fitted to all others. */
export function leaveOneOutErrors(steps: readonly MeasuredStep[]): number[] {
  return steps.map((step, i) => {
    const fitted = fitMachines(steps.filter((_, other) => other !== i));
    return predictedMs(fitted, step) / step.stepMs - 1;
  });
}

function termsOf({ members, cores, batch, megabytes }: MeasuredStep): number[] {
  return [batch / Math.min(members, cores), 1, megabytes / members, megabytes];
}

/** Keeps what cannot be told apart small, and changes nothing else. */
const RIDGE = 1e-9;

/** The normal equations over some of the terms; the others are 0. */
function solve(steps: readonly MeasuredStep[], used: readonly number[]): number[] {
  const rows = steps.map((step) => {
    const terms = termsOf(step);
    return used.map((i) => (terms[i] as number) / step.stepMs);
  });
  const scales = used.map((_, i) => Math.hypot(...rows.map((row) => row[i] as number)) || 1);
  const scaled = rows.map((row) => row.map((value, i) => value / (scales[i] as number)));
  const system = used.map((_, i) => [
    ...used.map(
      (_, j) =>
        scaled.reduce((sum, row) => sum + (row[i] as number) * (row[j] as number), 0) + (i === j ? RIDGE : 0),
    ),
    scaled.reduce((sum, row) => sum + (row[i] as number), 0),
  ]);
  const found = eliminate(system);
  const values = NAMES.map(() => 0);
  for (const [at, i] of used.entries()) values[i] = (found[at] as number) / (scales[at] as number);
  return values;
}

/** Gaussian elimination of a positive definite system; each row ends with its right-hand side. */
function eliminate(rows: number[][]): number[] {
  const size = rows.length;
  for (const [i, pivot] of rows.entries())
    for (const row of rows.slice(i + 1)) {
      const factor = (row[i] as number) / (pivot[i] as number);
      for (let j = i; j <= size; j++) row[j] = (row[j] as number) - factor * (pivot[j] as number);
    }
  const found: number[] = [];
  for (let i = size - 1; i >= 0; i--) {
    const row = rows[i] as number[];
    let rest = row[size] as number;
    for (let j = i + 1; j < size; j++) rest -= (row[j] as number) * (found[j] as number);
    found[i] = rest / (row[i] as number);
  }
  return found;
}
