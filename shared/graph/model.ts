/*
 * A model as it is stored, sent and hashed: plain JSON of names, shapes and numbers. It lists the ops, their inputs and their
 * parameters, but no code: every machine has its own implementation of each op.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { INITIALIZER_NAMES } from './initializers.js';
import { LOSSES, type LossName } from './losses/table.js';
import { LossWeightsSchema } from './losses/weights.js';
import { Size } from './ops/op.js';
import { OPS, type OpName } from './ops/table.js';
import { RegularizerSchema } from './regularizers.js';
import { DIMENSIONS_MAX } from './shape.js';

/** Version of the format; models of other versions are refused. */
export const MODEL_FORMAT = 'unisum-model/1';
/** Largest number of nodes, of parameters and of inputs of a model. */
const NODES_MAX = 4096;
/** Largest length of a name. */
const NAME_LENGTH_MAX = 160;

/** The name of an input, node or parameter. */
export const Name = v.pipe(
  v.string(),
  v.maxLength(NAME_LENGTH_MAX),
  v.regex(
    /^[A-Za-z][\w.:-]*(\/[\w.:-]+)*$/,
    'a name starts with a letter, followed by letters, digits or _ . : - /',
  ),
);
const shape = v.pipe(v.array(Size), v.maxLength(DIMENSIONS_MAX));
const picklist = <T extends string>(names: readonly T[]) => v.picklist(names);

const InputSchema = v.strictObject({ name: Name, shape });
const FieldSchema = v.strictObject({ name: Name, shape, dtype: v.picklist(['f32', 'i32']) });
const ParameterSchema = v.strictObject({
  name: Name,
  shape,
  initializer: v.strictObject({ kind: picklist(INITIALIZER_NAMES) }),
  regularizer: v.optional(RegularizerSchema),
  /** False: the parameter keeps its initial value. */
  trainable: v.optional(v.literal(false)),
  /** Multiple of the learning rate; absent: 1. */
  rate: v.optional(v.pipe(v.number(), v.gtValue(0), v.finite())),
  /** Multiple of the weight decay; absent: 1. */
  decay: v.optional(v.pipe(v.number(), v.minValue(0), v.finite())),
  /** Settings of an optimizer of its own; absent: that of the run. shared/optim checks them. */
  optimizer: v.optional(
    v.record(
      v.pipe(v.string(), v.maxLength(NAME_LENGTH_MAX)),
      v.union([
        v.pipe(v.string(), v.maxLength(NAME_LENGTH_MAX)),
        v.pipe(v.number(), v.finite()),
        v.boolean(),
        v.undefined(),
      ]),
    ),
  ),
});
const NodeSchema = v.strictObject({
  name: Name,
  op: picklist(Object.keys(OPS) as OpName[]),
  inputs: v.pipe(v.array(Name), v.maxLength(64)),
  parameters: v.record(v.string(), Name),
  attributes: v.record(v.string(), v.unknown()),
});
const LossSchema = v.strictObject({
  kind: picklist(Object.keys(LOSSES) as LossName[]),
  prediction: Name,
  target: v.optional(Name),
  attributes: v.record(v.string(), v.unknown()),
  /** Weights of its terms; absent: all are 1. */
  weights: v.optional(LossWeightsSchema),
});
const ModelSchema = v.strictObject({
  format: v.literal(MODEL_FORMAT),
  inputs: v.pipe(v.array(InputSchema), v.minLength(1), v.maxLength(NODES_MAX)),
  fields: v.optional(v.pipe(v.array(FieldSchema), v.maxLength(NODES_MAX))),
  parameters: v.pipe(v.array(ParameterSchema), v.maxLength(NODES_MAX)),
  nodes: v.pipe(v.array(NodeSchema), v.maxLength(NODES_MAX)),
  output: Name,
  /** Of a model with several outputs, which lie one after the other in `output`: names and shapes, in order. */
  outputs: v.optional(
    v.pipe(v.array(v.strictObject({ name: v.string(), shape })), v.minLength(1), v.maxLength(64)),
  ),
  loss: LossSchema,
});

/** A model input: the field of the data with this name, as float32. */
export type ModelInput = v.InferOutput<typeof InputSchema>;
/** A field of the data that only the loss reads, such as a target; values of nodes are computed from it as from an input. */
export type ModelField = v.InferOutput<typeof FieldSchema>;
/** A parameter, and how it is drawn at the start of a run. */
/** Settings of an optimizer as a model stores them: `name` and its numbers. */
export type OwnOptimizer = NonNullable<v.InferOutput<typeof ParameterSchema>['optimizer']>;
export type ModelParameter = v.InferOutput<typeof ParameterSchema>;
/** One use of an op. `inputs` names model inputs or earlier nodes; `parameters` maps roles of the op to names. */
export type ModelNode = v.InferOutput<typeof NodeSchema>;
/** The loss that training minimises. `prediction` names an input or a node, `target` a field of the data, if it has one. */
export type ModelLoss = v.InferOutput<typeof LossSchema>;
/** A whole model. Nodes are in topological order, parameters in name order. */
export type Model = v.InferOutput<typeof ModelSchema>;

/**
 * Checks the format of a model from outside. Whether its parts fit together is checked by resolveModel.
 * @throws UserError that names the malformed part
 */
export function modelOfJson(value: unknown): Model {
  const result = v.safeParse(ModelSchema, value);
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue);
  throw new UserError(
    `not a valid model: ${path === null ? '' : `${path}: `}${issue.message}; build it again`,
  );
}
