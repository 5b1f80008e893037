import { UserError } from '../errors.js';
import type { ModelParameter } from './model.js';
import type { ResolvedModel } from './resolve.js';
import { elementsOf } from './shape.js';

/** Every parameter begins at a multiple of so many floats: 64 bytes. */
const ALIGNMENT_FLOATS = 16;
/** Most floats of a flat vector, 1 GiB: memory holds the weights and several vectors like them below 4 GiB. */
const VECTOR_FLOATS_MAX = 2 ** 28;

/** A parameter in the flat vector. */
export interface PlannedParameter extends ModelParameter {
  /** First float in the flat vector. */
  readonly offset: number;
  /** Floats. */
  readonly size: number;
  /** Of a moving average: what a step leaves of its old value. Undefined where the parameter is trained. */
  readonly momentum: number | undefined;
}

/** All parameters of a model in one vector: those that are trained, then moving averages. Gaps between them are zeros. */
export interface FlatVector {
  /** In name order. */
  readonly parameters: readonly PlannedParameter[];
  /** How far the trained ones reach, a multiple of 16. */
  readonly trainedFloats: number;
  readonly parameterFloats: number;
}

/**
 * Lays out the parameters of a model.
 * @throws UserError when they are more than memory can hold
 */
export function flatVector(resolved: ResolvedModel): FlatVector {
  const momenta = momentaOf(resolved);
  const offsets = new Map<string, number>();
  let end = 0;
  const place = ({ name, shape }: ModelParameter): void => {
    offsets.set(name, end);
    end = alignFloats(end + elementsOf(shape));
  };
  const all = resolved.model.parameters;
  for (const parameter of all) if (!momenta.has(parameter.name)) place(parameter);
  const trainedFloats = end;
  for (const parameter of all) if (momenta.has(parameter.name)) place(parameter);
  const parameters = all.map((parameter) => ({
    ...parameter,
    offset: offsets.get(parameter.name) as number,
    size: elementsOf(parameter.shape),
    momentum: momenta.get(parameter.name),
  }));
  if (end > VECTOR_FLOATS_MAX) {
    throw new UserError(`the model has ${end} parameters, more than ${VECTOR_FLOATS_MAX}; make it smaller`);
  }
  return { parameters, trainedFloats, parameterFloats: end };
}

/** The momentum of each parameter that is a moving average. */
function momentaOf({ nodes }: ResolvedModel): ReadonlyMap<string, number> {
  const momenta = new Map<string, number>();
  for (const { definition, attributes, parameters } of nodes) {
    if (definition.kind === 'view' || definition.averages === undefined) continue;
    const { roles, momentum } = definition.averages;
    for (const role of roles) momenta.set(parameters[role] as string, momentum(attributes));
  }
  return momenta;
}

/** The next multiple of 16 floats. */
export function alignFloats(floats: number): number {
  return Math.ceil(floats / ALIGNMENT_FLOATS) * ALIGNMENT_FLOATS;
}
