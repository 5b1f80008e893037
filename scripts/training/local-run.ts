import type { BestWeights } from '../../coordinator/best-weights.js';
import type { RunProgress, SavedCheckpoint } from '../../coordinator/checkpoint.js';
import { frameMisfit } from '../../coordinator/frame-fit.js';
import { Keeper, type Safe } from '../../coordinator/keeper.js';
import { Coordinator } from '../../coordinator/main.js';
import type { Observer } from '../../coordinator/observer.js';
import type { Recipe, RecipeData } from '../../coordinator/recipe.js';
import type { RunAccess } from '../../coordinator/run-access.js';
import type { CheckpointPolicy } from '../../coordinator/saving-state.js';
import { SlotPool } from '../../coordinator/slot-pool.js';
import { Snapshots } from '../../coordinator/snapshots.js';
import type { EvaluationPolicy } from '../../coordinator/verdict-state.js';
import { Workshop } from '../../coordinator/workshop.js';
import type { Clock } from '../../shared/actor/clock.js';
import { randomIdentifier, randomSeed } from '../../shared/actor/rng.js';
import { Crew } from '../../shared/engine/crew.js';
import { Evaluation } from '../../shared/engine/evaluation.js';
import { GradientWatch } from '../../shared/engine/gradient-watch.js';
import { granuleOf } from '../../shared/engine/granule.js';
import { Machine } from '../../shared/engine/machine.js';
import { Predictor } from '../../shared/engine/prediction.js';
import type { RunPlace } from '../../shared/engine/step-compiler.js';
import { putTensors } from '../../shared/engine/tensors-at.js';
import { UserError } from '../../shared/errors.js';
import type { Tensor } from '../../shared/files/tensors.js';
import { createPlan, type Plan } from '../../shared/graph/plan.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { Clipping } from '../../shared/optim/clipping.js';
import { checkEarlyStopping, type EarlyStopping } from '../../shared/optim/early-stopping.js';
import { checkGradientNoise, type GradientNoise } from '../../shared/optim/gradient-noise.js';
import { createSchedule, type ScheduleSettings } from '../../shared/optim/schedule.js';
import type { OptimizerSettings } from '../../shared/optim/settings.js';
import { checkData } from './check-data.js';
import { startLocalNode } from './local-node.js';
import { layDown, layOutBest, layOutOptimizer, layOutRun, parametersOf } from './run-place.js';
import type { RunWatch } from './run-watch.js';
import { selfTest } from './self-test.js';
import { checkResumable, differences, weightSettings } from './weight-settings.js';

/** What is trained, on what, and by whom. */
export interface RunRequest {
  readonly recipe: Recipe;
  readonly data: RecipeData;
  readonly batch: number;
  readonly leaf: number;
  readonly steps: number;
  readonly seed: number;
  readonly optimizer: OptimizerSettings;
  /** Before the schedule changes it. */
  readonly learningRate: number;
  readonly schedule: ScheduleSettings;
  readonly clipping?: Clipping | undefined;
  readonly gradientNoise?: GradientNoise | undefined;
  readonly earlyStopping?: EarlyStopping | undefined;
  /** Steps between two evaluations; left out: those of an epoch. */
  readonly evaluateEvery?: number | undefined;
  /** Nodes in this process; the run does not begin without them. */
  readonly workers: number;
  /** Compute threads of each. */
  readonly threads: number;
  readonly backend: 'auto' | Backend;
  readonly minWorkers: number;
  /** Backprop is looked at before every so many steps; left out, or 0: never. */
  readonly watchEvery?: number;
  /** Fraction of what comes over links that is computed twice and compared. */
  readonly audit: number;
  /** How often the run is saved; left out: never. */
  readonly checkpoints?: CheckpointPolicy | undefined;
  /** What a run goes on from; left out: it begins. */
  readonly from?: SavedCheckpoint | undefined;
  /** What a run begins with; left out: what is drawn from the seed. */
  readonly parameters?: readonly Tensor[] | undefined;
  /** By what workers know a run that goes on. */
  readonly access?: Pick<RunAccess, 'runId' | 'token'> | undefined;
  /** Compute threads start with this file, which exports what thread.ts does: for measurements inside them. */
  readonly threadEntry?: string;
}

/** A coordinator with its local nodes, in this process. */
export class LocalRun {
  private constructor(
    private readonly request: RunRequest,
    readonly coordinator: Coordinator,
    private readonly machine: Machine,
    private readonly crew: Crew,
    private readonly place: RunPlace,
    private readonly keeper: Keeper,
  ) {}

  /**
   * Lays everything out; nothing is trained before `begin`.
   * @throws UserError when data, model and machine do not fit together
   */
  static async prepare(request: RunRequest, observer: Observer, clock: Clock): Promise<LocalRun> {
    const { recipe, data, batch, leaf, seed, workers, threads, learningRate, watchEvery = 0 } = request;
    const { from, access, checkpoints, evaluateEvery } = request;
    const earlyStopping = request.earlyStopping && checkEarlyStopping(request.earlyStopping);
    const schedule = createSchedule(request.schedule, request.steps);
    const plan = createPlan(recipe.model(data));
    for (const dataset of [data.train, data.test]) checkData(plan, dataset);
    const granule = granuleOf(plan, leaf);
    const machine = await Machine.start(Math.max(1, workers * threads), request.backend, request.threadEntry);
    const { memory, team } = machine;
    const place = layOutRun(machine, { plan, data: data.train, leaf, seed });
    const updater = layOutOptimizer(machine, plan, request.optimizer, {
      clipping: request.clipping,
      ...(request.gradientNoise && { noise: { ...checkGradientNoise(request.gradientNoise), seed } }),
    });
    const crew = new Crew(team, place, { batch, granule }, updater);
    const best = earlyStopping?.restoreBest ? layOutBest(place) : undefined;
    const keeper = new Keeper(place, updater, weightSettings(request, plan.model), best);
    if (request.parameters !== undefined) putTensors(place, place.weights, request.parameters);
    if (from !== undefined) {
      checkResumable(keeper.settings, from.settings);
      const { step } = from.progress;
      if (step > request.steps)
        throw new UserError(
          `the run has done ${step} steps, more than the ${request.steps} that are asked for; ask for more`,
          2,
        );
      keeper.restore(from);
    }
    const evaluation = new Evaluation(team, { ...place, data: layDown(machine, data.test, seed) });
    const coordinator = new Coordinator({
      settings: {
        runId: access?.runId ?? randomIdentifier(),
        token: access?.token ?? randomIdentifier(),
        model: plan.model,
        data: data.train.manifest,
        seed,
        batch,
        leafSize: leaf,
        misfit: frameMisfit(plan.vectorFloats * 4, batch, leaf),
        granule,
        samples: data.train.manifest.samples,
        steps: request.steps,
        optimizer: updater.optimizer,
        learningRate: (stepsDone) => learningRate * schedule(stepsDone),
        plateau: plateauOf(request),
        earlyStopping,
        evaluateEvery,
        minWorkers: Math.max(request.minWorkers, workers),
        watchEvery,
        audit: { fraction: request.audit, seed: randomSeed() },
        checkpoints,
      },
      workshop: new Workshop(
        crew,
        evaluation,
        place,
        watchEvery > 0 ? new GradientWatch(team, place, batch) : undefined,
      ),
      slots: new SlotPool(memory, plan.vectorFloats),
      snapshots: new Snapshots(place, best === undefined ? updater.state : [...updater.state, best.at]),
      best,
      // Out of memory, where it has been since the run began: files may change meanwhile.
      dataset: { manifest: data.train.manifest, chunk: (index) => place.data.chunk(index) },
      observer,
      clock,
      keeper,
      from: from && progressFor(from, best),
    });
    return new LocalRun(request, coordinator, machine, crew, place, keeper);
  }

  /** How a step's sums are to be read. */
  get plan(): Plan {
    return this.place.plan;
  }

  /** By what the workers of the run know it. */
  get identity(): Pick<RunAccess, 'runId' | 'token'> {
    const { runId, token } = this.coordinator;
    return { runId, token };
  }

  /** Settings that reach the weights and are not those that the run went on from. */
  get differences(): string[] {
    const { from } = this.request;
    return from === undefined ? [] : differences(this.keeper.settings, from.settings);
  }

  /** Says where checkpoints go; until then they wait. */
  keepIn(safe: Safe): void {
    this.keeper.keepIn(safe);
  }

  /** What the local nodes compute with, such as "native (avx512)". */
  get backend(): string {
    const { backend, detail } = this.machine.team;
    return `${backend} (${detail})`;
  }

  /** Lets the local nodes join; the run begins when they, and those that it waits for, are there. */
  begin(clock: Clock): void {
    const { workers, threads } = this.request;
    const results = selfTest(this.machine);
    for (let i = 0; i < workers; i++) {
      const seat = { from: i * threads, to: (i + 1) * threads };
      const { machine, coordinator, crew } = this;
      startLocalNode({ machine, coordinator, crew, clock, selfTest: results }, `local ${i + 1}`, seat);
    }
  }

  /** The parameters as they are now; views, not copies. */
  parameters(): Tensor[] {
    return parametersOf(this.place);
  }

  /**
   * Where the numbers of the step that was not done are no numbers any more.
   * @param step steps done
   */
  diagnose(step: number): Promise<string> {
    return new GradientWatch(this.machine.team, this.place, this.request.batch).diagnose(step);
  }

  /**
   * What the recipe measures by predictions, with the weights as they are, if it measures anything.
   * @param watch is told, and has the metrics of the latest evaluation; see Recipe.metrics
   */
  async measure(step: number, watch: RunWatch): Promise<void> {
    const { recipe, data } = this.request;
    if (recipe.metrics === undefined) return;
    watch.measuring();
    const predictor = new Predictor(this.machine.team, this.place);
    watch.measured(step, await recipe.metrics(predictor, data, watch.metrics));
  }

  /** Says good-bye to all nodes and ends the threads. */
  async close(reason: string): Promise<void> {
    await this.coordinator.close(reason);
    await this.machine.stop();
  }
}

function plateauOf({ schedule, learningRate }: RunRequest): EvaluationPolicy['plateau'] {
  return schedule.name === 'reduceOnPlateau' ? { settings: schedule, baseRate: learningRate } : undefined;
}

/** What a run remembers. Of a best evaluation whose weights nobody has kept it cannot make use. */
function progressFor({ progress, best }: SavedCheckpoint, kept: BestWeights | undefined): RunProgress {
  return kept !== undefined && best === undefined ? { ...progress, best: null } : progress;
}
