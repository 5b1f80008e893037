import { UserError } from '../errors.js';
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

/**
 * Puts such tensors back where they were taken, in any order.
 * @throws UserError when they are not those of this network
 */
export function putTensors(
  place: Pick<RunPlace, 'plan' | 'memory'>,
  at: number,
  tensors: readonly Tensor[],
): void {
  const given = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const wanted = tensorsAt(place, at);
  for (const { name, shape, values } of wanted) {
    const tensor = given.get(name);
    if (tensor === undefined) throw misfit(`there is no ${name} among them`);
    if (tensor.shape.join() !== shape.join())
      throw misfit(`${name} has the shape [${tensor.shape}], not [${shape}]`);
    values.set(tensor.values);
  }
  if (given.size !== wanted.length) throw misfit(`there are ${given.size} of them, not ${wanted.length}`);
}

function misfit(what: string): UserError {
  return new UserError(`the weights are of another network: ${what}; name the recipe that they came from`);
}
