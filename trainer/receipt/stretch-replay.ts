import { metricMeans } from '../../coordinator/compute/metric-means.js';
import { putBack, type RunVectors, tensorsOf } from '../../coordinator/compute/run-vectors.js';
import {
  type EvaluationState,
  evaluationIsDue,
  evaluationProgress,
  initialEvaluation,
  isStoppedEarly,
  learningRateAfter,
  onEvaluated,
} from '../../coordinator/policies/evaluation-policy.js';
import {
  encodeInPlace,
  type Fingerprints,
  type RunProgress,
  type SavedCheckpoint,
} from '../../coordinator/storage/checkpoint.js';
import { stepPlace } from '../../shared/data/order.js';
import type { Device } from '../../shared/engine/device.js';
import { Evaluation } from '../../shared/engine/passes/evaluation.js';
import { putTensors } from '../../shared/engine/run-memory.js';
import { STEPS_PER_EXECUTION_MAX, StepExecutor } from '../../shared/engine/step/step-executor.js';
import type { Updater } from '../../shared/engine/step/updater.js';
import { UserError } from '../../shared/errors.js';
import { sha256OfPieces } from '../../shared/files/sha256.js';
import { leafCount } from '../../shared/reduction/tree.js';
import { evaluationSet, evaluationSetName, namedMetrics } from '../evaluation-set.js';
import { plateauOf, type RunPlan } from '../run-plan.js';
import type { TrainingMemory } from '../training-memory.js';

/** Steps between two reports of how far it has come. */
const STEPS_A_TURN = 32;

/** What a replay begins with. */
export interface ReplayStart {
  readonly state: SavedCheckpoint;
  /** Only its weights count: the run was told to begin with them. */
  readonly isFirst: boolean;
}

/** Steps of a run on this device, without coordinator, workers and files. No module of Node: browsers do it too. */
export class StretchReplay {
  /** Steps done. */
  step: number;
  /** Metrics of the loss in the evaluation after the latest step; undefined: there was none. */
  evaluated: Readonly<Record<string, number>> | undefined;
  private optimizer: RunProgress['optimizer'];
  private readonly policy: EvaluationState;
  private readonly executor: StepExecutor;
  private readonly evaluation: Evaluation | undefined;
  private readonly vectors: RunVectors;
  private readonly updater: Updater;

  /** @param start left out: the weights that the seed gives, which are in memory */
  constructor(
    private readonly device: Device,
    private readonly run: RunPlan,
    private readonly memory: TrainingMemory,
    start: ReplayStart | undefined,
  ) {
    const { request, shape, leavesPerGroup, codec, learningRate, earlyStopping } = run;
    const { train, state, residual, best, evaluated, updater } = memory;
    if (updater === undefined) throw new UserError('only unisum verify computes local updates again');
    const progress = start === undefined || start.isFirst ? undefined : start.state.progress;
    this.vectors = { runMemory: train, state, residual, best };
    if (progress !== undefined) putBack(this.vectors, start?.state as SavedCheckpoint);
    else if (start !== undefined) putTensors(train, train.weights, start.state.parameters);
    this.step = progress?.step ?? 0;
    this.updater = updater;
    this.optimizer = progress?.optimizer ?? updater.optimizer.init();
    this.policy = initialEvaluation(
      {
        ...{ ...shape, local: undefined, learningRate, earlyStopping },
        ...{ steps: request.steps, evaluateEvery: request.evaluateEvery },
        ...{ plateau: plateauOf(request), isEvaluated: evaluationSet(request.data) !== undefined },
      },
      progress,
    );
    const { threadPool } = device;
    this.executor = new StepExecutor(
      threadPool,
      train,
      { batch: request.batch, leavesPerGroup, codec },
      updater,
    );
    this.evaluation = evaluated && new Evaluation(threadPool, evaluated);
    // What is too large is refused before anything is computed.
    this.executor.compileFirstStep();
    this.evaluation?.compile();
  }

  /**
   * Does steps: up to this one, or fewer; and the evaluation that is due after them.
   * @throws UserError when the run cannot go on
   */
  async advance(to: number): Promise<void> {
    const { step, policy, updater } = this;
    if (isStoppedEarly(policy)) throw new UserError(`the run ends after step ${step}: it is stopped early`);
    const rows: (readonly number[])[] = [];
    let { optimizer } = this;
    const most = this.alike(Math.min(to, step + STEPS_A_TURN, step + STEPS_PER_EXECUTION_MAX));
    for (let next = step; next < most; next++) {
      const update = updater.optimizer.update(optimizer, learningRateAfter(policy, next));
      optimizer = update.state;
      rows.push(update.scalars);
    }
    const leaves = { from: 0, to: leafCount(this.placeOf(step).size, this.run.shape.leafSize) };
    const threads = { from: 0, to: this.device.threadPool.threads };
    const { isBroken } = await this.executor.execute(step, [{ threads, leaves }], rows);
    if (isBroken) throw new UserError(`the sums of a step after step ${step} are not finite`);
    this.step = most;
    this.optimizer = optimizer;
    await this.evaluate();
  }

  /** Hashes of the state as it is. */
  async state(): Promise<Fingerprints> {
    const progress = { step: this.step, optimizer: this.optimizer, ...evaluationProgress(this.policy) };
    const { settings } = this.run;
    return encodeInPlace({ progress, settings, ...tensorsOf(this.vectors, progress) }, sha256OfPieces);
  }

  /** The last step up to this one, of those whose batches are as large as the next one's, of its epoch and without evaluation between. */
  private alike(to: number): number {
    const first = this.placeOf(this.step);
    let next = this.step + 1;
    for (; next < to && !evaluationIsDue(this.policy, next); next++) {
      const { epoch, size } = this.placeOf(next);
      if (epoch !== first.epoch || size !== first.size) break;
    }
    return next;
  }

  private async evaluate(): Promise<void> {
    const { step, policy, evaluation } = this;
    const { averaged, best } = this.memory;
    this.evaluated = undefined;
    if (evaluation === undefined || !evaluationIsDue(policy, step)) return;
    averaged?.refresh(step);
    const means = metricMeans(this.run.plan, await evaluation.run(), evaluation.samples);
    this.evaluated = namedMetrics(evaluationSetName(this.run.request.data), means);
    // What is not finite ends the run; the record says so.
    if (!Number.isFinite(means.loss)) return;
    for (const { kind } of onEvaluated(policy, step, means.loss as number))
      if (kind === 'keep-best') best?.keep();
  }

  private placeOf(step: number): ReturnType<typeof stepPlace> {
    return stepPlace(step, this.run.shape.samples, this.run.request.batch);
  }
}
