/*
 * A plan turns a model into tapes: sequences of kernel calls with every offset fixed. It is made once for a model; for
 * each job (rows, leaves and places) it writes a tape, which then runs step after step without anything being allocated
 * or decided.
 */
import type { FieldUse } from './fields.js';
import { alignFloats, flatVector, type PlannedParameter } from './flat-vector.js';
import type { ModelParts } from './forward.js';
import { emitDraw } from './initializers.js';
import type { Job, PredictionJob } from './job.js';
import type { Metric } from './losses/loss.js';
import { lossOf } from './losses/table.js';
import type { Model } from './model.js';
import type { KernelSink } from './ops/op.js';
import {
  evaluationProgram,
  predictionProgram,
  type TracedJob,
  tracedProgram,
  trainingProgram,
} from './programs.js';
import { type ResolvedModel, resolveModel } from './resolve.js';
import type { Shape } from './shape.js';

/** Where the first parameters of a run go. Byte offsets. */
export interface Initialisation {
  /** `parameterFloats` floats. */
  readonly weights: number;
  /** As many floats; contents are lost. */
  readonly scratch: number;
  /** The run's seed, an integer in [0, 2^53). */
  readonly seed: number;
}

/** How a model is computed. */
export interface Plan {
  readonly model: Model;
  /** In name order. In the flat vector those that are trained lie in front of moving averages. */
  readonly parameters: readonly PlannedParameter[];
  /** Floats of the flat vector that an optimizer updates, a multiple of 16. */
  readonly trainedFloats: number;
  /** Floats of the flat vector, a multiple of 16. */
  readonly parameterFloats: number;
  /** What the sums behind a gradient are, in order. */
  readonly metrics: readonly Metric[];
  /** Terms of one sample in the metric sums: a mean is sum / (samples * terms). 1 unless outputs are sequences. */
  readonly terms: number;
  /** Floats of a gradient with its metric sums, a multiple of 16. */
  readonly vectorFloats: number;
  /** Samples that touch each other in training, and are computed by one thread: 1 unless statistics are taken of a batch. */
  readonly group: number;
  /** Fields of the data that training and evaluation read. */
  readonly fields: readonly FieldUse[];
  /** Shape of one sample's output. */
  readonly output: Shape;
  /** Bytes of scratch memory that a job of so many rows, or fewer, needs. */
  scratchBytes(rows: number): number;
  /** Forward, backward, and for each subtree every gradient and metric sum. */
  emitTraining(to: KernelSink, job: Job): void;
  /** Forward only, and the metric sums of each subtree: of its vector, only what is behind the parameters is written. */
  emitEvaluation(to: KernelSink, job: Job): void;
  /** Forward only; the output of each row goes to `job.out`. */
  emitPrediction(to: KernelSink, job: PredictionJob): void;
  /** As emitTraining, for looking at: every value and error term is kept. See tracedProgram. */
  emitTraced(to: KernelSink, job: TracedJob): void;
  /** Bytes of scratch memory that a traced job of so many rows needs. */
  tracedBytes(rows: number): number;
  /** Draws the parameters that a run begins with. */
  emitInitialisation(to: KernelSink, place: Initialisation): void;
}

/**
 * Plans a model.
 * @throws UserError when the model's parts do not fit together
 */
export function createPlan(model: Model): Plan {
  const resolved = resolveModel(model);
  const { loss } = resolved;
  const { parameters, trainedFloats, parameterFloats } = flatVector(resolved);
  const inputs: FieldUse[] = model.inputs.map((input) => ({ ...input, dtype: 'f32' }));
  const parts: ModelParts = {
    inputs: new Map(inputs.map((use) => [use.name, use])),
    parameters: new Map(parameters.map((parameter) => [parameter.name, parameter])),
    parameterFloats,
  };
  const training = trainingProgram(resolved, parts);
  const evaluation = evaluationProgram(resolved, parts);
  const prediction = predictionProgram(resolved, parts);
  // Made when somebody looks.
  let tracing: ReturnType<typeof tracedProgram> | undefined;
  const traced = (): NonNullable<typeof tracing> => {
    tracing ??= tracedProgram(resolved, parts);
    return tracing;
  };
  const programs = [training, evaluation, prediction] as const;

  return {
    model,
    parameters,
    trainedFloats,
    parameterFloats,
    group: groupOf(resolved),
    metrics: loss.metrics,
    terms: lossOf(loss.kind).terms(loss.shape),
    vectorFloats: parameterFloats + alignFloats(loss.metrics.length),
    fields: [...inputs, loss.target],
    output: resolved.shapes.get(model.output) as Shape,
    scratchBytes: (rows) => Math.max(...programs.map((program) => program.scratchBytes(rows))),
    emitTraining: (to, job) => training.emit(to, job),
    emitEvaluation: (to, job) => evaluation.emit(to, job),
    emitPrediction: (to, job) => prediction.emit(to, job),
    emitTraced: (to, job) => traced().emit(to, job),
    tracedBytes: (rows) => traced().scratchBytes(rows),
    emitInitialisation(to, { weights, scratch, seed }) {
      // The gaps between parameters too: they travel and are hashed with the rest of the vector.
      to.emit('fill', { out: weights, n: parameterFloats, value: 0 });
      for (const { name, shape, initializer, offset } of parameters) {
        emitDraw(to, initializer, { name, shape, out: weights + offset * 4, scratch, seed });
      }
    },
  };
}

/** The smallest number of samples that all groups of a model divide. */
function groupOf({ nodes }: ResolvedModel): number {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  const groups = nodes.map(({ definition, attributes }) =>
    definition.kind === 'view' ? 1 : (definition.group?.(attributes) ?? 1),
  );
  return groups.reduce((all, group) => (all / gcd(all, group)) * group, 1);
}
