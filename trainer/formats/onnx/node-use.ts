import { UserError } from '../../../shared/errors.js';
import type { ResolvedNode } from '../../../shared/graph/resolve.js';
import type { Shape } from '../../../shared/graph/shape.js';
import type { GraphWriter, Name } from './graph-writer.js';

/** A use of an op. */
export interface NodeUse {
  readonly node: ResolvedNode;
  /** The tensors of its inputs. */
  readonly inputs: readonly [Name, ...Name[]];
  /** The constant of a parameter; undefined where the node has none. */
  weight(role: string): Weight | undefined;
}

/** A parameter. */
export interface Weight {
  readonly name: Name;
  readonly shape: Shape;
  readonly values: Float32Array;
}

/** Adds the operators of a use. @returns the tensor of its output */
export type OpWriter = (to: GraphWriter, use: NodeUse) => Name;

/** A parameter that the op always has. */
export function needed(use: NodeUse, role: string): Weight {
  const weight = use.weight(role);
  if (weight === undefined)
    throw new UserError(`layer ${use.node.name} has no parameter ${role}; use an undamaged run`);
  return weight;
}

/** A parameter as a constant. */
export function constant(to: GraphWriter, { name, shape, values }: Weight): Name {
  return to.floats(name, shape, values);
}
