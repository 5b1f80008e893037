import type { Codec } from '../shared/codec/codec.js';
import type { Plan } from '../shared/compiler/plan.js';
import { innerBatch, type StepShape, stepsOfEpochs } from '../shared/data/step-shape.js';
import type { ReplicaRule } from '../shared/engine/local/replica-executor.js';
import { codecOfRounds } from '../shared/engine/local/round-memory.js';
import { UserError } from '../shared/errors.js';
import { localOf, outerRuleOf, ROUNDS_LEAST, type Sync } from '../shared/optim/local-updates.js';
import { createOptimizer, type OptimizerSettings } from '../shared/optim/settings.js';
import { decayOfSteps } from '../shared/optim/weight-average.js';
import type { LearningSettings } from './learning-settings.js';

/** What local updates depend on. */
export type LocalRunSettings = Pick<
  LearningSettings,
  'sync' | 'batch' | 'optimizer' | 'gradientNoise' | 'clipping' | 'compress'
>;

/**
 * Checks that a run can be one of local updates, if it asks for them.
 * @param parameters those of the model; left out: the settings alone are checked
 * @throws UserError that names the setting and the remedy
 */
export function checkLocalRun(
  { sync, batch, optimizer, gradientNoise }: LocalRunSettings,
  parameters: Parameters<typeof outerRuleOf>[1] = [],
): void {
  const local = localOf(sync);
  if (local === undefined) return;
  const { replicas } = local;
  if (batch % replicas !== 0)
    throw new UserError(
      `${replicas} replicas cannot share a batch of ${batch} samples: take a multiple of ${replicas}, such as ${Math.ceil(batch / replicas) * replicas} (--batch), or other replicas`,
      2,
    );
  outerRuleOf(optimizer, parameters);
  if (gradientNoise !== undefined)
    throw new UserError('local updates have no gradient noise: take --gradient-noise 0, or --sync step', 2);
}

/** What decides the steps of replicas; undefined when there are none. */
export function replicaRule(
  request: LocalRunSettings & Pick<LearningSettings, 'seed'>,
  leavesPerGroup: number,
  plan: Plan,
): ReplicaRule | undefined {
  const local = localOf(request.sync);
  if (local === undefined) return undefined;
  const { batch, clipping, optimizer, seed, compress = 'none' } = request;
  const rule = {
    ...{ local, batch, leavesPerGroup, clipping },
    ...{ optimizer: createOptimizer(replicaOptimizer(optimizer), plan.parameters) },
    outer: outerRuleOf(optimizer, plan.parameters),
    averageDecay: roundDecay(request),
  };
  return compress === 'none' ? rule : { ...rule, codec: codecOfRounds(plan, rule, compress, seed) };
}

/** The optimizer of replicas. The coordinator alone keeps the moving average of the weights, which replicas do not see. */
export function replicaOptimizer({ ema: _, ...settings }: OptimizerSettings): OptimizerSettings {
  return settings;
}

/** Decay of the moving average of the weights from step to step of a run; undefined: none is kept. */
export function roundDecay({
  sync,
  optimizer: { ema },
}: Pick<LocalRunSettings, 'sync' | 'optimizer'>): number | undefined {
  return ema === undefined ? undefined : decayOfSteps(ema, innerSteps(sync));
}

/** Optimizer steps in a step of a run: one, or those of a round of local updates. */
export function innerSteps(sync: Sync | undefined): number {
  return localOf(sync)?.steps ?? 1;
}

/** Optimizer steps as steps of a run: as many, or the rounds of local updates that hold them. */
export function runSteps(sync: Sync | undefined, optimizerSteps: number): number {
  return Math.ceil(optimizerSteps / innerSteps(sync));
}

/** Steps of a run. @param length as the recipe or an option gives it: steps of the run, or passes over the data */
export function stepsOfRun(
  length: { readonly steps: number } | { readonly epochs: number },
  shape: StepShape,
): number {
  return 'steps' in length ? length.steps : stepsOfEpochs(shape, length.epochs);
}

/** What a round of local updates exchanges. */
interface RoundExchange {
  /** Bytes of a replica's result. */
  readonly upBytes: number;
  /** Bytes that bring a machine to the state that a round begins with. */
  readonly downBytes: number;
  readonly compress?: Codec | undefined;
}

/** What a run of local updates is, in lines for people; none for other runs. */
export function describeLocalRun(
  shape: StepShape,
  steps: number,
  { upBytes, downBytes, compress = 'none' }: RoundExchange,
): string[] {
  const { local, batch } = shape;
  if (local === undefined) return [];
  const { replicas, steps: inner } = local;
  const samples = batch * inner;
  const lines = [
    `local updates: a step is a round, in which each of ${replicas} replicas takes ${inner} optimizer steps of ${innerBatch(shape)} samples`,
    `${compress === 'none' ? '' : `results and updates are rounded to ${compress}: `}a round sends ${inMegabytes(upBytes)} up for each of ${replicas} replicas, and ${inMegabytes(downBytes)} down to each machine with replicas: ` +
      `at most ${Number(((replicas * (upBytes + downBytes)) / samples / 1000).toPrecision(3))} kB a sample`,
  ];
  if (steps < ROUNDS_LEAST)
    lines.push(
      `the run has only ${steps} rounds: with fewer than ${ROUNDS_LEAST}, fewer steps a round (--sync local:replicas=${replicas},steps=${Math.max(1, Math.floor((steps * inner) / ROUNDS_LEAST))}) give better results`,
    );
  return lines;
}

function inMegabytes(bytes: number): string {
  return `${Number((bytes / 1e6).toPrecision(3))} MB`;
}
