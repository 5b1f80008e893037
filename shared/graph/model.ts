/*
 * A model as it is kept, sent and hashed: plain JSON, nothing but names, shapes and numbers. It says which ops there are,
 * where their inputs come from and which parameters they use; what an op computes, every machine knows for itself.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { INITIALIZER_NAMES } from './initializers.js';
import { LOSSES, type LossName } from './losses/table.js';
import { Size } from './ops/op.js';
import { OPS, type OpName } from './ops/table.js';
import { RegularizerSchema } from './regularizers.js';
import { DIMENSIONS_MAX } from './shape.js';

/** Version of the format; a model of another one is refused. */
export const MODEL_FORMAT = 'unisum-model/1';
/** Most nodes, parameters and inputs of a model. */
const NODES_MAX = 4096;
/** Longest name of a node or parameter. */
const NAME_LENGTH_MAX = 160;

/** The name of an input, node or parameter. */
export const Name = v.pipe(
  v.string(),
  v.maxLength(NAME_LENGTH_MAX),
  v.regex(
    /^[A-Za-z][\w.:-]*(\/[\w.:-]+)*$/,
    'a name begins with a letter and goes on with letters, digits or _ . : - /',
  ),
);
const shape = v.pipe(v.array(Size), v.maxLength(DIMENSIONS_MAX));
const picklist = <T extends string>(names: readonly T[]) => v.picklist(names);

const InputSchema = v.strictObject({ name: Name, shape });
const ParameterSchema = v.strictObject({
  name: Name,
  shape,
  initializer: v.strictObject({ kind: picklist(INITIALIZER_NAMES) }),
  regularizer: v.optional(RegularizerSchema),
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
  target: Name,
  attributes: v.record(v.string(), v.unknown()),
});
const ModelSchema = v.strictObject({
  format: v.literal(MODEL_FORMAT),
  inputs: v.pipe(v.array(InputSchema), v.minLength(1), v.maxLength(NODES_MAX)),
  parameters: v.pipe(v.array(ParameterSchema), v.maxLength(NODES_MAX)),
  nodes: v.pipe(v.array(NodeSchema), v.maxLength(NODES_MAX)),
  output: Name,
  loss: LossSchema,
});

/** An input: the field of the data with this name, as float32. */
export type ModelInput = v.InferOutput<typeof InputSchema>;
/** Trained numbers, and how they are drawn at the start. */
export type ModelParameter = v.InferOutput<typeof ParameterSchema>;
/** One use of an op. `inputs` name model inputs or earlier nodes; `parameters` go from the op's role to a name. */
export type ModelNode = v.InferOutput<typeof NodeSchema>;
/** What training makes small. `prediction` names an input or a node, `target` a field of the data. */
export type ModelLoss = v.InferOutput<typeof LossSchema>;
/** A whole model. Nodes are in an order in which they can be computed, parameters in name order. */
export type Model = v.InferOutput<typeof ModelSchema>;

/**
 * The form of a model out of something that came from outside. Whether the parts fit together is resolveModel's matter.
 * @throws UserError that says which part is malformed
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
