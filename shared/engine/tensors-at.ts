import type { Tensor } from '../files/tensors.js';
import type { RunPlace } from './step-compiler.js';

/**
 * A vector as long as the weights, parameter by parameter: views, not copies.
 * @param at its byte offset: the weights', or that of a vector of the optimizer
 */
export function tensorsAt({ plan, memory }: Pick<RunPlace, 'plan' | 'memory'>, at: number): Tensor[] {
  return plan.parameters.map(({ name, shape, offset, size }) => ({
    name,
    shape,
    values: memory.f32(at + offset * 4, size),
  }));
}
