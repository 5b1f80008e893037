import type { CheckpointPolicy, PlacementPolicy, RunSettings } from '../coordinator/state/run-settings.js';
import type { SavedCheckpoint, WeightSettings } from '../coordinator/storage/checkpoint.js';
import type { FoundLedger } from '../coordinator/storage/checkpoint-store.js';
import type { RunAccess } from '../coordinator/storage/run-access.js';
import type { Compression } from '../shared/codec/codec.js';
import { createPlan, type Plan } from '../shared/compiler/plan.js';
import { innerBatch, type StepShape } from '../shared/data/step-shape.js';
import type { ReplicaRule } from '../shared/engine/local/replica-executor.js';
import { leavesPerGroupOf } from '../shared/engine/step/leaves-per-group.js';
import { type SumCodec, sumCodecOf } from '../shared/engine/step/sum-codec.js';
import type { Updater } from '../shared/engine/step/updater.js';
import { UserError } from '../shared/errors.js';
import type { Tensor } from '../shared/files/tensors.js';
import type { Backend } from '../shared/kernels/kernels.js';
import { checkClipping } from '../shared/optim/clipping.js';
import { checkEarlyStopping, type EarlyStopping } from '../shared/optim/early-stopping.js';
import { checkGradientNoise } from '../shared/optim/gradient-noise.js';
import { type LocalUpdates, localOf } from '../shared/optim/local-updates.js';
import { createSchedule } from '../shared/optim/schedule.js';
import { createOptimizer } from '../shared/optim/settings.js';
import type { WireCompression, WireLocalUpdates } from '../shared/protocol/messages.js';
import { leavesPerCut } from '../shared/reduction/shards.js';
import { checkData } from './check-data.js';
import { checkMetrics } from './evaluation-metrics.js';
import { evaluationSet } from './evaluation-set.js';
import { checkResumable, type LearningSettings, weightSettings } from './learning-settings.js';
import { checkLocalRun, replicaOptimizer, replicaRule } from './local-run.js';
import type { Recipe } from './recipe.js';

/** What to train and how, and who computes. */
export interface RunRequest extends LearningSettings {
  readonly recipe: Recipe;
  /** Workers in this process; the run does not start without them. */
  readonly workers: number;
  /** Compute threads of each local worker. */
  readonly threads: number;
  readonly backend: 'auto' | Backend;
  /** Workers, local ones included, that must be ready before the first step. */
  readonly minWorkers: number;
  /** Gradients are inspected every so many steps; left out, or 0: never. */
  readonly inspectEvery?: number;
  /** Fraction of the results received over links that is computed a second time and compared. */
  readonly audit: number;
  /** Machines that may not work for the run, by the name or the key of their workers; left out: none. */
  readonly banned?: readonly string[] | undefined;
  /** Which remote members are given work; left out: those that make the run faster. */
  readonly placement?: PlacementPolicy;
  /** When checkpoints are saved; left out: never. */
  readonly checkpoints?: CheckpointPolicy | undefined;
  /** The checkpoint that the run resumes from; left out: it starts at step 0. */
  readonly from?: SavedCheckpoint | undefined;
  /** What such a run remembers of its members; left out: nothing. */
  readonly memory?: MemberMemory | undefined;
  /** Initial weights; left out: they are drawn from the seed. */
  readonly parameters?: readonly Tensor[] | undefined;
  /** Identity of a resumed run, so that its workers find it again; left out: a new one is drawn. */
  readonly access?: Pick<RunAccess, 'runId' | 'token' | 'operateToken'> | undefined;
  /** Module that compute threads start with in place of thread.ts, for measurements inside them. */
  readonly threadEntry?: string;
}

/** What a resumed run remembers of its members, and the states that it can go back to. */
export interface MemberMemory extends FoundLedger {
  /** By ascending step, none of them later than the state that the run resumes from. */
  readonly bases: readonly SavedCheckpoint[];
  /** The weights before the first step were drawn from the seed. */
  readonly isInitialDrawn: boolean;
}

/** A request whose settings, data and network have been checked, with everything that follows from them alone. */
export interface RunPlan {
  readonly request: RunRequest;
  /** The compiled network. */
  readonly plan: Plan;
  /** What a step takes. */
  readonly shape: StepShape;
  /** What decides the steps of replicas, with local updates. */
  readonly rule: ReplicaRule | undefined;
  /** Leaves that are never split between workers. */
  readonly leavesPerGroup: number;
  /** How partial sums and updates of single steps are encoded; undefined: they are float32. */
  readonly codec: SumCodec | undefined;
  /** What workers elsewhere have to know of it. */
  readonly compression: WireCompression | undefined;
  /** What they have to know of replicas, with local updates. */
  readonly wireLocal: WireLocalUpdates | undefined;
  /** The optimizer and what happens to gradients before it. */
  readonly updateRule: Pick<Updater, 'optimizer' | 'clipping' | 'noise'>;
  /** The learning rate after so many optimizer steps, where evaluations do not change it. */
  readonly learningRate: (stepsDone: number) => number;
  readonly earlyStopping: EarlyStopping | undefined;
  /** The settings that decide the weights, as checkpoints keep them. */
  readonly settings: WeightSettings;
}

/**
 * Checks a request. Allocates nothing and starts nothing.
 * @throws UserError when a setting is wrong, or data, network and checkpoint do not fit together
 */
export function planRun(request: RunRequest): RunPlan {
  const { recipe, data, leafSize, steps, seed, learningRate, clipping, gradientNoise, from } = request;
  const { batch, compress = 'none' } = request;
  const earlyStopping = request.earlyStopping && checkEarlyStopping(request.earlyStopping);
  const plan = createPlan(recipe.model(data));
  const updateRule = {
    optimizer: createOptimizer(request.optimizer, plan.parameters),
    ...(clipping && { clipping: checkClipping(clipping) }),
    ...(gradientNoise && { noise: { ...checkGradientNoise(gradientNoise), seed } }),
  };
  checkLocalRun(request, plan.parameters);
  const local = localOf(request.sync);
  const schedule = createSchedule(request.schedule, steps * (local?.steps ?? 1));
  const shape = { samples: data.train.manifest.samples, batch, leafSize, local };
  checkData(plan, data.train, innerBatch(shape));
  for (const held of [data.validation, data.test]) {
    if (held === undefined) continue;
    checkData(plan, held);
    checkMetrics(plan, held, recipe.evaluationMetrics ?? []);
  }
  if (evaluationSet(data) === undefined) refuseEvaluation(request);
  const settings = weightSettings(request, plan.model);
  if (from !== undefined) checkResumable(settings, from);
  const codec = local === undefined ? sumCodecOf(compress, plan, { batch, leafSize }) : undefined;
  const leavesPerGroup = leavesPerCut(leavesPerGroupOf(plan, leafSize), codec?.shardLevel);
  return {
    ...{ request, plan, shape, updateRule, earlyStopping, settings, leavesPerGroup, codec },
    compression: codec === undefined || compress === 'none' ? undefined : wireCompression(compress, request),
    wireLocal: local && wireLocal(local, request),
    rule: replicaRule(request, leavesPerGroup, plan),
    learningRate: (stepsDone) => learningRate * schedule(stepsDone),
  };
}

/** When evaluations lower the learning rate; undefined: they do not. */
export function plateauOf({
  schedule,
  learningRate,
}: Pick<LearningSettings, 'schedule' | 'learningRate'>): RunSettings['plateau'] {
  return schedule.name === 'reduceOnPlateau' ? { settings: schedule, baseRate: learningRate } : undefined;
}

/** @throws UserError when a setting needs evaluations, and there is nothing to evaluate on */
function refuseEvaluation({ earlyStopping, evaluateEvery, schedule, recipe }: RunRequest): void {
  const needed = {
    'early stopping': earlyStopping !== undefined,
    reduceOnPlateau: schedule.name === 'reduceOnPlateau',
    evaluateEvery: evaluateEvery !== undefined,
    evaluationMetrics: recipe.evaluationMetrics !== undefined,
  };
  for (const [what, isNeeded] of Object.entries(needed))
    if (isNeeded)
      throw new UserError(
        `${what} needs samples to evaluate on, and data() returns no test; hold some out, or leave it out`,
        2,
      );
}

function wireCompression(
  codec: Compression,
  { optimizer, clipping, gradientNoise }: RunRequest,
): WireCompression {
  return { codec, optimizer, ...(clipping && { clipping }), ...(gradientNoise && { gradientNoise }) };
}

function wireLocal(
  local: LocalUpdates,
  { optimizer, clipping, compress = 'none' }: RunRequest,
): WireLocalUpdates {
  return {
    ...local,
    optimizer: replicaOptimizer(optimizer),
    ...(clipping && { clipping }),
    ...(compress !== 'none' && { codec: compress }),
  };
}
