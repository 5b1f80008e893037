import { checkFields } from '../shared/compiler/data-fields.js';
import { createPlan, type Plan } from '../shared/compiler/plan.js';
import { isChunk } from '../shared/data/verify-chunk.js';
import { DataStore } from '../shared/engine/data-store.js';
import type { Device } from '../shared/engine/device.js';
import { ReplicaExecutor, type ReplicaRule } from '../shared/engine/local/replica-executor.js';
import { allocateRound, codecOfRounds, resultLayout } from '../shared/engine/local/round-memory.js';
import { RoundUpdate } from '../shared/engine/local/round-update.js';
import type { MemoryMark } from '../shared/engine/memory.js';
import { leastBytes, linkBytes } from '../shared/engine/memory-estimate.js';
import type { RunMemory } from '../shared/engine/run-memory.js';
import { leavesPerGroupOf } from '../shared/engine/step/leaves-per-group.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import { StepExecutor } from '../shared/engine/step/step-executor.js';
import { encodedLayout, sumCodecOf } from '../shared/engine/step/sum-codec.js';
import { gradientLayout, type SumLayout } from '../shared/engine/step/sum-layout.js';
import { sumCut, updateCut, weightCut } from '../shared/engine/step/vector-cuts.js';
import { allocateOptimizer, type UpdateRule } from '../shared/engine/update-memory.js';
import { assert, UserError } from '../shared/errors.js';
import { parseModel } from '../shared/graph/resolve.js';
import { checkClipping } from '../shared/optim/clipping.js';
import { checkGradientNoise } from '../shared/optim/gradient-noise.js';
import { outerRuleOf } from '../shared/optim/local-updates.js';
import { createOptimizer } from '../shared/optim/settings.js';
import type { Run, WireCompression, WireLocalUpdates, WireSettings } from '../shared/protocol/messages.js';
import { cutVector, type Segment, type SegmentPlace, type VectorCut } from '../shared/reduction/segments.js';
import { Arrivals } from './arrivals.js';
import type {
  Arriving,
  Computation,
  Computed,
  ComputeEvents,
  Executor,
  Prepared,
  Vectors,
} from './executor.js';
import { type Stage, type StagedComputation, stagedSteps } from './staged-steps.js';

/** A run in this machine's memory. */
export interface LoadedRun {
  /** Identifies the run: a later connection may bring the same one again. */
  readonly fingerprint: string;
  readonly runMemory: RunMemory;
  /** What arrives: how its vectors are cut, and where each of them lies. */
  readonly arriving: Readonly<Record<Arriving, Place | undefined>>;
  /** What a partial sum holds, and how it is cut. */
  readonly layout: SumLayout;
  readonly sums: VectorCut;
  /** Adds partial sums of other machines; undefined with local updates, whose results are added by the coordinator alone. */
  readonly adder: Pick<StepExecutor, 'exchange' | 'exchangeSegments' | 'codec'> | undefined;
  readonly begin: (computation: Computation) => StagedComputation;
  readonly interrupt: () => void;
}

/** Vectors that arrive over a link. */
export interface Place {
  readonly cut: VectorCut;
  /** The byte offset of each. */
  readonly vectors: readonly number[];
}

/** Executor of a remote worker: its own memory and threads. Weights and data come over the link. */
export class RemoteExecutor implements Executor {
  protected run: LoadedRun | undefined;
  /** The memory before any run is allocated: the threads and their kernels. */
  private readonly empty: MemoryMark;
  /** The latest computation. */
  private computing: Promise<unknown> = Promise.resolve();
  protected readonly arrivals = new Arrivals();
  /** What is expected. */
  private place: Place | undefined;
  private what: Arriving = 'weights';
  private isInterrupted = false;

  /** @param bytesMax what a run may take of this machine's memory, with everything that its link holds */
  constructor(
    protected readonly device: Device,
    private readonly bytesMax = Number.POSITIVE_INFINITY,
  ) {
    this.empty = device.memory.mark();
  }

  async prepare(run: Run): Promise<Prepared> {
    const { model, settings, data } = run;
    const fingerprint = JSON.stringify([model, settings, data, run.compression]);
    if (this.run?.fingerprint !== fingerprint) {
      // The threads may still compute the previous run, for a link that is gone.
      await this.computing.catch(() => undefined);
      this.run = undefined;
      this.device.memory.rewind(this.empty);
      this.run = this.allocate(run, fingerprint);
    }
    const { runMemory, arriving } = this.run;
    const vectors = (place: Place | undefined): Vectors | undefined =>
      place && { count: place.vectors.length, cut: place.cut };
    return {
      missing: runMemory.data.missing(),
      weights: vectors(arriving.weights),
      update: vectors(arriving.update),
    };
  }

  store(index: number, bytes: Uint8Array): boolean | Promise<boolean> {
    const { data } = this.loaded.runMemory;
    if (!isChunk(data.manifest, index, bytes, this.device.platform.sha256Hex)) return false;
    data.put(index, bytes);
    return true;
  }

  expect(what: Arriving): void {
    const place = this.loaded.arriving[what];
    assert(place !== undefined, 'only a run with a codec has updates');
    this.place = place;
    this.what = what;
    this.arrivals.expect({ count: place.vectors.length, cut: place.cut });
  }

  load({ vector, index }: SegmentPlace, bytes: Uint8Array): void {
    const { cut, vectors } = this.place as Place;
    const { at } = cut.segments[index] as Segment;
    this.device.memory.u8((vectors[vector] as number) + at, bytes.byteLength).set(bytes);
    this.arrivals.arrived({ vector, index });
  }

  stopWaiting(): void {
    this.arrivals.stopWaiting();
  }

  compute(computation: Computation, events: ComputeEvents): Promise<Computed | undefined> {
    const computing = this.computeStages(computation, events);
    this.computing = computing;
    return computing;
  }

  /** Resolves when everything expected is here, or never comes. */
  arrived(): Promise<void> {
    return this.arrivals.here();
  }

  interrupt(): void {
    this.isInterrupted = true;
    this.stopWaiting();
    this.loaded.interrupt();
  }

  vectors(partialSums: readonly PartialSum[]): ReturnType<Executor['vectors']> {
    const { sums, runMemory } = this.loaded;
    return { cut: sums, views: partialSums.map(({ buffer }) => runMemory.memory.u8(buffer, sums.bytes)) };
  }

  private async computeStages(
    computation: Computation,
    events: ComputeEvents,
  ): Promise<Computed | undefined> {
    const { stages, partialSums } = this.loaded.begin(computation);
    this.isInterrupted = false;
    let computeMs = 0;
    const runStage = async (stage: Stage): Promise<void> => {
      const needed = stage.needs(this.what);
      // What is here already is computed without a turn of the event loop.
      if (!this.arrivals.areHere(needed)) await this.arrivals.here(needed);
      if (this.isInterrupted) return;
      if (computation.appliesUpdate) await stage.applyUpdate();
      const begunMs = events.nowMs();
      await stage.run();
      computeMs += events.nowMs() - begunMs;
    };
    for (const [i, stage] of stages.entries()) {
      const running = runStage(stage);
      // The threads are at work on this stage while what the one before has completed is sent.
      const completed = stages[i - 1]?.completes ?? [];
      if (completed.length > 0) events.completed(partialSums() ?? [], completed);
      await running;
      if (this.isInterrupted) return undefined;
    }
    const sums = partialSums();
    return sums && { partialSums: sums, computeMs };
  }

  private allocate(run: Run, fingerprint: string): LoadedRun {
    const { model, settings, data, compression } = run;
    const { bytesMax } = this;
    const { memory, threadPool } = this.device;
    const plan = createPlan(parseModel(model));
    checkFields(plan.fields, data.fields);
    const { seed, batch, leafSize, leavesPerGroup, local } = settings;
    if (leavesPerGroup % leavesPerGroupOf(plan, leafSize) !== 0)
      throw new UserError(
        `the run would split groups of ${plan.group} samples; ask for one whose leaves divide them`,
      );
    const rule = local && replicaRuleOf(local, plan, { seed, batch, leavesPerGroup });
    const threads = threadPool.threads;
    const codec = sumCodecOf(compression?.codec ?? 'none', plan, { batch, leafSize });
    if (codec !== undefined && leavesPerGroup % 2 ** codec.shardLevel !== 0)
      throw new UserError(
        'the run would split the shards of its codec; ask for one whose groups divide them',
      );
    const stepRule = compression && updateRule(compression, plan, seed);
    const stateVectors = stepRule?.optimizer.buffers ?? 0;
    const size = { plan, data, batch, leafSize, leavesPerGroup, threads, rule, codec, stateVectors };
    const onLink = linkBytes(size);
    const needed = this.empty.end + leastBytes(size) + onLink;
    if (needed > bytesMax)
      throw new UserError(
        `the run needs ${mebibytes(needed)} of memory here, and may have ${mebibytes(bytesMax)}: ` +
          'allow more with --memory, or join from a larger machine',
      );
    memory.limit(bytesMax - onLink);
    const common = { memory, plan, leafSize, data: new DataStore(memory, data, seed) };
    if (rule !== undefined) {
      const round = allocateRound(memory, plan, rule);
      const runMemory = { ...common, weights: round.weights };
      const replicas = new ReplicaExecutor(threadPool, runMemory, round, rule);
      const update = rule.codec && new RoundUpdate(runMemory, round, rule.codec);
      return {
        ...{ fingerprint, runMemory },
        arriving: {
          weights: { cut: cutVector(round.bytes), vectors: [round.weights] },
          update: update && { cut: cutVector(update.bytes.byteLength), vectors: [update.at] },
        },
        layout: resultLayout(plan, rule),
        sums: sumCut(resultLayout(plan, rule)),
        adder: undefined,
        begin: ({ step, range }) => {
          let partialSums: readonly PartialSum[] | undefined;
          const stage: Stage = {
            needs: () => undefined,
            applyUpdate: async () => {
              assert(update !== undefined, 'only a run with a codec has updates');
              await update.apply(threadPool);
            },
            run: async () => {
              partialSums = await replicas.compute(step, range.from);
            },
            completes: [],
          };
          return { stages: [stage], partialSums: () => partialSums };
        },
        interrupt: () => replicas.interrupt(),
      };
    }
    const runMemory = { ...common, weights: memory.allocate(plan.parameterFloats * 4, 'parameters') };
    const updater = stepRule && allocateOptimizer({ memory }, plan, stepRule, codec, false);
    const stepExecutor = new StepExecutor(threadPool, runMemory, { batch, leavesPerGroup, codec }, updater);
    const layout = codec === undefined ? gradientLayout(plan) : encodedLayout(plan, codec);
    return {
      ...{ fingerprint, runMemory },
      arriving: {
        weights: { cut: weightCut(plan), vectors: [runMemory.weights, ...stepExecutor.optimizerState] },
        update: codec && { cut: updateCut(codec), vectors: [updater?.update as number] },
      },
      layout,
      sums: sumCut(layout),
      adder: stepExecutor,
      begin: stagedSteps(stepExecutor, plan, layout, codec, threads),
      interrupt: () => {},
    };
  }

  protected get loaded(): LoadedRun {
    assert(this.run !== undefined, 'a run is prepared before it is computed');
    return this.run;
  }
}

/** How replicas are computed. @throws UserError that names a setting that makes no sense */
function replicaRuleOf(
  local: WireLocalUpdates,
  plan: Plan,
  { seed, batch, leavesPerGroup }: Pick<WireSettings, 'seed' | 'batch' | 'leavesPerGroup'>,
): ReplicaRule {
  const rule = {
    ...{ local, batch, leavesPerGroup, clipping: local.clipping },
    ...{
      optimizer: createOptimizer(local.optimizer, plan.parameters),
      outer: outerRuleOf(local.optimizer, plan.parameters),
    },
  };
  return local.codec === undefined ? rule : { ...rule, codec: codecOfRounds(plan, rule, local.codec, seed) };
}

/** How a worker of a run with a codec updates its weights. @throws UserError that names a setting that makes no sense */
function updateRule(
  { optimizer, clipping, gradientNoise }: WireCompression,
  { parameters }: Plan,
  seed: number,
): UpdateRule {
  return {
    optimizer: createOptimizer(optimizer, parameters),
    ...(clipping && { clipping: checkClipping(clipping) }),
    ...(gradientNoise && { noise: { ...checkGradientNoise(gradientNoise), seed } }),
  };
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
