/*
 * The three things that are done with a model, each as a program of its own.
 */
import { compileBackward } from './backward.js';
import { type Compilation, compileForward, compileGather, type ForwardTensors } from './forward.js';
import type { Job, PredictionJob } from './job.js';
import { compileLoss, compileLossBackward, type LossTensors } from './loss-pass.js';
import { type Network, networkOf } from './network.js';
import { PlacedProgram } from './placed-program.js';
import { Program, type RowTensor } from './program.js';
import type { ResolvedModel } from './resolve.js';

/** Forward, loss, and backprop. */
export function trainingProgram(model: ResolvedModel, compilation: Compilation): PlacedProgram<Job> {
  const program = new Program<Job>();
  const { network, tensors, loss } = compileEvaluation(program, model, compilation);
  // A model without parameters is of no use, but no reason to fail.
  if (network.trained.has(network.result)) {
    const dResult = compileLossBackward(program, model.loss, loss);
    compileBackward(program, network, compilation, tensors, dResult);
  }
  return new PlacedProgram(program);
}

/** Forward and loss. */
export function evaluationProgram(model: ResolvedModel, compilation: Compilation): PlacedProgram<Job> {
  const program = new Program<Job>();
  compileEvaluation(program, model, compilation);
  return new PlacedProgram(program);
}

/** Forward up to the model's output. */
export function predictionProgram(
  model: ResolvedModel,
  compilation: Compilation,
): PlacedProgram<PredictionJob> {
  const program = new Program<PredictionJob>();
  const network = networkOf(model, model.model.output);
  const tensor = compileForward(program, network, compilation).values.get(network.result) as RowTensor;
  return new PlacedProgram(program, { tensor, place: (job) => job.out });
}

function compileEvaluation(
  program: Program<Job>,
  model: ResolvedModel,
  compilation: Compilation,
): { network: Network; tensors: ForwardTensors; loss: LossTensors } {
  const network = networkOf(model, model.loss.prediction);
  const tensors = compileForward(program, network, compilation);
  const prediction = tensors.values.get(network.result) as RowTensor;
  const target = compileGather(program, model.loss.target);
  const { parameterFloats } = compilation;
  return {
    network,
    tensors,
    loss: compileLoss(program, model.loss, { prediction, target, parameterFloats }),
  };
}
