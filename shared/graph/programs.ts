/*
 * The three things that are done with a model, each as a program of its own.
 */
import { compileBackward } from './backward.js';
import {
  type Compilation,
  compileForward,
  compileGather,
  type ForwardTensors,
  type ModelParts,
} from './forward.js';
import type { Job, PredictionJob } from './job.js';
import { compileLoss, compileLossBackward, type LossTensors } from './loss-pass.js';
import { type Network, networkOf } from './network.js';
import { PlacedProgram } from './placed-program.js';
import { Program, type RowTensor } from './program.js';
import type { ResolvedModel } from './resolve.js';
import type { Shape } from './shape.js';

/** Forward, loss, and backprop. */
export function trainingProgram(model: ResolvedModel, parts: ModelParts): PlacedProgram<Job> {
  const program = new Program<Job>();
  const compilation = { ...parts, training: true };
  const { network, tensors, loss } = compileEvaluation(program, model, compilation);
  // A model without parameters is of no use, but no reason to fail.
  if (network.trained.has(network.result)) {
    const dResult = compileLossBackward(program, model.loss, loss);
    compileBackward(program, network, compilation, tensors, dResult);
  }
  return new PlacedProgram(program);
}

/** Where a traced pass left its row tensors: byte offsets of [rows, elements], by the node's name. */
export interface Trace {
  /** Model inputs and the values of nodes. */
  readonly values: ReadonlyMap<string, TracedTensor>;
  /** dL/dvalue of nodes. */
  readonly errors: ReadonlyMap<string, TracedTensor>;
  /** Probabilities, where the loss makes them of logits. */
  readonly probabilities: TracedTensor | undefined;
  readonly target: TracedTensor;
}

export interface TracedTensor {
  readonly offset: number;
  readonly elements: number;
  /** Size of the last axis: neurons or channels. */
  readonly units: number;
}

/** A training job that tells where everything lies once its tape has run. */
export interface TracedJob extends Job {
  readonly traced: (trace: Trace) => void;
}

/**
 * Forward, loss and backprop with the same ops and kernels, for looking at: nothing is fused and no place is used twice,
 * so that every value and error term is still there at the end.
 */
export function tracedProgram(model: ResolvedModel, parts: ModelParts): PlacedProgram<TracedJob> {
  const program = new Program<Job>();
  const compilation = { ...parts, training: true };
  const { network, tensors, loss } = compileEvaluation(program, model, compilation, false);
  const dResult = compileLossBackward(program, model.loss, loss);
  const errors = compileBackward(program, network, compilation, tensors, dResult, false);
  const { values } = tensors;
  const { target, saved } = loss;
  const traced = program as unknown as Program<TracedJob>;
  // The last reader of all: until then nobody may take a tensor's place.
  traced.add({
    reads: [...new Set([...values.values(), ...errors.values(), target, ...(saved ? [saved] : [])])],
    writes: [],
    emit(_to, { job, at }) {
      const place = (tensor: RowTensor, shape: Shape = [tensor.elements]): TracedTensor => ({
        offset: at(tensor),
        elements: tensor.elements,
        units: shape.at(-1) ?? 1,
      });
      const places = (named: ReadonlyMap<string, RowTensor>): Trace['values'] =>
        new Map([...named].map(([name, tensor]) => [name, place(tensor, model.shapes.get(name))]));
      job.traced({
        values: places(values),
        errors: places(errors),
        probabilities: saved && place(saved),
        target: place(target),
      });
    },
  });
  return new PlacedProgram(traced);
}

/** Forward and loss. */
export function evaluationProgram(model: ResolvedModel, parts: ModelParts): PlacedProgram<Job> {
  const program = new Program<Job>();
  compileEvaluation(program, model, { ...parts, training: false });
  return new PlacedProgram(program);
}

/** Forward up to the model's output. */
export function predictionProgram(model: ResolvedModel, parts: ModelParts): PlacedProgram<PredictionJob> {
  const program = new Program<PredictionJob>();
  const network = networkOf(model, model.model.output, false);
  const compilation = { ...parts, training: false };
  const tensor = compileForward(program, network, compilation).values.get(network.result) as RowTensor;
  return new PlacedProgram(program, { tensor, place: (job) => job.out });
}

function compileEvaluation(
  program: Program<Job>,
  model: ResolvedModel,
  compilation: Compilation,
  isFused = true,
): { network: Network; tensors: ForwardTensors; loss: LossTensors } {
  const network = networkOf(model, model.loss.prediction, compilation.training);
  const tensors = compileForward(program, network, compilation, isFused);
  const prediction = tensors.values.get(network.result) as RowTensor;
  const target = compileGather(program, model.loss.target);
  const { parameterFloats } = compilation;
  return {
    network,
    tensors,
    loss: compileLoss(program, model.loss, { prediction, target, parameterFloats }),
  };
}
