import { type CheckpointTarget, CheckpointWriter } from '../coordinator/compute/checkpoint-writer.js';
import { CoordinatorExecutor } from '../coordinator/compute/coordinator-executor.js';
import { metricMeans } from '../coordinator/compute/metric-means.js';
import { PartialSumBuffers } from '../coordinator/compute/partial-sum-buffers.js';
import type { Snapshots } from '../coordinator/compute/snapshots.js';
import { answerSegmentsMax } from '../coordinator/membership/frame-limits.js';
import { Coordinator, type RunEnd } from '../coordinator/run-coordinator.js';
import type { Metrics, Observer } from '../coordinator/state/observer.js';
import type { RunSettings } from '../coordinator/state/run-settings.js';
import type { RunProgress, WeightSettings } from '../coordinator/storage/checkpoint.js';
import type { RunAccess } from '../coordinator/storage/run-access.js';
import type { Clock } from '../shared/actor/clock.js';
import { randomIdentifier, randomSeed } from '../shared/actor/rng.js';
import { createPlan } from '../shared/compiler/plan.js';
import type { Dataset } from '../shared/data/dataset.js';
import { Device } from '../shared/engine/device.js';
import { OuterStep } from '../shared/engine/local/outer-step.js';
import { ReplicaExecutor } from '../shared/engine/local/replica-executor.js';
import { resultLayout } from '../shared/engine/local/round-memory.js';
import { nodePlatform } from '../shared/engine/node-platform.js';
import { Evaluation } from '../shared/engine/passes/evaluation.js';
import { type Diagnosis, GradientInspector } from '../shared/engine/passes/gradient-inspector.js';
import { Predictor } from '../shared/engine/passes/prediction.js';
import type { RunMemory, TakenTensors } from '../shared/engine/run-memory.js';
import { segmentsNeeded, stagesOf, updateSegmentsNeeded } from '../shared/engine/step/stages.js';
import { StepExecutor } from '../shared/engine/step/step-executor.js';
import { encodedLayout } from '../shared/engine/step/sum-codec.js';
import { gradientLayout } from '../shared/engine/step/sum-layout.js';
import { sumCut, updateCut, weightCut } from '../shared/engine/step/vector-cuts.js';
import type { Tensor } from '../shared/files/tensors.js';
import type { Model } from '../shared/graph/model.js';
import { workToken } from '../shared/protocol/proof.js';
import { cutVector } from '../shared/reduction/segments.js';
import type { LeafRange } from '../shared/reduction/tree.js';
import type { SharedComputation } from '../worker/shared-memory-executor.js';
import { EvaluationMetrics } from './evaluation-metrics.js';
import { evaluationSet, namedMetrics } from './evaluation-set.js';
import { exampleAnswers, TRIED_MAX } from './example-answers.js';
import { compressionLines } from './exchange.js';
import { exchangeOf } from './exchange-modes.js';
import { loadInitialState, progressOf, snapshotsOf } from './initial-state.js';
import { differences } from './learning-settings.js';
import { describeLocalRun } from './local-run.js';
import { startLocalWorker } from './local-worker.js';
import type { Recipe } from './recipe.js';
import type { RunLogger } from './run-logger.js';
import { planRun, plateauOf, type RunPlan, type RunRequest } from './run-plan.js';
import { textSamples } from './text-samples.js';
import { allocateTraining, parametersOf, type TrainingMemory } from './training-memory.js';

/** What computes a run on this device. */
interface Executors {
  /** What a local worker computes with, on its threads. */
  readonly computationOn: (threads: LeafRange) => SharedComputation;
  /** What the coordinator itself does with tensors. */
  readonly coordinator: CoordinatorExecutor;
  readonly checkpointWriter: CheckpointWriter;
}

/** A training run in this process: a coordinator and its local workers, which other workers may join. */
export class Trainer {
  private constructor(
    private readonly run: RunPlan,
    private readonly device: Device,
    private readonly memory: TrainingMemory,
    private readonly executors: Executors,
    readonly coordinator: Coordinator,
    private readonly clock: Clock,
    private readonly taken: TakenTensors | undefined,
  ) {}

  /**
   * Builds a run, in steps that each use only the results of those before. No training happens before `start`.
   * @param observer is told of every step and event of the run
   * @throws UserError when settings are wrong, or data, network, checkpoint and device do not fit together
   */
  static async prepare(request: RunRequest, observer: Observer, clock: Clock): Promise<Trainer> {
    const run = planRun(request);
    const device = await startDevice(request);
    try {
      const memory = allocateTraining(device, run);
      const executors = createExecutors(device, run, memory, (text) => observer.notice(text));
      const snapshots = snapshotsOf(memory);
      const { taken, kept } = loadInitialState(run, memory, executors.checkpointWriter, snapshots);
      const coordinator = createCoordinator(run, memory, { ...executors, snapshots, kept }, observer, clock);
      return new Trainer(run, device, memory, executors, coordinator, clock, taken);
    } catch (error) {
      await device.stop();
      throw error;
    }
  }

  /** Lets the local workers join. Training starts when they and the awaited remote workers are ready. */
  start(): void {
    const { device, coordinator, clock } = this;
    const { workers, threads } = this.run.request;
    const home = { device, coordinator, clock, computationOn: this.executors.computationOn };
    coordinator.undoBanned();
    const selfTestResults = device.selfTest();
    for (let i = 0; i < workers; i++) {
      const ownThreads = { from: i * threads, to: (i + 1) * threads };
      startLocalWorker({ ...home, selfTest: selfTestResults }, `local ${i + 1}`, ownThreads);
    }
  }

  /** Resolves when the run has ended, with the weights that it ends with: the average, where it keeps one. */
  async ended(): Promise<RunEnd> {
    const end = await this.coordinator.ended;
    const { averaged } = this.memory;
    const isOver = end.reason === 'finished' || end.reason === 'stopped';
    const isRestored = end.restored !== undefined && end.restored < end.steps;
    if (averaged === undefined || !isOver || isRestored) return end;
    averaged.refresh(end.steps);
    averaged.apply();
    return end;
  }

  /** Sets where checkpoints are written. Until then they are held back. */
  saveCheckpointsTo(target: CheckpointTarget): void {
    this.executors.checkpointWriter.writeTo(target);
  }

  /** How workers identify the run. */
  get identity(): Pick<RunAccess, 'runId' | 'token' | 'operateToken'> {
    const { runId, token, operateToken } = this.coordinator;
    return { runId, token, ...(operateToken !== undefined && { operateToken }) };
  }

  /** The network. */
  get network(): Model {
    return this.run.plan.model;
  }

  /** The build of the kernels that local workers use, such as "native (avx512)". */
  get backend(): string {
    const { backend, detail } = this.device.threadPool;
    return `${backend} (${detail})`;
  }

  /** The settings that decide the weights and have changed since the checkpoint, in a resumed run. */
  get changedSettings(): string[] {
    const { from } = this.run.request;
    return from === undefined ? [] : differences(this.run.settings, from.settings);
  }

  /** What is about to happen, in lines for people. @param name of the recipe */
  describe(name: string): readonly string[] {
    const { layout, weightBytes } = this.executors.coordinator;
    const { shape, request, rule } = this.run;
    const downBytes = rule?.codec?.updateBytes ?? weightBytes;
    const exchange = { upBytes: layout.floats * 4, downBytes, compress: request.compress };
    const samples = shape.batch * (shape.local?.steps ?? 1);
    return [
      `training ${name}: ${request.steps} steps of ${samples} samples, ${this.backend}`,
      ...compressionLines(this.run),
      ...describeLocalRun(shape, request.steps, exchange),
    ];
  }

  /** The settings that decide the weights. */
  get settings(): WeightSettings {
    return this.run.settings;
  }

  /** What became of the given initial weights, as one line; undefined in a run without. */
  get weightsReport(): string | undefined {
    if (this.taken === undefined) return undefined;
    const { taken, missing, unused } = this.taken;
    const all = taken.length + missing.length;
    const drawn = missing.map(({ name, why }) => `${name} (${why})`);
    return [
      `${taken.length} of ${all} parameters are taken`,
      ...(drawn.length > 0 ? [`drawn from the seed: ${drawn.join(', ')}`] : []),
      ...(unused.length > 0 ? [`left out: ${unused.join(', ')}`] : []),
    ].join('; ');
  }

  /** The parameters as they are now: views, not copies. */
  parameters(): Tensor[] {
    return parametersOf(this.memory.train);
  }

  /**
   * Finds where the values of a step that diverged stop being finite.
   * @param step steps done
   */
  diagnose(step: number): Promise<Diagnosis | undefined> {
    // Only the round is known, and not the replica and the optimizer step.
    if (this.run.rule !== undefined) return Promise.resolve(undefined);
    const { threadPool } = this.device;
    return new GradientInspector(threadPool, this.memory.train, this.run.request.batch).diagnose(step);
  }

  /**
   * Measures what is measured once, with the current weights: the test set, where evaluations use another, and the recipe's own
   * metrics, if it defines any.
   * @param logger has the metrics of the latest evaluation, and takes the new ones; see Recipe.metrics
   */
  async measure(step: number, logger: Pick<RunLogger, 'metrics' | 'measuring' | 'measured'>): Promise<void> {
    const { recipe, data } = this.run.request;
    const { test } = data;
    if (test === undefined) return;
    const { threadPool } = this.device;
    let measured: Readonly<Record<string, number>> = {};
    if (this.memory.test !== undefined) {
      logger.measuring('the metrics');
      const evaluation = new Evaluation(threadPool, this.memory.test);
      const means = metricMeans(this.run.plan, await evaluation.run(), evaluation.samples);
      const others = await measureOf(threadPool, this.memory.test, test, recipe)?.(means);
      measured = namedMetrics('test', { ...means, ...others });
    }
    if (recipe.metrics !== undefined) {
      logger.measuring('metrics of the recipe');
      const predictor = new Predictor(threadPool, this.memory.train);
      const evaluated = { ...logger.metrics, ...measured };
      measured = { ...measured, ...(await recipe.metrics(predictor, { ...data, test }, evaluated)) };
    }
    logger.measured(step, measured);
  }

  /**
   * Disconnects all workers and stops the threads; may be called again.
   * @param reason is sent to workers and watch clients
   * @param isUnfinished the run can be resumed
   */
  async close(reason: string, isUnfinished = false): Promise<void> {
    await this.coordinator.close(reason, isUnfinished);
    await this.device.stop();
  }
}

/** A coordinator without local workers needs one thread too, to finish steps. */
function startDevice({ workers, threads, backend, threadEntry }: RunRequest): Promise<Device> {
  return Device.start(Math.max(1, workers * threads), backend, nodePlatform(threadEntry));
}

function createExecutors(
  { threadPool }: Device,
  run: RunPlan,
  memory: TrainingMemory,
  onProblem: (text: string) => void,
): Executors {
  const { plan, rule, leavesPerGroup } = run;
  const { batch, inspectEvery = 0 } = run.request;
  const { train, evaluated, updater, local, state, residual, best, averaged } = memory;
  const evaluation = evaluated && new Evaluation(threadPool, evaluated);
  evaluation?.compile();
  const measure = measureOf(threadPool, evaluated, evaluationSet(run.request.data), run.request.recipe);
  const samples = evaluationSet(run.request.data);
  const weights = evaluated ?? train;
  const { data } = run.request;
  const answer =
    samples &&
    (exampleAnswers(
      ...([plan.model, samples, data.classes] as const),
      () => new Predictor(threadPool, weights, TRIED_MAX),
      onProblem,
    ) ??
      textSamples(
        ...([plan.model, samples, data] as const),
        (network, rows) => new Predictor(threadPool, { ...weights, plan: createPlan(network) }, rows),
        onProblem,
      ));
  const checkpointWriter = new CheckpointWriter({ runMemory: train, state, residual, best }, run.settings);
  if (local !== undefined && rule !== undefined) {
    const { round, outer } = local;
    const steps = new OuterStep(threadPool, train, round, rule, outer);
    const carried = (bytes: number) => {
      const cut = cutVector(bytes);
      return { cut, order: [...cut.segments.keys()] };
    };
    const state = { ...carried(round.bytes), vectors: [round.weights] };
    const update = rule.codec && carried(rule.codec.updateBytes);
    const wire = { layout: resultLayout(plan, rule), state, update };
    return {
      computationOn: (threads) => {
        const replicas = new ReplicaExecutor(threadPool.group(threads), train, round, rule);
        return {
          compute: (step, { from }) => replicas.compute(step, from),
          interrupt: () => replicas.interrupt(),
        };
      },
      coordinator: new CoordinatorExecutor({
        steps,
        evaluation,
        measure,
        answer,
        averaged,
        runMemory: train,
        ...wire,
      }),
      checkpointWriter,
    };
  }
  const steps = new StepExecutor(threadPool, train, { batch, leavesPerGroup, codec: run.codec }, updater);
  steps.compileFirstStep();
  const gradients = inspectEvery > 0 ? new GradientInspector(threadPool, train, batch) : undefined;
  const layout = run.codec === undefined ? gradientLayout(plan) : encodedLayout(plan, run.codec);
  const vectors = [train.weights, ...(run.codec ? steps.optimizerState : [])];
  // Forward begins when its first weights are here.
  const stages = stagesOf(plan);
  const cuts = { weights: weightCut(plan), update: run.codec && updateCut(run.codec) };
  const carried = { cut: cuts.weights, vectors, order: segmentsNeeded(stages, cuts.weights).flat() };
  const update = run.codec &&
    cuts.update && {
      cut: cuts.update,
      order: updateSegmentsNeeded(stages, cuts.update, layout, run.codec).flat(),
    };
  const wire = { layout, state: carried, update };
  return {
    computationOn: (threads) => ({
      compute: (step, leaves) => steps.compute(step, { threads, leaves }),
      interrupt: () => {},
    }),
    coordinator: new CoordinatorExecutor({
      steps,
      evaluation,
      measure,
      answer,
      runMemory: train,
      averaged,
      gradients,
      ...wire,
    }),
    checkpointWriter,
  };
}

/** Computes the metrics of a data set that the recipe asks for beside its loss; undefined when there are none. */
function measureOf(
  threadPool: Device['threadPool'],
  runMemory: RunMemory | undefined,
  dataset: Dataset | undefined,
  { evaluationMetrics = [] }: Recipe,
): ((means: Metrics) => Promise<Metrics>) | undefined {
  if (runMemory === undefined || dataset === undefined || evaluationMetrics.length === 0) return undefined;
  const metrics = new EvaluationMetrics(threadPool, runMemory, dataset, evaluationMetrics);
  return (means) => metrics.measure(means);
}

function createCoordinator(
  run: RunPlan,
  { train, best }: TrainingMemory,
  {
    snapshots,
    kept,
    ...executors
  }: Executors & { readonly snapshots: Snapshots; readonly kept: readonly RunProgress[] },
  observer: Observer,
  clock: Clock,
): Coordinator {
  const { memory } = run.request;
  const { manifest } = run.request.data.train;
  return new Coordinator({
    settings: coordinatorSettings(run, executors.coordinator),
    executor: executors.coordinator,
    checkpointWriter: executors.checkpointWriter,
    buffers: new PartialSumBuffers(train.memory, sumCut(executors.coordinator.layout)),
    snapshots,
    best,
    // From memory and not from the files, which may have changed since the run started.
    dataset: { manifest, chunk: (index) => train.data.chunk(index) },
    ...{ observer, clock },
    from: progressOf(run),
    memory: memory && { ledger: memory.ledger, kept },
  });
}

function coordinatorSettings(run: RunPlan, { layout, weightBytes }: CoordinatorExecutor): RunSettings {
  const { request, plan } = run;
  const { batch, leafSize, seed, steps, evaluateEvery, inspectEvery = 0, checkpoints, access } = request;
  const { manifest } = request.data.train;
  const local = run.wireLocal;
  return {
    runId: access?.runId ?? randomIdentifier(),
    ...tokensOf(access),
    model: plan.model,
    data: manifest,
    samples: manifest.samples,
    ...{ batch, leafSize, seed, steps, evaluateEvery, inspectEvery, checkpoints },
    isEvaluated: evaluationSet(request.data) !== undefined,
    leavesPerGroup: run.leavesPerGroup,
    ...{ compression: run.compression, shardLevel: run.codec?.shardLevel },
    ...(local && { local }),
    answerSegmentsMax: answerSegmentsMax(sumCut(layout), { batch, leafSize, local }),
    optimizer: run.updateRule.optimizer,
    learningRate: run.learningRate,
    plateau: plateauOf(request),
    earlyStopping: run.earlyStopping,
    minWorkers: Math.max(request.minWorkers, request.workers),
    audit: { fraction: request.audit, seed: randomSeed() },
    banned: request.banned,
    placement: request.placement ?? 'auto',
    // With a codec a helper receives updates, and weights but once.
    exchange: exchangeOf(request, plan, {
      layout,
      weightBytes: run.codec?.updateBytes ?? run.rule?.codec?.updateBytes ?? weightBytes,
    }),
  };
}

/** A resumed run keeps its tokens, because its members know them. */
function tokensOf(access: RunRequest['access']): Pick<RunSettings, 'token' | 'operateToken'> {
  if (access !== undefined) return { token: access.token, operateToken: access.operateToken };
  const operateToken = randomIdentifier();
  return { token: workToken(operateToken), operateToken };
}
