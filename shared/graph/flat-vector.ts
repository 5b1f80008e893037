import { UserError } from '../errors.js';
import type { Model, ModelParameter } from './model.js';
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
}

/** All parameters of a model in one vector, in name order, and how long it is. Gaps between them are zeros. */
export interface FlatVector {
  readonly parameters: readonly PlannedParameter[];
  readonly parameterFloats: number;
}

/**
 * Lays out the parameters of a model.
 * @throws UserError when they are more than memory can hold
 */
export function flatVector(model: Model): FlatVector {
  let end = 0;
  const parameters = model.parameters.map((parameter) => {
    const planned = { ...parameter, offset: end, size: elementsOf(parameter.shape) };
    end = alignFloats(end + planned.size);
    return planned;
  });
  if (end > VECTOR_FLOATS_MAX) {
    throw new UserError(`the model has ${end} parameters, more than ${VECTOR_FLOATS_MAX}; make it smaller`);
  }
  return { parameters, parameterFloats: end };
}

/** The next multiple of 16 floats. */
export function alignFloats(floats: number): number {
  return Math.ceil(floats / ALIGNMENT_FLOATS) * ALIGNMENT_FLOATS;
}
