import type { TrainingRows } from '../../shared/compiler/batch-rows.js';
import { createPlan, type Plan } from '../../shared/compiler/plan.js';
import type { Model } from '../../shared/graph/model.js';
import { elementsOf } from '../../shared/graph/shape.js';
import type { CommandBuffer } from '../../shared/kernels/command-buffer.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { rulesOf, sameRule } from '../../shared/optim/learning-rules.js';
import { type Optimizer, type OptimizerState, SCALARS_MAX } from '../../shared/optim/optimizer.js';
import { createOptimizer, type OptimizerSettings } from '../../shared/optim/settings.js';
import { sgd } from '../../shared/optim/sgd.js';
import { mergePlan, nodeKey } from '../../shared/reduction/merge-plan.js';
import {
  type LeafRange,
  leafCount,
  maximalSubtrees,
  nodeLeaves,
  rowsOf,
  type TreeNode,
} from '../../shared/reduction/tree.js';
import { ComputeSpace } from './compute-space.js';
import { type Call, emitCall, Recorder } from './recorder.js';
import { type Columns, placeSamples } from './samples.js';

/** Bytes before and after the scratch memory that no kernel may write. */
const GUARD_BYTES = 1024;

export interface TrainerOptions {
  readonly model: Model;
  readonly samples: Columns;
  /** Default: plain SGD with learning rate 0.1. */
  readonly optimizer?: OptimizerSettings;
  /** Default: 2. */
  readonly leafSize?: number;
  readonly backend?: Backend;
  /** Default: the model's own plan. */
  readonly plan?: Plan;
}

/** Numbers by parameter name. */
export type Named = Record<string, Float32Array>;

/** Training on one thread, without coordinator or workers. Every step takes all samples, in order. */
export class Trainer {
  readonly learningRate: number;
  private steps = 0;
  private readonly optimizer: Optimizer;
  private state: OptimizerState;
  private readonly data;
  private readonly weights: number;
  private readonly buffers: readonly number[];
  private readonly scalars: number;
  private readonly scratch: number;
  /** Byte offsets of vectors for partial sums. */
  private readonly vectors: number[] = [];

  private constructor(
    readonly space: ComputeSpace,
    readonly plan: Plan,
    private readonly leafSize: number,
    samples: Columns,
    settings: OptimizerSettings,
  ) {
    this.learningRate = settings.learningRate;
    this.optimizer = createOptimizer(settings, plan.parameters);
    this.state = this.optimizer.init();
    this.data = placeSamples(space, samples);
    this.weights = space.memory.allocate(plan.parameterFloats * 4);
    this.buffers = Array.from({ length: this.optimizer.buffers }, () =>
      space.memory.allocate(plan.parameterFloats * 4),
    );
    this.scalars = space.memory.allocate(SCALARS_MAX * 4);
    const scratchBytes = plan.scratchBytes(this.data.samples);
    this.scratch = space.memory.allocate(scratchBytes + 2 * GUARD_BYTES) + GUARD_BYTES;
  }

  static async open(options: TrainerOptions): Promise<Trainer> {
    const { model, samples, leafSize = 2, backend = 'wasm' } = options;
    const space = await ComputeSpace.open(backend);
    const optimizer = options.optimizer ?? sgd({ learningRate: 0.1 });
    return new Trainer(space, options.plan ?? createPlan(model), leafSize, samples, optimizer);
  }

  /** Initialises the weights. */
  initialise(seed: number): void {
    const scratch = this.space.memory.allocate(this.plan.parameterFloats * 4);
    this.space.run((commandBuffer) =>
      this.plan.emitInitialisation(commandBuffer, { weights: this.weights, scratch, seed }),
    );
  }

  /** A view of one parameter, which may be written to. */
  parameter(name: string): Float32Array {
    const parameter = this.plan.parameters.find((candidate) => candidate.name === name);
    if (parameter === undefined) throw new Error(`there is no parameter ${name}`);
    return this.space.memory.f32(this.weights + parameter.offset * 4, parameter.size);
  }

  /** Copies of all parameters. */
  parameters(): Named {
    return Object.fromEntries(this.plan.parameters.map(({ name }) => [name, this.parameter(name).slice()]));
  }

  /** The gradients in a vector as `gradient` returns it. */
  named(vector: Float32Array): Named {
    return Object.fromEntries(
      this.plan.parameters
        .filter(({ isFrozen }) => !isFrozen)
        .map(({ name, offset, size }) => [name, vector.slice(offset, offset + size)]),
    );
  }

  /** The metric sums of a vector as `gradient` returns it. */
  sums(vector: Float32Array): Float32Array {
    const { metrics, gradientFloats } = this.plan;
    return vector.slice(gradientFloats, gradientFloats + metrics.length);
  }

  /** The mean of each metric. */
  means(sums: Float32Array): Record<string, number> {
    const count = this.data.samples * this.plan.terms;
    return Object.fromEntries(this.plan.metrics.map((metric, i) => [metric, (sums[i] as number) / count]));
  }

  /**
   * The gradient of all samples, followed by the metric sums: `vectorFloats` floats.
   * @param ranges how the leaves are divided, in any order; default: one range
   */
  gradient(ranges?: readonly LeafRange[]): Float32Array {
    const leaves = leafCount(this.data.samples, this.leafSize);
    const buffers = new Map<number, number>();
    const nodes: TreeNode[] = [];
    for (const range of ranges ?? [{ from: 0, to: leaves }]) {
      for (const node of this.computeRange(range, buffers)) nodes.push(node);
    }
    const { adds, tops } = mergePlan(nodes, leaves);
    this.space.run((commandBuffer) => {
      for (const { into, left, right } of adds) {
        const out = buffers.get(nodeKey(left)) as number;
        commandBuffer.emit('addVectors', {
          out,
          a: out,
          b: buffers.get(nodeKey(right)) as number,
          n: this.plan.vectorFloats,
        });
        buffers.set(nodeKey(into), out);
      }
    });
    return this.space.memory
      .f32(buffers.get(nodeKey(tops[0] as TreeNode)) as number, this.plan.vectorFloats)
      .slice();
  }

  /** Sets the step of the run, on which random numbers depend. */
  goTo(step: number): void {
    this.space.memory.u32(this.data.cursor, 3)[2] = step;
    this.steps = step;
  }

  /** One step of training. Returns the mean loss before it. */
  step(): number {
    const gradient = this.gradient();
    this.goTo(this.steps + 1);
    const at = this.vector(0);
    this.space.memory.f32(at, gradient.length).set(gradient);
    const { state, scalars } = this.optimizer.update(this.state, this.learningRate);
    this.state = state;
    this.space.memory.f32(this.scalars, scalars.length).set(scalars);
    const rules = rulesOf(this.plan.parameters);
    this.space.run((commandBuffer) => {
      for (const parameter of this.plan.parameters) {
        // Moving averages and frozen parameters lie behind those that are updated.
        if (parameter.offset >= this.plan.trainedFloats) continue;
        const from = parameter.offset * 4;
        this.optimizer.emit(commandBuffer, {
          ...{ weights: this.weights + from, gradient: at + from, n: parameter.size, scalars: this.scalars },
          buffers: this.buffers.map((buffer) => buffer + from),
          rule: rules.findIndex((rule) => sameRule(rule, parameter)),
        });
      }
    });
    for (const { name, offset, momentum = 1 } of this.plan.parameters) {
      this.parameter(name).forEach((old, i, all) => {
        if (momentum < 1) all[i] = old + (1 - momentum) * ((gradient[offset + i] as number) - old);
      });
    }
    return this.means(this.sums(gradient)).loss as number;
  }

  /** Metric sums of all samples, by a forward pass. */
  evaluate(): Float32Array {
    const rows = this.wholeBatch();
    this.space.run((commandBuffer) => this.plan.emitEvaluation(commandBuffer, rows));
    const { metrics, gradientFloats } = this.plan;
    return this.space.memory.f32(this.vector(0) + gradientFloats * 4, metrics.length).slice();
  }

  /**
   * The model's output for all samples, [samples, ...output].
   * @param replace may write other calls instead of a call, and then returns true
   */
  predict(replace: (commandBuffer: CommandBuffer, call: Call) => boolean = () => false): Float32Array {
    const { data, weights, scratch } = this;
    const rows = data.samples;
    const floats = rows * elementsOf(this.plan.output);
    const out = this.space.memory.allocate(floats * 4);
    const recorder = new Recorder();
    this.plan.emitPrediction(recorder, { rows, first: 0, weights, scratch, data, out });
    this.space.run((commandBuffer) => {
      for (const call of recorder.calls) if (!replace(commandBuffer, call)) emitCall(commandBuffer, call);
    });
    return this.space.memory.f32(out, floats).slice();
  }

  /** The output that the mean squared error compares with the targets, [samples, count], as computed in training. */
  trainingOutput(count: number): Float32Array {
    const recorder = new Recorder();
    this.plan.emitTraining(recorder, this.wholeBatch());
    const end = recorder.calls.findIndex(({ name }) => name === 'meanSquaredErrorForward');
    this.space.run((commandBuffer) => {
      for (const call of recorder.calls.slice(0, end)) emitCall(commandBuffer, call);
    });
    return this.space.memory.f32(recorder.calls[end]?.args.y as number, this.data.samples * count).slice();
  }

  /** Fills the scratch memory and the guards around it with NaN. Returns the guards, which a plan must not write. */
  dirtyScratch(): Float32Array[] {
    const floats = this.plan.scratchBytes(this.data.samples) / 4;
    this.space.memory.f32(this.scratch, floats).fill(Number.NaN);
    const around = [this.scratch - GUARD_BYTES, this.scratch + floats * 4];
    return around.map((at) => this.space.memory.f32(at, GUARD_BYTES / 4).fill(Number.NaN));
  }

  private computeRange(range: LeafRange, buffers: Map<number, number>): TreeNode[] {
    const { data, weights, scratch, leafSize } = this;
    const leaves = leafCount(data.samples, leafSize);
    const nodes = maximalSubtrees(range, leaves);
    if (nodes.length === 0) return nodes;
    const { first, rows } = rowsOf(range, data.samples, leafSize);
    const subtrees = nodes.map((node) => {
      const part = rowsOf(nodeLeaves(node, leaves), data.samples, leafSize);
      const out = this.vector(buffers.size);
      buffers.set(nodeKey(node), out);
      return { row: part.first - first, rows: part.rows, out };
    });
    const training = { rows, first, batch: data.samples, leafSize, subtrees, weights, scratch, data };
    this.space.run((commandBuffer) => this.plan.emitTraining(commandBuffer, training));
    return nodes;
  }

  /** All samples as one subtree, whose sums go to the first vector. */
  private wholeBatch(): TrainingRows {
    const { data, weights, scratch, leafSize } = this;
    const rows = data.samples;
    const subtrees = [{ row: 0, rows, out: this.vector(0) }];
    return { rows, first: 0, batch: rows, leafSize, subtrees, weights, scratch, data };
  }

  private vector(index: number): number {
    while (this.vectors.length <= index)
      this.vectors.push(this.space.memory.allocate(this.plan.vectorFloats * 4));
    return this.vectors[index] as number;
  }
}
