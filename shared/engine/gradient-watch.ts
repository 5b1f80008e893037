import { stepPlace } from '../data/order.js';
import { assert } from '../errors.js';
import type { PlannedParameter } from '../graph/flat-vector.js';
import type { ModelNode } from '../graph/model.js';
import type { Trace, TracedTensor } from '../graph/programs.js';
import { constantUnits, distance, norm, rootMeanSquare } from '../metrics/vector-figures.js';
import type { RunPlace } from './step-compiler.js';
import { TapeStore } from './tape-store.js';
import type { Team } from './team.js';
import { ThreadSpace } from './thread-space.js';

/** A look takes fewer samples than the batch has when all of its values would need more memory than this. */
const SCRATCH_BYTES = 2 ** 28;
/** Ops of which a unit is alive only while it tells samples apart. */
const ACTIVATIONS: readonly string[] = ['relu', 'leakyRelu', 'gelu', 'silu', 'sigmoid', 'tanh'];
/** Ops that compute nothing: what goes through them is seen before and behind them. */
const PASSAGES: readonly string[] = ['reshape'];

/** One parameter in one step. Norms are Euclidean. */
export interface ParameterFigures {
  readonly name: string;
  /** Before the update. */
  readonly weightNorm: number;
  /** Of dL/dw, before clipping. */
  readonly gradientNorm: number;
  /** Length of the step relative to the weights: |w' - w| / |w|. Undefined where the step was not done, or w is 0. */
  readonly updateRatio?: number;
}

/** One layer in one step, over the samples that were looked at. */
export interface LayerFigures {
  readonly name: string;
  readonly op: string;
  /** Root mean square of what it hands on. */
  readonly activation: number;
  /** Root mean square of the error term dL/dy of a sample, where one comes back. */
  readonly error?: number;
  /** Of an activation: the part of its units that say the same of every sample, such as a relu that is always 0. */
  readonly deadUnits?: number;
  readonly parameters: readonly ParameterFigures[];
}

/** What backprop did in one step. */
export interface GradientFigures {
  /** Steps done before it. */
  readonly step: number;
  /** Samples that were looked at: the first of the step's batch. */
  readonly samples: number;
  /** In the order of the forward pass. */
  readonly layers: readonly LayerFigures[];
}

/**
 * Watches values and error terms flow through a network while it trains. A look repeats the forward and the backward
 * pass of a step on tapes of its own, in which every value is kept, with the weights as they are; it changes nothing.
 */
export class GradientWatch {
  private readonly space: ThreadSpace;
  private readonly tapes: TapeStore;
  private readonly traces = new Map<number, Trace>();
  /** The latest look, until the step behind it is done. */
  private open: { figures: GradientFigures; weights: Float32Array } | undefined;

  /**
   * @param place where the run lies
   * @param batch samples of a step
   */
  constructor(
    private readonly team: Team,
    private readonly place: RunPlace,
    private readonly batch: number,
  ) {
    this.space = new ThreadSpace(place.memory, place.plan.vectorFloats * 4);
    this.tapes = new TapeStore(place.memory);
  }

  /**
   * Looks at the step that comes next. To be called while no step is under way.
   * @param step steps done
   */
  async look(step: number): Promise<void> {
    const { memory, data, plan } = this.place;
    const { epoch, position, size } = stepPlace(step, data.manifest.samples, this.batch);
    const rows = this.rowsOf(size);
    const tape = this.tape(rows);
    memory.u32(this.space.cursor, 3).set([data.order(epoch), position, step]);
    await this.team.run([tape]);
    const trace = this.traces.get(rows);
    assert(trace !== undefined, 'a traced tape tells where its tensors lie');
    this.open = {
      figures: { step, samples: rows, layers: this.layers(trace, rows) },
      weights: this.weights(),
    };
    assert(plan.parameterFloats === this.open.weights.length, 'all weights are kept');
  }

  /**
   * What the latest look saw, and how far the weights have moved since if the step behind it is done. Undefined when
   * there was none, or it was taken before.
   * @param step steps done
   */
  take(step: number): GradientFigures | undefined {
    const { open } = this;
    this.open = undefined;
    if (open === undefined || step !== open.figures.step + 1) return open?.figures;
    const [before, after] = [open.weights, this.weights()];
    const moved = ({ name, weightNorm, gradientNorm }: ParameterFigures): ParameterFigures => {
      const { offset, size } = this.parameter(name);
      const way = distance(before.subarray(offset, offset + size), after.subarray(offset, offset + size));
      return { name, weightNorm, gradientNorm, ...(weightNorm > 0 ? { updateRatio: way / weightNorm } : {}) };
    };
    const layers = open.figures.layers.map((layer) => ({
      ...layer,
      parameters: layer.parameters.map(moved),
    }));
    return { ...open.figures, layers };
  }

  /**
   * Looks at a step whose sums are not finite.
   * @param step steps done
   * @returns the first value that is not finite, in the order of the forward and then the backward pass, in words
   */
  async diagnose(step: number): Promise<string> {
    const { plan } = this.place;
    const broken = plan.parameters.find(
      ({ name }) => !Number.isFinite(this.parameterFigures(name).weightNorm),
    );
    if (broken !== undefined) return `weights of ${broken.name} are not finite`;
    await this.look(step);
    const layers = this.open?.figures.layers ?? [];
    this.open = undefined;
    const forward = layers.find(({ activation }) => !Number.isFinite(activation));
    if (forward !== undefined) return `what layer ${forward.name} hands on is not finite`;
    const backward = layers.findLast(({ error = 0 }) => !Number.isFinite(error));
    if (backward !== undefined)
      return `the error term that comes back to layer ${backward.name} is not finite`;
    const gradient = layers
      .flatMap(({ parameters }) => parameters)
      .findLast(({ gradientNorm }) => !Number.isFinite(gradientNorm));
    if (gradient !== undefined) return `the gradient of ${gradient.name} is not finite`;
    return 'the loss or the sum of the gradients is not finite';
  }

  private layers({ values, errors }: Trace, rows: number): LayerFigures[] {
    const { model } = this.place.plan;
    const seen = new Set<string>();
    const layer = (node: ModelNode): LayerFigures | undefined => {
      const value = values.get(node.name);
      if (value === undefined || PASSAGES.includes(node.op)) return undefined;
      const error = errors.get(node.name);
      // Moving averages have no gradient.
      const parameters = Object.values(node.parameters).filter(
        (name) => !seen.has(name) && this.parameter(name).momentum === undefined,
      );
      for (const name of parameters) seen.add(name);
      const y = this.read(value, rows);
      return {
        name: node.name,
        op: node.op,
        activation: rootMeanSquare(y),
        // The loss is a mean over samples: so many times the error term in memory is that of a sample's own loss.
        ...(error === undefined ? {} : { error: rows * rootMeanSquare(this.read(error, rows)) }),
        ...(ACTIVATIONS.includes(node.op) ? { deadUnits: constantUnits(y, value.units) } : {}),
        parameters: parameters.map((name) => this.parameterFigures(name)),
      };
    };
    return model.nodes.map(layer).filter((figures) => figures !== undefined);
  }

  private parameterFigures(name: string): ParameterFigures {
    const { memory, weights } = this.place;
    const { offset, size } = this.parameter(name);
    return {
      name,
      weightNorm: norm(memory.f32(weights + offset * 4, size)),
      gradientNorm: norm(memory.f32(this.space.slot(0) + offset * 4, size)),
    };
  }

  private parameter(name: string): PlannedParameter {
    const parameter = this.place.plan.parameters.find((candidate) => candidate.name === name);
    assert(parameter !== undefined, `the plan places ${name}`);
    return parameter;
  }

  private tape(rows: number): ReturnType<TapeStore['get']> {
    const { plan, leafSize, weights, data } = this.place;
    const before = this.space.scratch(0);
    const scratch = this.space.scratch(plan.tracedBytes(rows));
    if (scratch !== before) this.tapes.forget();
    return this.tapes.get(String(rows), (to) =>
      plan.emitTraced(to, {
        ...{ rows, first: 0, batch: rows, leafSize: Math.min(leafSize, rows), weights, scratch },
        subtrees: [{ row: 0, rows, out: this.space.slot(0) }],
        data: data.placement(this.space.cursor),
        traced: (trace) => void this.traces.set(rows, trace),
      }),
    );
  }

  private rowsOf(size: number): number {
    let rows = size;
    while (rows > 1 && this.place.plan.tracedBytes(rows) > SCRATCH_BYTES) rows = Math.ceil(rows / 2);
    return rows;
  }

  private read({ offset, elements }: TracedTensor, rows: number): Float32Array {
    return this.place.memory.f32(offset, rows * elements);
  }

  private weights(): Float32Array {
    const { memory, weights, plan } = this.place;
    return memory.f32(weights, plan.parameterFloats).slice();
  }
}
