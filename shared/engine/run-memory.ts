import type { Plan } from '../compiler/plan.js';
import { UserError } from '../errors.js';
import type { Tensor } from '../files/tensors.js';
import type { DataStore } from './data-store.js';
import type { ComputeMemory } from './memory.js';

/** Where one run lies in this machine's memory: the model's plan, its data and its weights. */
export interface RunMemory {
  readonly memory: ComputeMemory;
  readonly plan: Plan;
  readonly data: DataStore;
  readonly leafSize: number;
  /** Byte offset of the parameters: `plan.parameterFloats` floats. */
  readonly weights: number;
}

/**
 * The parameters of a vector as named tensors: views, not copies.
 * @param at byte offset of the vector: the weights, or one of the optimizer's state vectors
 */
export function tensorsAt({ plan, memory }: Pick<RunMemory, 'plan' | 'memory'>, at: number): Tensor[] {
  return plan.parameters.map(({ name, shape, offset, size }) => ({
    name,
    shape,
    values: memory.f32(at + offset * 4, size),
  }));
}

/**
 * Copies named tensors, in any order, into a vector.
 * @throws UserError when they are not the parameters of this model
 */
export function putTensors(
  runMemory: Pick<RunMemory, 'plan' | 'memory'>,
  at: number,
  tensors: readonly Tensor[],
): void {
  const given = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const parameters = tensorsAt(runMemory, at);
  for (const { name, shape, values } of parameters) {
    const tensor = given.get(name);
    if (tensor === undefined) throw otherNetwork(`there is no ${name} among them`);
    if (tensor.shape.join() !== shape.join())
      throw otherNetwork(`${name} has the shape [${tensor.shape}], not [${shape}]`);
    values.set(tensor.values);
  }
  if (given.size !== parameters.length)
    throw otherNetwork(`there are ${given.size} of them, not ${parameters.length}`);
}

/** What became of tensors that may be of a similar network. */
export interface TakenTensors {
  /** Names of parameters that were copied. */
  readonly taken: readonly string[];
  /** Names of parameters that stay as they were, and why. */
  readonly missing: readonly { readonly name: string; readonly why: 'not there' | 'of another shape' }[];
  /** Names of tensors that this model has no parameter for. */
  readonly unused: readonly string[];
}

/**
 * Copies those of the tensors into a vector that have the name and the shape of a parameter.
 * @throws UserError when there is none
 */
export function takeTensors(
  runMemory: Pick<RunMemory, 'plan' | 'memory'>,
  at: number,
  tensors: readonly Tensor[],
): TakenTensors {
  const given = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const taken: string[] = [];
  const missing: TakenTensors['missing'][number][] = [];
  for (const { name, shape, values } of tensorsAt(runMemory, at)) {
    const tensor = given.get(name);
    given.delete(name);
    if (tensor === undefined) missing.push({ name, why: 'not there' });
    else if (tensor.shape.join() !== shape.join()) missing.push({ name, why: 'of another shape' });
    else {
      values.set(tensor.values);
      taken.push(name);
    }
  }
  if (taken.length === 0) throw otherNetwork('none has the name and the shape of a parameter');
  return { taken, missing, unused: [...given.keys()] };
}

function otherNetwork(what: string): UserError {
  return new UserError(`the weights are of another network: ${what}; name the recipe that they came from`);
}
