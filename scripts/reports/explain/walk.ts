import { createPlan } from '../../../shared/compiler/plan.js';
import type { Trace, TracedTensor } from '../../../shared/compiler/programs.js';
import { DataStore } from '../../../shared/engine/data-store.js';
import { ComputeMemory } from '../../../shared/engine/memory.js';
import { assert } from '../../../shared/errors.js';
import type { Model, ModelNode } from '../../../shared/graph/model.js';
import { CommandBuffer } from '../../../shared/kernels/command-buffer.js';
import type { Backend } from '../../../shared/kernels/kernels.js';
import { loadKernels } from '../../../shared/kernels/load.js';
import { THREAD_BYTES } from '../../../shared/kernels/memory-map.js';
import { createOptimizer } from '../../../shared/optim/settings.js';
import { sgd } from '../../../shared/optim/sgd.js';
import type { SmallNet } from './nets.js';

/** All numbers of one neuron in one step: the float32 values that the kernels computed. */
export interface NeuronStep {
  readonly weights: readonly number[];
  readonly bias: number;
  readonly z: number;
  readonly y: number;
  /** dL/dy, passed back by the next layer; absent where softmax and loss are fused. */
  readonly dy?: number;
  /** delta = dL/dz */
  readonly delta: number;
  /** dL/dw and dL/db */
  readonly weightGradients: readonly number[];
  readonly biasGradient: number;
  /** After the update. */
  readonly newWeights: readonly number[];
  readonly newBias: number;
}

export interface LayerStep {
  readonly name: string;
  readonly activation: string;
  /** The layer's input: the y of the previous layer. */
  readonly x: readonly number[];
  readonly neurons: readonly NeuronStep[];
}

/** All numbers of one step of backpropagation. */
export interface StepWalk {
  readonly net: string;
  readonly summary: string;
  /** From 1. */
  readonly step: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly backend: string;
  readonly lossName: Model['loss']['kind'];
  readonly loss: number;
  /** Losses of all steps up to this one. */
  readonly losses: readonly number[];
  readonly inputs: readonly number[];
  readonly targets: readonly number[];
  readonly layers: readonly LayerStep[];
}

export interface WalkRequest {
  readonly seed: number;
  readonly learningRate: number;
  /** The step to walk through, from 1. Earlier steps run first; each step takes the next sample. */
  readonly step: number;
  readonly backend: 'auto' | Backend;
}

/**
 * Trains a small network sample by sample and reads one step's numbers from memory. Plan, ops, kernels and optimizer are
 * those of `train`.
 */
export async function walkStep(
  net: SmallNet,
  { seed, learningRate, step, backend }: WalkRequest,
): Promise<StepWalk> {
  const memory = new ComputeMemory();
  const stackTop = memory.allocate(THREAD_BYTES) + THREAD_BYTES;
  const kernels = await loadKernels({ memory: memory.memory, backend, stackTop });
  const ready = (emit: (commandBuffer: CommandBuffer) => void): (() => void) => {
    const commandBuffer = new CommandBuffer();
    emit(commandBuffer);
    const words = commandBuffer.words();
    const offset = memory.allocate(words.byteLength);
    memory.i32(offset, words.length).set(words);
    return () => kernels.run(offset, words.length);
  };
  const plan = createPlan(net.model());
  const { parameterFloats: n } = plan;
  const data = net.data();
  const store = new DataStore(memory, data.manifest, seed);
  for (const index of store.missing()) store.put(index, data.chunk(index));
  const [weights, buffer, gradient] = [n, n, plan.vectorFloats].map((floats) =>
    memory.allocate(floats * 4),
  ) as [number, number, number];
  const [cursor, scalars] = [memory.allocate(12), memory.allocate(64)];
  ready((commandBuffer) => plan.emitInitialisation(commandBuffer, { weights, scratch: gradient, seed }))();
  let trace: Trace | undefined;
  const pass = ready((commandBuffer) =>
    plan.emitTraced(commandBuffer, {
      ...{ rows: 1, first: 0, batch: 1, leafSize: 1, weights, scratch: memory.allocate(plan.tracedBytes(1)) },
      subtrees: [{ row: 0, rows: 1, out: gradient }],
      data: store.placement(cursor),
      traced: (places) => {
        trace = places;
      },
    }),
  );
  const optimizer = createOptimizer(sgd({ learningRate }));
  const update = ready((commandBuffer) =>
    optimizer.emit(commandBuffer, { weights, gradient, buffers: [buffer], n, scalars }),
  );
  memory.f32(scalars, 4).set(optimizer.update(optimizer.init(), learningRate).scalars);

  const losses: number[] = [];
  let before = new Float32Array();
  for (let i = 0; i < step; i++) {
    memory.u32(cursor, 3).set([store.identityOrder(), i % data.manifest.samples, i]);
    pass();
    losses.push(memory.f32(gradient + n * 4, 1)[0] as number);
    before = memory.f32(weights, n).slice();
    update();
  }
  assert(trace !== undefined, 'a traced program reports where its tensors lie');
  const read = ({ offset, elements }: TracedTensor): number[] => [...memory.f32(offset, elements)];
  const vectors = { before, gradient: memory.f32(gradient, n), after: memory.f32(weights, n) };
  const layers = layersOf(plan.model, trace, read, (name) => {
    const parameter = plan.parameters.find((candidate) => candidate.name === name);
    assert(parameter !== undefined, 'a dense layer of a small network has a kernel and a bias');
    const { offset, size } = parameter;
    const part = (vector: Float32Array): number[] => [...vector.subarray(offset, offset + size)];
    return { before: part(vectors.before), gradient: part(vectors.gradient), after: part(vectors.after) };
  });
  return {
    ...{ net: net.name, summary: net.summary, step, learningRate, seed },
    backend: kernels.backend,
    lossName: plan.model.loss.kind,
    loss: losses.at(-1) as number,
    losses,
    inputs: layers[0]?.x ?? [],
    targets: trace.target === undefined ? [] : read(trace.target),
    layers,
  };
}

interface ParameterStep {
  readonly before: readonly number[];
  readonly gradient: readonly number[];
  readonly after: readonly number[];
}

/** Every dense node with the activation that follows it. */
function layersOf(
  { nodes }: Model,
  { values, errors, probabilities }: Trace,
  read: (tensor: TracedTensor) => number[],
  parameter: (name: string) => ParameterStep,
): LayerStep[] {
  const at = (named: Trace['values'], name: string): number[] => {
    const tensor = named.get(name);
    assert(tensor !== undefined, `a trace holds ${name}`);
    return read(tensor);
  };
  const layer = (node: ModelNode): LayerStep => {
    const follower = nodes.find(({ op, inputs }) => op !== 'dense' && inputs[0] === node.name);
    const activation = follower?.op ?? 'linear';
    const x = at(values, node.inputs[0] as string);
    const z = at(values, node.name);
    const delta = at(errors, node.name);
    const isSoftmax = activation === 'softmax';
    const y = isSoftmax ? read(probabilities as TracedTensor) : at(values, (follower ?? node).name);
    const dy = isSoftmax ? undefined : at(errors, (follower ?? node).name);
    const [w, b] = [parameter(node.parameters.kernel as string), parameter(node.parameters.bias as string)];
    const units = z.length;
    const column = (kernel: readonly number[], unit: number): number[] =>
      x.map((_, input) => kernel[input * units + unit] as number);
    const neurons = z.map((_, i) => ({
      weights: column(w.before, i),
      bias: b.before[i] as number,
      z: z[i] as number,
      y: y[i] as number,
      ...(dy === undefined ? {} : { dy: dy[i] as number }),
      delta: delta[i] as number,
      weightGradients: column(w.gradient, i),
      biasGradient: b.gradient[i] as number,
      newWeights: column(w.after, i),
      newBias: b.after[i] as number,
    }));
    return { name: node.name, activation, x, neurons };
  };
  return nodes.filter(({ op }) => op === 'dense').map(layer);
}
