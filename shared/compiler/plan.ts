/*
 * A plan compiles a model into command buffers: sequences of kernel calls with fixed offsets. It is created once for a
 * model. For each range of rows it writes a command buffer, which then runs at every step without any allocation or
 * decision.
 */

import { emitDraw } from '../graph/initializers.js';
import type { Metric } from '../graph/losses/loss.js';
import { lossOf } from '../graph/losses/table.js';
import type { Model } from '../graph/model.js';
import type { KernelSink } from '../graph/ops/op.js';
import { frozenParameters, isFrozen, type ResolvedModel, resolveModel } from '../graph/resolve.js';
import type { Shape } from '../graph/shape.js';
import type { PredictionRows, TrainingRows } from './batch-rows.js';
import { type FieldUse, sampleWeightField } from './data-fields.js';
import { alignFloats, flatVector, type PlannedParameter } from './flat-vector.js';
import type { ModelParts } from './forward.js';
import type { Instruction } from './program.js';
import {
  evaluationProgram,
  predictionProgram,
  type TracedRows,
  tracedProgram,
  trainingProgram,
} from './programs.js';
import type { InstructionRange } from './scratch-allocator.js';

/** Byte offsets for drawing the initial parameters of a run. */
export interface Initialisation {
  /** `parameterFloats` floats. */
  readonly weights: number;
  /** As many floats, which are overwritten. */
  readonly scratch: number;
  /** The seed of the run, an integer in [0, 2^53). */
  readonly seed: number;
}

/** What an instruction of training needs and completes. */
export type TrainingInstruction = Pick<Instruction<never>, 'parameters' | 'gradientOf' | 'isMetrics'>;

/** How a model is computed. */
export interface Plan {
  readonly model: Model;
  /** In name order. The flat vector has trained parameters, then moving averages, then frozen ones. */
  readonly parameters: readonly PlannedParameter[];
  /** Floats of the flat vector that an optimizer updates, a multiple of 16. */
  readonly trainedFloats: number;
  /** Floats of a gradient: of the trained parameters and the moving averages, a multiple of 16. The metric sums follow. */
  readonly gradientFloats: number;
  /** Floats of the flat vector, a multiple of 16. */
  readonly parameterFloats: number;
  /** The metrics whose sums follow the gradient, in order. */
  readonly metrics: readonly Metric[];
  /** Terms of one sample in the metric sums: a mean is sum / (samples * terms). 1 unless outputs are sequences. */
  readonly terms: number;
  /** Floats of a gradient with its metric sums, a multiple of 16. */
  readonly vectorFloats: number;
  /** Samples that depend on each other in training, and are computed by one thread: 1 without batch statistics. */
  readonly group: number;
  /** Fields of the data that training and evaluation read. */
  readonly fields: readonly FieldUse[];
  /** Shape of the output for one sample. */
  readonly output: Shape;
  /** Bytes of scratch memory for a range of `rows` rows or fewer. */
  scratchBytes(rows: number): number;
  /** What the instructions of training need and complete, in order. */
  readonly training: readonly TrainingInstruction[];
  /** Forward and backward: every gradient and metric sum for each subtree. @param part some instructions; left out: all of them */
  emitTraining(to: KernelSink, range: TrainingRows, part?: InstructionRange): void;
  /** Forward and the metric sums of each subtree; the gradients in its vector are not written. */
  emitEvaluation(to: KernelSink, range: TrainingRows): void;
  /** Forward only; the output of each row is written to `range.out`. */
  emitPrediction(to: KernelSink, range: PredictionRows): void;
  /** Like emitTraining, for inspection: every value and error term is kept. See tracedProgram. */
  emitTraced(to: KernelSink, range: TracedRows): void;
  /** Bytes of scratch memory for a traced range of `rows` rows. */
  tracedBytes(rows: number): number;
  /** Draws the initial parameters of a run. */
  emitInitialisation(to: KernelSink, target: Initialisation): void;
}

/**
 * Creates the plan of a model.
 * @throws UserError when the parts of the model do not fit together
 */
export function createPlan(model: Model): Plan {
  const resolved = resolveModel(model);
  const { loss } = resolved;
  const { parameters, trainedFloats, gradientFloats, parameterFloats } = flatVector(resolved);
  const own: FieldUse[] = [
    ...model.inputs.map((input): FieldUse => ({ ...input, dtype: 'f32' })),
    ...(model.fields ?? []),
  ];
  const parts: ModelParts = {
    inputs: new Map(own.map((use) => [use.name, use])),
    parameters: new Map(parameters.map((parameter) => [parameter.name, parameter])),
    gradientFloats,
  };
  const training = trainingProgram(resolved, parts);
  const evaluation = evaluationProgram(resolved, parts);
  const prediction = predictionProgram(resolved, parts);
  // Compiled on first use.
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
    gradientFloats,
    parameterFloats,
    group: groupOf(resolved),
    metrics: loss.metrics,
    terms: lossOf(loss.kind).terms(loss.shape),
    vectorFloats: gradientFloats + alignFloats(loss.metrics.length),
    fields: [
      ...own,
      ...(loss.target === undefined ? [] : [loss.target]),
      ...(loss.weights?.sample === undefined ? [] : [sampleWeightField(loss.weights.sample)]),
    ],
    output: resolved.shapes.get(model.output) as Shape,
    scratchBytes: (rows) => Math.max(...programs.map((program) => program.scratchBytes(rows))),
    training: training.instructions,
    emitTraining: (to, range, part) => training.emit(to, range, part),
    emitEvaluation: (to, range) => evaluation.emit(to, range),
    emitPrediction: (to, range) => prediction.emit(to, range),
    emitTraced: (to, range) => traced().emit(to, range),
    tracedBytes: (rows) => traced().scratchBytes(rows),
    emitInitialisation(to, { weights, scratch, seed }) {
      // Clears the gaps between parameters too: they are sent and hashed with the rest of the vector.
      to.emit('fill', { out: weights, n: parameterFloats, value: 0 });
      for (const { name, shape, initializer, offset } of parameters) {
        emitDraw(to, initializer, { name, shape, out: weights + offset * 4, scratch, seed });
      }
    },
  };
}

/** The least common multiple of the group sizes of a model. Frozen nodes have no groups: they use their moving averages. */
function groupOf({ model, nodes: all }: ResolvedModel): number {
  const frozen = frozenParameters(model);
  const nodes = all.filter((node) => !isFrozen(node, frozen));
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  const groups = nodes.map(({ definition, attributes }) =>
    definition.kind === 'view' ? 1 : (definition.group?.(attributes) ?? 1),
  );
  return groups.reduce((all, group) => (all / gcd(all, group)) * group, 1);
}
