/*
 * The programs of a model: training, evaluation, prediction, and training with a trace.
 */

import type { ResolvedModel } from '../graph/resolve.js';
import type { Shape } from '../graph/shape.js';
import { compileBackward } from './backward.js';
import type { PredictionRows, TrainingRows } from './batch-rows.js';
import { sampleWeightField } from './data-fields.js';
import {
  type Compilation,
  compileForward,
  compileGather,
  type ForwardTensors,
  type ModelParts,
} from './forward.js';
import { compileLoss, compileLossBackward, type LossTensors } from './loss.js';
import { Program, present, type RowTensor } from './program.js';
import { type ReachableGraph, reachableGraph } from './reachable-graph.js';
import { AllocatedProgram } from './scratch-allocator.js';

/** Forward, loss, and backprop. */
export function trainingProgram(model: ResolvedModel, parts: ModelParts): AllocatedProgram<TrainingRows> {
  const program = new Program<TrainingRows>();
  const compilation = { ...parts, training: true };
  const { graph, tensors, loss } = compileEvaluation(program, model, compilation);
  // A model without trained parameters has no backward pass.
  if (graph.trained.has(graph.result)) {
    const dResult = compileLossBackward(program, model.loss, loss);
    compileBackward(program, graph, compilation, tensors, dResult);
  }
  return new AllocatedProgram(program);
}

/** The row tensors [rows, elements] of a traced pass by the name of the node. */
export interface Trace {
  /** Model inputs and the values of nodes. */
  readonly values: ReadonlyMap<string, TracedTensor>;
  /** dL/dvalue of nodes. */
  readonly errors: ReadonlyMap<string, TracedTensor>;
  /** Probabilities, if the loss computes them from logits. */
  readonly probabilities: TracedTensor | undefined;
  /** Undefined for a loss without a target. */
  readonly target: TracedTensor | undefined;
}

export interface TracedTensor {
  /** Byte offset. */
  readonly offset: number;
  readonly elements: number;
  /** Size of the last axis: neurons or channels. */
  readonly units: number;
}

/** A range of rows to train on, with a callback for the trace, whose contents are valid once the command buffer has run. */
export interface TracedRows extends TrainingRows {
  readonly traced: (trace: Trace) => void;
}

/**
 * Forward, loss and backprop with the same ops and kernels, for inspection: nothing is fused and no memory is reused, so that
 * every value and error term still exists at the end.
 */
export function tracedProgram(model: ResolvedModel, parts: ModelParts): AllocatedProgram<TracedRows> {
  const program = new Program<TrainingRows>();
  const compilation = { ...parts, training: true };
  const { graph, tensors, loss } = compileEvaluation(program, model, compilation, false);
  const dResult = compileLossBackward(program, model.loss, loss);
  const errors = compileBackward(program, graph, compilation, tensors, dResult, false);
  const { values } = tensors;
  const { target, saved } = loss;
  const traced = program as unknown as Program<TracedRows>;
  // Reads all tensors at the end, so that none of their memory is reused before.
  traced.add({
    reads: present([...values.values(), ...errors.values(), target, saved]),
    writes: [],
    emit(_to, { range, at }) {
      const trace = (tensor: RowTensor, shape: Shape = [tensor.elements]): TracedTensor => ({
        offset: at(tensor),
        elements: tensor.elements,
        units: shape.at(-1) ?? 1,
      });
      const traceAll = (named: ReadonlyMap<string, RowTensor>): Trace['values'] =>
        new Map([...named].map(([name, tensor]) => [name, trace(tensor, model.shapes.get(name))]));
      range.traced({
        values: traceAll(values),
        errors: traceAll(errors),
        probabilities: saved && trace(saved),
        target: target && trace(target),
      });
    },
  });
  return new AllocatedProgram(traced);
}

/** Forward and loss. */
export function evaluationProgram(model: ResolvedModel, parts: ModelParts): AllocatedProgram<TrainingRows> {
  const program = new Program<TrainingRows>();
  compileEvaluation(program, model, { ...parts, training: false });
  return new AllocatedProgram(program);
}

/** Forward up to the output of the model. */
export function predictionProgram(model: ResolvedModel, parts: ModelParts): AllocatedProgram<PredictionRows> {
  const program = new Program<PredictionRows>();
  const graph = reachableGraph(model, model.model.output, false);
  const compilation = { ...parts, training: false };
  const tensor = compileForward(program, graph, compilation).values.get(graph.result) as RowTensor;
  return new AllocatedProgram(program, { tensor, offset: (range) => range.out });
}

function compileEvaluation(
  program: Program<TrainingRows>,
  model: ResolvedModel,
  compilation: Compilation,
  isFused = true,
): { graph: ReachableGraph; tensors: ForwardTensors; loss: LossTensors } {
  const graph = reachableGraph(model, model.loss.prediction, compilation.training);
  const tensors = compileForward(program, graph, compilation, isFused);
  const prediction = tensors.values.get(graph.result) as RowTensor;
  const target = model.loss.target && compileGather(program, model.loss.target);
  const weight = model.loss.weights?.sample;
  const sampleWeight = weight === undefined ? undefined : compileGather(program, sampleWeightField(weight));
  const { gradientFloats } = compilation;
  return {
    graph,
    tensors,
    loss: compileLoss(program, model.loss, { prediction, target, sampleWeight, gradientFloats }),
  };
}
