import { UserError } from '../../errors.js';
import { checkOptionNames } from '../../nearest.js';
import type { Graph, Layer, LayerIdentity, Tensor } from '../graph.js';
import type { InitializerName } from '../initializers.js';
import { partsOf } from './parts.js';

/**
 * Creates a parameter of the layer as a tensor of this shape, the same for every sample.
 * @param name distinguishes the parameters of a layer: `<layer>/<name>/value`
 * @param initializer default: glorotUniform
 */
export type ParameterMaker = (
  name: string,
  shape: readonly number[],
  initializer?: InitializerName,
) => Tensor;

/**
 * A layer that is composed of ops in the program itself. Workers need no code for it: the model stores the ops.
 * @param kind its name in a model, if it has no name of its own: the second one is called kind_1
 * @param compose computes the output of the layer
 * @returns a function that creates such a layer; used twice, it shares its parameters
 */
export function defineLayer(
  kind: string,
  compose: (x: Tensor, parameter: ParameterMaker, graph: Graph) => Tensor,
): (options?: { readonly name?: string }) => Layer {
  return (options = {}) => {
    if (typeof options === 'object' && options !== null && 'graph' in options)
      throw new UserError(
        `${kind}() creates a layer and was given a tensor; call it first: ${kind}()(x), and ${kind}() in a list of layers`,
        2,
      );
    checkOptionNames(`${kind}()`, options, ['name']);
    const { name } = options;
    const owner: LayerIdentity = { kind, name };
    const part = partsOf(owner);
    return (x) =>
      compose(
        x,
        (role, shape, initializer = 'glorotUniform') => parameterOf(x, part, role, shape, initializer),
        x.graph,
      );
  };
}

/** A parameter of a layer that consists of ops. @param part creates the parts of its owner */
export function parameterOf(
  x: Tensor,
  part: ReturnType<typeof partsOf>,
  role: string,
  shape: readonly number[],
  initializer: InitializerName,
): Tensor {
  const layer = part(x.graph, role, (full): LayerIdentity => ({ kind: 'parameter', name: full }));
  return x.graph.add({
    ...{ layer, op: 'parameter', inputs: [x], attributes: { shape: [...shape] } },
    initializers: { value: { kind: initializer } },
  });
}
