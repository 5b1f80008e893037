import { UserError } from '../errors.js';
import type { ModelParameter } from '../graph/model.js';
import type { ResolvedModel } from '../graph/resolve.js';
import { elementsOf } from '../graph/shape.js';

/** Every parameter starts at a multiple of 16 floats, which are 64 bytes. */
const ALIGNMENT_FLOATS = 16;
/** Largest flat vector in floats, 1 GiB: the memory of 4 GiB must hold the weights and several vectors of their size. */
const VECTOR_FLOATS_MAX = 2 ** 28;

/** A parameter in the flat vector. */
export interface PlannedParameter extends ModelParameter {
  /** First float in the flat vector. */
  readonly offset: number;
  /** Floats. */
  readonly size: number;
  /** Of a moving average: the share of its old value that a step keeps. Undefined for all others. */
  readonly momentum: number | undefined;
  /** Whether it keeps its initial value: it has no gradient. */
  readonly isFrozen: boolean;
}

/** All parameters of a model in one vector: trained ones, moving averages, frozen ones. Gaps between them are zeros. */
export interface FlatVector {
  /** In name order. */
  readonly parameters: readonly PlannedParameter[];
  /** Floats of the trained parameters, a multiple of 16. */
  readonly trainedFloats: number;
  /** Floats of the trained parameters and the moving averages, a multiple of 16. */
  readonly gradientFloats: number;
  readonly parameterFloats: number;
}

/**
 * Assigns every parameter of a model its offset in the flat vector.
 * @throws UserError when the vector is longer than 2^28 floats
 */
export function flatVector(resolved: ResolvedModel): FlatVector {
  const momenta = momentaOf(resolved);
  const offsets = new Map<string, number>();
  let end = 0;
  const append = ({ name, shape }: ModelParameter): void => {
    offsets.set(name, end);
    end = alignFloats(end + elementsOf(shape));
  };
  const all = resolved.model.parameters;
  const isFrozen = ({ trainable }: ModelParameter): boolean => trainable === false;
  const changing = all.filter((parameter) => !isFrozen(parameter));
  for (const parameter of changing) if (!momenta.has(parameter.name)) append(parameter);
  const trainedFloats = end;
  for (const parameter of changing) if (momenta.has(parameter.name)) append(parameter);
  const gradientFloats = end;
  for (const parameter of all.filter(isFrozen)) append(parameter);
  const parameters = all.map((parameter) => ({
    ...parameter,
    offset: offsets.get(parameter.name) as number,
    size: elementsOf(parameter.shape),
    momentum: isFrozen(parameter) ? undefined : momenta.get(parameter.name),
    isFrozen: isFrozen(parameter),
  }));
  if (end > VECTOR_FLOATS_MAX) {
    throw new UserError(`the model has ${end} parameters, more than ${VECTOR_FLOATS_MAX}; make it smaller`);
  }
  return { parameters, trainedFloats, gradientFloats, parameterFloats: end };
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
