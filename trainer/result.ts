import type { RunEnd } from '../coordinator/run-coordinator.js';
import type { MemberPlacement } from '../coordinator/state/observer.js';
import type { EndNews } from '../shared/protocol/watch-messages.js';

/** What one worker contributed to a run. */
export interface WorkerShare {
  readonly name: string;
  readonly backend: string;
  readonly threads: number;
  /** Samples that it has computed. */
  readonly samples: number;
  /** The same as a fraction of all samples, 0 to 1. */
  readonly share: number;
  /** A remote worker: whether it was given work in the end, and why; left out when that was not decided. */
  readonly placement?: { readonly state: 'active' | 'standby'; readonly reason: string };
}

/** The result of `train`, as `--json` prints it. */
export interface TrainResult {
  readonly recipe: string;
  readonly steps: number;
  readonly samples: number;
  readonly seconds: number;
  /** Of these, what evaluations took. */
  readonly evaluationSeconds: number;
  /** Of these, the time in which no step was trained as the run waited for workers, or was paused. */
  readonly waitingSeconds: number;
  /** Of training alone: without the time of evaluations and of waiting. */
  readonly samplesPerSecond: number;
  /** Mean loss over the samples of the latest epoch. */
  readonly trainLoss: number;
  /** Metrics of the latest evaluation, such as testAccuracy and testLoss. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Why the run ended; `stopped` means early stopping. */
  readonly exitReason: 'finished' | 'stopped' | 'interrupted';
  /** The evaluation with the lowest loss. */
  readonly best?: { readonly step: number; readonly loss: number };
  /** Set when the weights and metrics are those of an earlier step, the best one. */
  readonly restoredStep?: number;
  readonly weightsSha256: string;
  readonly backend: string;
  readonly workers: readonly WorkerShare[];
  /** Which remote workers were given work in the end, and why; left out where the choice never changed. */
  readonly placement?: { readonly helpers: readonly string[]; readonly reason: string };
  /** Relays that would have made a step clearly faster, with so many workers below each; left out where none would. */
  readonly layout?: {
    readonly relays: number;
    readonly below: number;
    readonly stepMs: number;
    readonly presentMs: number;
    readonly reason: string;
  };
  readonly runDir: string;
}

/** What a logger has added up. */
interface Totals {
  readonly samples: number;
  readonly samplesBefore: number;
  readonly evaluationSeconds: number;
  readonly waitingSeconds: number;
  readonly trainLoss: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly placement: TrainResult['placement'];
  readonly layout: TrainResult['layout'];
  readonly memberPlacements: ReadonlyMap<string, MemberPlacement>;
}

/** The result of a run that has ended. */
export function resultOf(run: {
  settings: { readonly recipe: string };
  backend: string;
  end: Omit<RunEnd, 'reason'> & { reason: TrainResult['exitReason']; seconds: number };
  logger: Totals;
  weightsSha256: string;
  runDir: string;
}): TrainResult {
  const { settings, backend, end, logger, weightsSha256, runDir } = run;
  const { samples, samplesBefore, evaluationSeconds, waitingSeconds, trainLoss, metrics } = logger;
  return {
    recipe: settings.recipe,
    steps: end.steps,
    samples,
    seconds: end.seconds,
    evaluationSeconds,
    waitingSeconds,
    samplesPerSecond: (samples - samplesBefore) / (end.seconds - evaluationSeconds - waitingSeconds),
    trainLoss,
    metrics,
    exitReason: end.reason,
    ...(end.best !== null && { best: end.best }),
    ...(end.restored !== undefined && { restoredStep: end.restored }),
    weightsSha256,
    backend,
    workers: sharesOf(end.members, logger.memberPlacements),
    ...(logger.placement !== undefined && { placement: logger.placement }),
    ...(logger.layout !== undefined && { layout: logger.layout }),
    runDir,
  };
}

function sharesOf(members: RunEnd['members'], placements: Totals['memberPlacements']): WorkerShare[] {
  const all = members.reduce((sum, { samples }) => sum + samples, 0);
  return members.map(({ name, backend, threads, samples }) => {
    const { state, reason } = placements.get(name) ?? {};
    return {
      ...{ name, backend, threads, samples, share: all === 0 ? 0 : samples / all },
      ...(state !== undefined && reason !== undefined && { placement: { state, reason } }),
    };
  });
}

/** The part of a result that watch clients receive. */
export function newsOf(result: TrainResult): EndNews {
  const { exitReason, steps, samples, seconds, trainLoss, metrics, weightsSha256 } = result;
  return { kind: 'ended', exitReason, steps, samples, seconds, trainLoss, metrics, weightsSha256 };
}

/** The result as lines for people. */
export function describeResult(result: TrainResult): string[] {
  const { steps, seconds, evaluationSeconds, waitingSeconds, samplesPerSecond } = result;
  const { metrics, workers, weightsSha256, runDir } = result;
  const evaluations = evaluationSeconds > 0 ? `, evaluations ${evaluationSeconds.toFixed(2)} s` : '';
  const waiting = waitingSeconds >= 0.01 ? `, waiting ${waitingSeconds.toFixed(2)} s` : '';
  return [
    `${steps} steps in ${seconds.toFixed(2)} s (training ${samplesPerSecond < 100 ? Number(samplesPerSecond.toPrecision(2)) : Math.round(samplesPerSecond)} samples/s${evaluations}${waiting}) by ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`,
    describeMetrics({ trainLoss: result.trainLoss, ...metrics }),
    ...describeBest(result),
    `weights  ${weightsSha256}`,
    `files    ${runDir}`,
  ];
}

/** The same for a watch client. */
export function describeEnd({
  exitReason,
  steps,
  seconds,
  trainLoss,
  metrics,
  weightsSha256,
}: EndNews): string[] {
  return [
    `the run is ${exitReason}: ${steps} steps in ${seconds.toFixed(2)} s`,
    describeMetrics({ trainLoss, ...metrics }),
    `weights  ${weightsSha256}`,
  ];
}

/** The placement of a remote worker as one line for people. */
export function describePlacement({ member, state, reason }: MemberPlacement): string {
  return `${member} is ${state === 'active' ? 'active' : 'on standby'}: ${reason}`;
}

/** Metrics as one line for people. */
export function describeMetrics(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toFixed(4)}`)
    .join(', ');
}

/** The best evaluation, if it is not the last. */
function describeBest({ best, restoredStep, steps }: TrainResult): string[] {
  if (best === undefined || best.step === steps) return [];
  const kept =
    restoredStep === undefined ? 'the weights are those of the last step' : 'its weights were restored';
  return [`best     loss ${best.loss.toFixed(4)} after step ${best.step}; ${kept}`];
}
