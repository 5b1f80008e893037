import type { PlannedParameter } from '../../compiler/flat-vector.js';
import type { Trace, TracedTensor } from '../../compiler/programs.js';
import { stepPlace } from '../../data/order.js';
import { assert } from '../../errors.js';
import type { ModelNode } from '../../graph/model.js';
import { opOf } from '../../graph/ops/table.js';
import { type GradientSpread, spreadOf } from '../../metrics/critical-batch.js';
import { constantUnits, distance, norm, rootMeanSquare } from '../../metrics/vector-stats.js';
import { leafCount, nodeLeaves, rootLevel, rowsOf as rowsOfLeaves } from '../../reduction/tree.js';
import type { RunMemory } from '../run-memory.js';
import { CommandBufferCache } from '../step/command-buffer-cache.js';
import { ThreadMemory } from '../step/thread-memory.js';
import type { ThreadPool } from '../threads/thread-pool.js';

/** An inspection takes fewer samples than the batch has if all their values would need more memory than this. */
const SCRATCH_BYTES = 2 ** 28;
/** Ops whose units are dead when they have the same value for every sample. */
const ACTIVATIONS: readonly string[] = ['relu', 'leakyRelu', 'gelu', 'silu', 'sigmoid', 'tanh'];
/** Ops that compute nothing: their values are those of the op before. */
const PASS_THROUGH: readonly string[] = ['reshape'];

/** One parameter in one step. Norms are Euclidean. */
export interface ParameterStats {
  readonly name: string;
  /** Before the update. */
  readonly weightNorm: number;
  /** Of dL/dw, before clipping. */
  readonly gradientNorm: number;
  /** Size of the update relative to the weights: |w' - w| / |w|. Left out when the step was not done, or w is 0. */
  readonly updateRatio?: number;
}

/** One layer in one step, over the inspected samples. */
export interface LayerStats {
  readonly name: string;
  readonly op: string;
  /** Root mean square of its output. */
  readonly activation: number;
  /** Root mean square of the error term dL/dy of a sample. Left out when no error term reaches the layer. */
  readonly error?: number;
  /** Of an activation: the fraction of units with the same output for every sample, such as a relu that is always 0. */
  readonly deadUnits?: number;
  readonly parameters: readonly ParameterStats[];
}

/** What backprop did in one step. */
export interface GradientStats {
  /** Steps done before it. */
  readonly step: number;
  /** Samples that were inspected: the first ones of the step's batch. */
  readonly samples: number;
  /** How much the gradients of samples differ. Left out where the batch cannot be divided. */
  readonly spread?: GradientSpread;
  /** In the order of the forward pass. */
  readonly layers: readonly LayerStats[];
}

/** Where the values of a step stop being finite. */
export interface Diagnosis {
  readonly what: string;
  /** A number for which a layer is not defined, and those for which it is; left out: none has led there. */
  readonly given?: {
    readonly layer: string;
    readonly op: string;
    readonly x: number;
    readonly domain: string;
  };
}

/**
 * Inspects the values and error terms in a network while it trains. An inspection repeats the forward and the backward
 * pass of a step, with command buffers that keep every value. It changes nothing of the run.
 */
export class GradientInspector {
  private readonly threadMemory: ThreadMemory;
  private readonly commandBuffers: CommandBufferCache;
  private readonly traces = new Map<number, Trace>();
  /** The latest inspection, with the weights before its step. */
  private open: { stats: GradientStats; weights: Float32Array } | undefined;

  /** @param batch samples of a step */
  constructor(
    private readonly threadPool: ThreadPool,
    private readonly runMemory: RunMemory,
    private readonly batch: number,
  ) {
    this.threadMemory = new ThreadMemory(runMemory.memory, runMemory.plan.vectorFloats * 4);
    this.commandBuffers = new CommandBufferCache(runMemory.memory);
  }

  /**
   * Inspects the next step. To be called while no step is under way.
   * @param step steps done
   */
  async inspect(step: number): Promise<void> {
    const { memory, data, plan } = this.runMemory;
    const { epoch, position, size } = stepPlace(step, data.manifest.samples, this.batch);
    const rows = this.rowsOf(size);
    const commandBuffer = this.commandBuffer(rows);
    memory.u32(this.threadMemory.cursor, 3).set([data.order(epoch), position, step]);
    await this.threadPool.run([commandBuffer]);
    const spread = this.joinParts(rows);
    const trace = this.traces.get(rows);
    assert(trace !== undefined, 'a traced command buffer has a trace');
    this.open = {
      stats: { step, samples: rows, ...(spread && { spread }), layers: this.layers(trace, rows) },
      weights: this.weights(),
    };
    assert(plan.parameterFloats === this.open.weights.length, 'all weights are kept');
  }

  /**
   * Returns the latest inspection once, with the size of the update if its step is the latest one that was done.
   * Undefined when there was no inspection since the last call.
   * @param step steps done
   */
  take(step: number): GradientStats | undefined {
    const { open } = this;
    this.open = undefined;
    if (open === undefined || step !== open.stats.step + 1) return open?.stats;
    const [before, after] = [open.weights, this.weights()];
    const withUpdate = ({ name, weightNorm, gradientNorm }: ParameterStats): ParameterStats => {
      const { offset, size } = this.parameter(name);
      const moved = distance(before.subarray(offset, offset + size), after.subarray(offset, offset + size));
      return {
        name,
        weightNorm,
        gradientNorm,
        ...(weightNorm > 0 ? { updateRatio: moved / weightNorm } : {}),
      };
    };
    const layers = open.stats.layers.map((layer) => ({
      ...layer,
      parameters: layer.parameters.map(withUpdate),
    }));
    return { ...open.stats, layers };
  }

  /**
   * Inspects a step whose sums are not finite.
   * @param step steps done
   * @returns the first value that is not finite, in the order of the forward and the backward pass
   */
  async diagnose(step: number): Promise<Diagnosis> {
    const { parameters } = this.runMemory.plan;
    const broken = parameters.find(({ name }) => !Number.isFinite(this.parameterStats(name).weightNorm));
    if (broken !== undefined) return { what: `the weights of ${broken.name} are not finite` };
    await this.inspect(step);
    const { layers = [], samples = 0 } = this.open?.stats ?? {};
    this.open = undefined;
    const forward = layers.find(({ activation }) => !Number.isFinite(activation));
    if (forward !== undefined)
      return {
        what: `the output of layer ${forward.name} is not finite`,
        ...this.outOfDomain(({ name }) => name === forward.name, samples),
      };
    const backward = layers.findLast(({ error = 0 }) => !Number.isFinite(error));
    if (backward !== undefined)
      return {
        what: `the error term of layer ${backward.name} is not finite`,
        ...this.outOfDomain(({ inputs }) => inputs.includes(backward.name), samples),
      };
    const gradient = layers
      .flatMap(({ parameters }) => parameters)
      .findLast(({ gradientNorm }) => !Number.isFinite(gradientNorm));
    if (gradient !== undefined) return { what: `the gradient of ${gradient.name} is not finite` };
    return { what: 'the loss or the sum of the gradients is not finite' };
  }

  /** The first number for which a layer is not defined, among those that it was given. */
  private outOfDomain(isMeant: (node: ModelNode) => boolean, rows: number): Pick<Diagnosis, 'given'> {
    for (const { name, op, inputs } of this.runMemory.plan.model.nodes.filter(isMeant)) {
      const definition = opOf(op);
      const domain = definition.kind === 'kernel' ? definition.domain : undefined;
      const input = this.traces.get(rows)?.values.get(inputs[0] as string);
      if (domain === undefined || input === undefined) continue;
      const x = this.read(input, rows).find((value) => !domain.has(value));
      if (x !== undefined) return { given: { layer: name, op, x, domain: domain.text } };
    }
    return {};
  }

  private layers({ values, errors }: Trace, rows: number): LayerStats[] {
    const { model } = this.runMemory.plan;
    const seen = new Set<string>();
    const layer = (node: ModelNode): LayerStats | undefined => {
      const value = values.get(node.name);
      if (value === undefined || PASS_THROUGH.includes(node.op)) return undefined;
      const error = errors.get(node.name);
      const parameters = Object.values(node.parameters).filter(
        (name) => !seen.has(name) && isTrained(this.parameter(name)),
      );
      for (const name of parameters) seen.add(name);
      const y = this.read(value, rows);
      return {
        name: node.name,
        op: node.op,
        activation: rootMeanSquare(y),
        // The loss is the mean over `rows` samples, so the error term of one sample's loss is `rows` times as large.
        ...(error === undefined ? {} : { error: rows * rootMeanSquare(this.read(error, rows)) }),
        ...(ACTIVATIONS.includes(node.op) ? { deadUnits: constantUnits(y, value.units) } : {}),
        parameters: parameters.map((name) => this.parameterStats(name)),
      };
    };
    return model.nodes.map(layer).filter((stats) => stats !== undefined);
  }

  private parameterStats(name: string): ParameterStats {
    const { memory, weights } = this.runMemory;
    const { offset, size } = this.parameter(name);
    return {
      name,
      weightNorm: norm(memory.f32(weights + offset * 4, size)),
      gradientNorm: norm(memory.f32(this.threadMemory.buffer(0) + offset * 4, size)),
    };
  }

  private parameter(name: string): PlannedParameter {
    const parameter = this.runMemory.plan.parameters.find((candidate) => candidate.name === name);
    assert(parameter !== undefined, `the plan places ${name}`);
    return parameter;
  }

  private commandBuffer(rows: number): ReturnType<CommandBufferCache['get']> {
    const { plan, leafSize, weights, data } = this.runMemory;
    const before = this.threadMemory.scratch(0);
    const scratch = this.threadMemory.scratch(plan.tracedBytes(rows));
    if (scratch !== before) this.commandBuffers.forget();
    return this.commandBuffers.get(String(rows), (to) =>
      plan.emitTraced(to, {
        ...{ rows, first: 0, batch: rows, leafSize: Math.min(leafSize, rows), weights, scratch },
        subtrees: this.partsOf(rows).map((part, i) => ({ ...part, out: this.threadMemory.buffer(i) })),
        data: data.placement(this.threadMemory.cursor),
        traced: (trace) => void this.traces.set(rows, trace),
      }),
    );
  }

  /** The halves of the canonical tree; the whole where it has one leaf, or they would split a group of samples. */
  private partsOf(rows: number): { row: number; rows: number }[] {
    const { plan, leafSize } = this.runMemory;
    const leaves = leafCount(rows, leafSize);
    if (leaves === 1) return [{ row: 0, rows }];
    const level = rootLevel(leaves) - 1;
    const halves = [0, 1].map((index) => rowsOfLeaves(nodeLeaves({ level, index }, leaves), rows, leafSize));
    const splitsGroup = halves.some(({ first }) => first % plan.group !== 0);
    return splitsGroup ? [{ row: 0, rows }] : halves.map(({ first, rows }) => ({ row: first, rows }));
  }

  /** Compares the gradients of both parts, and adds them up in place of the first. */
  private joinParts(rows: number): GradientSpread | undefined {
    const [first, second] = this.partsOf(rows);
    if (first === undefined || second === undefined) return undefined;
    const { memory, plan } = this.runMemory;
    const gradientsIn = (part: number): Float32Array[] =>
      plan.parameters
        .filter(isTrained)
        .map(({ offset, size }) => memory.f32(this.threadMemory.buffer(part) + offset * 4, size));
    const [a, b] = [gradientsIn(0), gradientsIn(1)];
    const spread = spreadOf({ parameters: a, samples: first.rows }, { parameters: b, samples: second.rows });
    for (const [i, values] of a.entries())
      for (const [j, value] of (b[i] as Float32Array).entries()) (values[j] as number) += value;
    return spread;
  }

  private rowsOf(size: number): number {
    let rows = size;
    while (rows > 1 && this.runMemory.plan.tracedBytes(rows) > SCRATCH_BYTES) rows = Math.ceil(rows / 2);
    return rows;
  }

  private read({ offset, elements }: TracedTensor, rows: number): Float32Array {
    return this.runMemory.memory.f32(offset, rows * elements);
  }

  private weights(): Float32Array {
    const { memory, weights, plan } = this.runMemory;
    return memory.f32(weights, plan.parameterFloats).slice();
  }
}

/** Moving averages and frozen parameters have no gradient. */
function isTrained({ momentum, isFrozen }: PlannedParameter): boolean {
  return momentum === undefined && !isFrozen;
}
