import { CheckpointWriter } from '../../coordinator/compute/checkpoint-writer.js';
import type { SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import type { Plan } from '../../shared/compiler/plan.js';
import type { Trace, TracedTensor } from '../../shared/compiler/programs.js';
import { stepPlace } from '../../shared/data/order.js';
import { Device } from '../../shared/engine/device.js';
import { nodePlatform } from '../../shared/engine/node-platform.js';
import { tensorsAt } from '../../shared/engine/run-memory.js';
import { CommandBufferCache } from '../../shared/engine/step/command-buffer-cache.js';
import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';
import { StepExecutor } from '../../shared/engine/step/step-executor.js';
import { ThreadMemory } from '../../shared/engine/step/thread-memory.js';
import { assert, UserError } from '../../shared/errors.js';
import { type LeafRange, leafCount, maximalSubtrees, rowsOf } from '../../shared/reduction/tree.js';
import type { Computers, SessionRequest } from '../replay/replay.js';
import { planRun, type RunPlan } from '../run-plan.js';
import { allocateTraining, parametersOf, type TrainingMemory } from '../training-memory.js';
import type { StateVectors } from './value-difference.js';

/** A tensor of a traced pass: a copy. */
export interface TracedValues {
  /** [rows, elements]. */
  readonly values: Float32Array;
  readonly rows: number;
  readonly elements: number;
  /** Size of the last axis: neurons or channels. */
  readonly units: number;
}

/** Forward and backward pass of some leaves of a step, with everything in between. Valid until the next trace. */
export interface LeafTrace {
  /** The leaves; more than one where they share the statistics of a batch. */
  readonly leaves: LeafRange;
  /** Places in the batch of their samples. */
  readonly first: number;
  readonly rows: number;
  /** Names in the order of the forward pass: inputs, then nodes. */
  readonly names: readonly string[];
  /** Value of an input or node. */
  value(name: string): TracedValues | undefined;
  /** dL/dvalue of a node, with the 1 / batch of the mean loss in it. */
  error(name: string): TracedValues | undefined;
  /** The target of the loss, where it has one. */
  target(): TracedValues | undefined;
  /** The sum of each leaf: gradients laid out as the parameters, then metric sums. */
  readonly sums: readonly Float32Array[];
}

/** Computes single leaves of single steps of a run on one thread, from any of its states, and the update from their sums. */
export class StepTracer {
  private readonly threadMemory: ThreadMemory;
  private readonly commandBuffers: CommandBufferCache;
  private readonly traces = new Map<string, Trace>();
  private readonly writer: CheckpointWriter;
  private executor: StepExecutor | undefined;

  private constructor(
    private readonly device: Device,
    private readonly run: RunPlan,
    private readonly memory: TrainingMemory,
  ) {
    const { train, state, residual, best } = memory;
    this.threadMemory = new ThreadMemory(train.memory, run.plan.vectorFloats * 4);
    this.commandBuffers = new CommandBufferCache(train.memory);
    this.writer = new CheckpointWriter({ runMemory: train, state, residual, best }, run.settings);
  }

  /**
   * @throws UserError when the run is one of local updates, whose steps are rounds of replicas
   */
  static async open(
    request: SessionRequest,
    { backend }: Pick<Computers, 'backend'>,
    threadEntry?: string,
  ): Promise<StepTracer> {
    const run = planRun({ ...request, workers: 1, threads: 1, backend, minWorkers: 1, audit: 0 });
    if (run.rule !== undefined)
      throw new UserError(
        'the steps of a run with local updates are rounds of replicas, which have no leaves',
      );
    const device = await Device.start(1, backend, nodePlatform(threadEntry));
    try {
      return new StepTracer(device, run, allocateTraining(device, run));
    } catch (error) {
      await device.stop();
      throw error;
    }
  }

  get plan(): Plan {
    return this.run.plan;
  }

  /** Puts a state in place. */
  load(state: SavedCheckpoint): void {
    this.writer.restore(state);
  }

  /** The vectors of the state as they are now: views, not copies. */
  vectors(): StateVectors {
    const { train, state } = this.memory;
    return { parameters: parametersOf(train), buffers: state.map((at) => tensorsAt(train, at)) };
  }

  /** Leaves of a step. @param step steps done before it */
  leaves(step: number): number {
    return leafCount(this.batchOf(step), this.run.shape.leafSize);
  }

  /** The sample ids of a step's batch, in its order. @param step steps done before it */
  samples(step: number): Uint32Array {
    const { train } = this.memory;
    const { epoch, position, size } = this.placeOf(step);
    return train.memory.u32(train.data.order(epoch) + 4 * position, size).slice();
  }

  /**
   * Forward and backward pass of the leaves that are computed together with a leaf, with the weights as they are.
   * @param step steps done
   */
  async trace(step: number, leaf: number): Promise<LeafTrace> {
    const { leafSize } = this.run.shape;
    const { memory } = this.memory.train;
    const { plan } = this;
    const together = this.run.plan.group === 1 ? 1 : this.run.leavesPerGroup;
    const batch = this.batchOf(step);
    const from = Math.floor(leaf / together) * together;
    const leaves = { from, to: Math.min(from + together, this.leaves(step)) };
    const { first, rows } = rowsOf(leaves, batch, leafSize);
    const key = `${first} ${rows} ${batch}`;
    const buffer = this.commandBuffer(key, leaves, batch);
    const { epoch, position } = this.placeOf(step);
    memory.u32(this.threadMemory.cursor, 3).set([this.memory.train.data.order(epoch), position, step]);
    await this.device.threadPool.run([buffer]);
    const trace = this.traces.get(key);
    assert(trace !== undefined, 'a traced command buffer has a trace');
    const copy = (tensor: TracedTensor | undefined): TracedValues | undefined =>
      tensor && {
        values: memory.f32(tensor.offset, rows * tensor.elements).slice(),
        ...{ rows, elements: tensor.elements, units: tensor.units },
      };
    return {
      ...{ leaves, first, rows, names: [...trace.values.keys()] },
      value: (name) => copy(trace.values.get(name)),
      error: (name) => copy(trace.errors.get(name)),
      target: () => copy(trace.target),
      sums: Array.from({ length: leaves.to - leaves.from }, (_, i) =>
        memory.f32(this.threadMemory.buffer(i), plan.vectorFloats).slice(),
      ),
    };
  }

  /**
   * Ends a step with these sums, as the run did, with the weights and the optimizer's vectors as they are.
   * @param before the state before the step
   * @param sums consecutive parts of the batch, each of a whole number of leaves
   * @returns the metric sums; undefined when the sums are not finite, or a codec rounds them on their way
   */
  async finish(
    before: SavedCheckpoint,
    sums: readonly { readonly leaves: LeafRange; readonly vector: Float32Array }[],
  ): Promise<readonly number[] | undefined> {
    const { updater, train } = this.memory;
    if (updater === undefined || this.run.codec !== undefined) return undefined;
    const { batch } = this.run.request;
    const { leavesPerGroup } = this.run;
    this.executor ??= new StepExecutor(this.device.threadPool, train, { batch, leavesPerGroup }, updater);
    const { step, optimizer, plateau } = before.progress;
    const total = this.leaves(step);
    const partialSums = sums.map(({ leaves, vector }, i): PartialSum => {
      const [node] = maximalSubtrees(leaves, total);
      assert(node !== undefined, 'a part of a batch is a subtree');
      const buffer = this.threadMemory.buffer(i);
      train.memory.f32(buffer, vector.length).set(vector);
      return { node, buffer };
    });
    const rate = this.run.learningRate(step) * (plateau?.multiple ?? 1);
    const { scalars } = updater.optimizer.update(optimizer, rate);
    const { metrics, isBroken } = await this.executor.finish(step, partialSums, scalars);
    return isBroken ? undefined : metrics;
  }

  /** Stops the thread. */
  close(): Promise<void> {
    return this.device.stop();
  }

  private placeOf(step: number): ReturnType<typeof stepPlace> {
    return stepPlace(step, this.memory.train.data.manifest.samples, this.run.request.batch);
  }

  private batchOf(step: number): number {
    return this.placeOf(step).size;
  }

  private commandBuffer(
    key: string,
    leaves: LeafRange,
    batch: number,
  ): ReturnType<CommandBufferCache['get']> {
    const { plan } = this;
    const { leafSize, weights, data } = this.memory.train;
    const { first, rows } = rowsOf(leaves, batch, leafSize);
    const before = this.threadMemory.scratch(0);
    const scratch = this.threadMemory.scratch(plan.tracedBytes(rows));
    if (scratch !== before) this.commandBuffers.forget();
    const subtrees = Array.from({ length: leaves.to - leaves.from }, (_, i) => {
      const own = rowsOf({ from: leaves.from + i, to: leaves.from + i + 1 }, batch, leafSize);
      return { row: own.first - first, rows: own.rows, out: this.threadMemory.buffer(i) };
    });
    return this.commandBuffers.get(key, (to) =>
      plan.emitTraced(to, {
        ...{ rows, first, batch, leafSize, weights, scratch, subtrees },
        data: data.placement(this.threadMemory.cursor),
        traced: (trace) => void this.traces.set(key, trace),
      }),
    );
  }
}
