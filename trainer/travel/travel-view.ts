import { encodeCheckpoint, type SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import { commandLine } from '../../shared/command-line.js';
import type { Dataset } from '../../shared/data/dataset.js';
import { UserError } from '../../shared/errors.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import type { Tensor } from '../../shared/files/tensors.js';
import type { ModelNode } from '../../shared/graph/model.js';
import { distance, norm } from '../../shared/metrics/vector-stats.js';
import type {
  NeuronNumbers,
  NeuronWeights,
  RunFacts,
  SessionFacts,
  StepDistance,
  StepFacts,
} from '../../shared/protocol/view-facts.js';
import { shellWord } from '../../shared/shell-word.js';
import { evaluationSet } from '../evaluation-set.js';
import { receiptOf } from '../receipt/receipt.js';
import type { Receipt } from '../receipt/receipt-format.js';
import type { Leg } from '../replay/recorded-run.js';
import { sumOfLeaves } from './leaf-sums.js';
import { recordedHashes } from './record-comparison.js';
import { type LeafTrace, StepTracer, type TracedValues } from './step-tracer.js';
import type { TravelRun } from './travel-run.js';

/** States that are kept beside the checkpoints, at most, and bytes of all of them. */
const STATES_MAX = 64;
const STATES_BYTES_MAX = 2 ** 28;
/** Most numbers of one kind in an answer. */
const NUMBERS_MAX = 4096;
/** Ops that follow a sum and are its activation. */
const ACTIVATIONS = ['relu', 'leakyRelu', 'gelu', 'silu', 'sigmoid', 'tanh', 'softmax'];

/** Goes to any step of a run, and reads what is there. Calls must not overlap. */
export class TravelView {
  private readonly states = new Map<number, SavedCheckpoint>();
  private tracer: { readonly leg: Leg; readonly tracer: StepTracer } | undefined;
  private gradient: { readonly step: number; readonly sum: Float32Array } | undefined;

  /** @param backend kernels that it computes with */
  constructor(
    private run: TravelRun,
    private readonly backend: Parameters<typeof StepTracer.open>[1]['backend'],
  ) {}

  /** Directory of the run. */
  get path(): string {
    return this.run.path;
  }

  /** What the page shows before a step is chosen. The record is read again when it has grown. */
  async facts(): Promise<Omit<RunFacts, 'reports'>> {
    await this.refresh();
    const { recorded, plan, path } = this.run;
    return {
      path,
      recipe: recorded.legs[0]?.recipe ?? '',
      steps: recorded.lastStep,
      ended: recorded.end?.reason ?? null,
      layers: plan.model.nodes.map(({ name, op, parameters }) => ({
        ...{ name, op, parameters: Object.values(parameters) },
      })),
    };
  }

  /** The state after so many steps, to the bit. @throws UserError when the run has no such step */
  async state(step: number): Promise<SavedCheckpoint> {
    const { recorded } = this.run;
    if (!Number.isSafeInteger(step) || step < 0 || step > recorded.lastStep)
      throw new UserError(`the run has the steps 0 to ${recorded.lastStep}, not ${step}`);
    const known = this.states.get(step);
    if (known !== undefined) return known;
    const kept = await this.run.nearest(step);
    const near = [...this.states.keys()].filter((one) => one < step).sort((a, b) => b - a)[0] ?? -1;
    const start = near > (kept?.progress.step ?? -1) ? this.states.get(near) : kept;
    const state = (await this.run.recompute([step], start)).states.get(step);
    if (state === undefined)
      throw new UserError(
        `step ${step} cannot be computed: run ${commandLine(`verify ${shellWord(this.run.path)}`)}`,
      );
    this.remember(step, state);
    return state;
  }

  /** The network after so many steps. */
  async step(step: number): Promise<StepFacts> {
    const state = await this.state(step);
    const { recorded } = this.run;
    const { weightsSha256 } = state;
    const told = recordedHashes(recorded, step, false).weightsSha256;
    const isLast = step >= recorded.lastStep;
    const samples = isLast ? [] : [...(await this.tracerAt(step)).samples(step)].slice(0, NUMBERS_MAX);
    return {
      ...{ step, weightsSha256, samples },
      ...(told !== undefined && { isAsRecorded: told === weightsSha256 }),
      metrics: recorded.steps[step]?.value.means ?? {},
      evaluation: recorded.evaluations.get(step)?.value ?? {},
      parameters: state.parameters.map(({ name, shape, values }) => ({ name, shape, norm: norm(values) })),
    };
  }

  /** The receipt of the run. @throws UserError when it has not ended */
  receipt(): Promise<Receipt> {
    return receiptOf(this.run.path);
  }

  /** What is needed to compute the steps after one again, beside settings, data and a state. */
  session(step: number): SessionFacts {
    const evaluated = this.dataset('evaluated', step);
    const { model } = this.run.plan;
    return { model, train: this.dataset('train', step)?.manifest, evaluated: evaluated?.manifest ?? null };
  }

  /** A chunk of the data of the steps after one. @throws UserError when there is none */
  chunk(set: string, step: number, index: number): Uint8Array {
    const dataset = this.dataset(set, step);
    if (dataset === undefined || index >= dataset.manifest.chunkHashes.length)
      throw new UserError(`the data have no chunk ${index} of ${set}`);
    return dataset.chunk(index);
  }

  /** The state after so many steps as the bytes of a checkpoint. */
  async checkpoint(step: number): Promise<Uint8Array> {
    const { pieces } = await encodeCheckpoint(await this.state(step), sha256Hex);
    return Buffer.concat(pieces);
  }

  /** How far two states are from each other. */
  async compare(a: number, b: number): Promise<StepDistance[]> {
    const [x, y] = [await this.state(a), await this.state(b)];
    return x.parameters.map(({ name, values }) => {
      const other = y.parameters.find((tensor) => tensor.name === name)?.values ?? values;
      return { name, norm: norm(values), otherNorm: norm(other), distance: distance(values, other) };
    });
  }

  /**
   * One neuron or filter in the step after a state, for one sample of its batch.
   * @param sample its place in the batch
   * @param unit of the last axis of the layer
   */
  async neuron(step: number, sample: number, layer: string, unit: number): Promise<NeuronNumbers> {
    if (step >= this.run.lastStep)
      throw new UserError(`step ${step} is the last: go to an earlier one to see the step after it`);
    const { model } = this.run.plan;
    const node = model.nodes.find(({ name }) => name === layer);
    if (node === undefined) throw new UserError(`the network has no layer ${layer}`);
    const before = await this.state(step);
    const after = await this.state(step + 1);
    const tracer = await this.tracerAt(step);
    const sum = await this.gradientAt(tracer, step, before);
    const batch = tracer.samples(step);
    if (!(sample in batch)) throw new UserError(`the batch has ${batch.length} samples`);
    tracer.load(before);
    const { leafSize } = this.run.requestOf(step + 1);
    const trace = await tracer.trace(step, Math.floor(sample / leafSize));
    const row = sample - trace.first;
    const z = trace.value(layer);
    if (z === undefined) throw new UserError(`${layer} computes nothing in training`);
    if (!Number.isInteger(unit) || unit < 0 || unit >= z.units)
      throw new UserError(`${layer} has the units 0 to ${z.units - 1}, not ${unit}`);
    const activation = activationOf(model.nodes, layer);
    const y = activation && trace.value(activation.name);
    const delta = trace.error(layer);
    const input = inputOf(model.nodes, node, trace);
    return {
      ...{ step, layer, op: node.op, unit, units: z.units, sample: batch[sample] as number },
      ...{
        activation: activation?.op,
        z: unitOf(z, row, unit),
        delta: delta ? unitOf(delta, row, unit) : [],
      },
      y: unitOf(y ?? z, row, unit),
      x: input === undefined ? [] : rowOf(input, row).slice(0, NUMBERS_MAX),
      weights: Object.values(node.parameters).flatMap((name) =>
        this.weightsOf(name, z.units, unit, sum, before, after),
      ),
    };
  }

  /** Stops the thread. */
  async close(): Promise<void> {
    await this.tracer?.tracer.close();
    this.tracer = undefined;
  }

  private async refresh(): Promise<void> {
    const now = await this.run.reread();
    if (now === this.run) return;
    const { legs, takenBack } = this.run.recorded;
    const isLonger = now.recorded.legs.length === legs.length && now.recorded.takenBack === takenBack;
    this.run = now;
    if (isLonger) return;
    // Steps were taken back, or the settings have changed: what is kept may be of another course.
    await this.close();
    this.states.clear();
    this.gradient = undefined;
  }

  private dataset(set: string, step: number): Dataset | undefined {
    const { data } = this.run.requestOf(step + 1);
    return set === 'train' ? data.train : evaluationSet(data);
  }

  private weightsOf(
    name: string,
    units: number,
    unit: number,
    sum: Float32Array,
    before: SavedCheckpoint,
    after: SavedCheckpoint,
  ): NeuronWeights[] {
    const planned = this.run.plan.parameters.find((one) => one.name === name);
    const valuesOf = ({ parameters }: { readonly parameters: readonly Tensor[] }): Float32Array | undefined =>
      parameters.find((tensor) => tensor.name === name)?.values;
    const [w, next] = [valuesOf(before), valuesOf(after)];
    if (planned === undefined || w === undefined || next === undefined) return [];
    const width = planned.shape.at(-1) ?? 1;
    // The columns of a unit: one, or one for each gate of a recurrent layer.
    if (width % units !== 0) return [];
    const indices: number[] = [];
    for (let i = 0; i < planned.size && indices.length < NUMBERS_MAX; i++)
      if ((i % width) % units === unit) indices.push(i);
    const gradient = planned.isFrozen
      ? undefined
      : sum.subarray(planned.offset, planned.offset + planned.size);
    return [
      {
        name,
        indices,
        w: indices.map((i) => w[i] as number),
        gradient: gradient === undefined ? [] : indices.map((i) => gradient[i] as number),
        update: indices.map((i) => Math.fround((next[i] as number) - (w[i] as number))),
      },
    ];
  }

  private async gradientAt(tracer: StepTracer, step: number, before: SavedCheckpoint): Promise<Float32Array> {
    if (this.gradient?.step === step) return this.gradient.sum;
    tracer.load(before);
    const sums: Float32Array[] = [];
    while (sums.length < tracer.leaves(step)) sums.push(...(await tracer.trace(step, sums.length)).sums);
    this.gradient = { step, sum: sumOfLeaves(sums) };
    return this.gradient.sum;
  }

  private async tracerAt(step: number): Promise<StepTracer> {
    const leg = this.run.legOf(step + 1);
    // Of a record that was read again, the part of the run is another object.
    if (this.tracer?.leg.from === leg.from) return this.tracer.tracer;
    await this.close();
    const tracer = await StepTracer.open(this.run.requestOf(step + 1), { backend: this.backend });
    this.tracer = { leg, tracer };
    return tracer;
  }

  private remember(step: number, state: SavedCheckpoint): void {
    const bytes = [...state.parameters, ...state.buffers.flat()].reduce(
      (all, { values }) => all + values.byteLength,
      0,
    );
    const most = Math.max(2, Math.min(STATES_MAX, Math.floor(STATES_BYTES_MAX / Math.max(1, bytes))));
    this.states.set(step, state);
    for (const old of this.states.keys()) {
      if (this.states.size <= most) return;
      this.states.delete(old);
    }
  }
}

/** What a node reads: nodes that only see a value in another shape compute nothing. */
function inputOf(
  nodes: readonly ModelNode[],
  { inputs }: ModelNode,
  trace: LeafTrace,
): TracedValues | undefined {
  const [input] = inputs;
  if (input === undefined) return undefined;
  const viewed = nodes.find(({ name }) => name === input);
  return trace.value(input) ?? (viewed && inputOf(nodes, viewed, trace));
}

/** The node that applies a function to the sums of a layer and nothing else. */
function activationOf(nodes: readonly ModelNode[], layer: string): ModelNode | undefined {
  return nodes.find(({ op, inputs }) => ACTIVATIONS.includes(op) && inputs[0] === layer);
}

function rowOf({ values, elements }: TracedValues, row: number): number[] {
  return [...values.subarray(row * elements, (row + 1) * elements)];
}

/** The numbers of a unit: one, or one for each place of a map. */
function unitOf(traced: TracedValues, row: number, unit: number): number[] {
  return rowOf(traced, row)
    .filter((_, i) => i % traced.units === unit)
    .slice(0, NUMBERS_MAX);
}
