import { UserError } from '../../../shared/errors.js';
import type { Tensor } from '../../../shared/files/tensors.js';
import type { ResolvedNode } from '../../../shared/graph/resolve.js';
import { elementsOf, type Shape, sameShape } from '../../../shared/graph/shape.js';
import type { Dialect, KerasLayer, LayerOutput, LayerWeight } from './layer-model.js';

/** What Keras has no layer for; the message says what, and names no layer. */
export class NoCounterpart extends UserError {}

/** A use of an op. */
export interface OpUse {
  readonly node: ResolvedNode;
  readonly inputs: readonly [LayerOutput, ...LayerOutput[]];
}

/** Adds the layers of a use. @returns its output. @throws NoCounterpart */
export type OpWriter = (to: LayerWriter, use: OpUse) => LayerOutput;

/** A layer to add, or to call again if its node shares parameters with one that there is. */
interface LayerToAdd {
  readonly className: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly inputs: readonly LayerOutput[];
  /** Shape of one sample of the output. */
  readonly shape: Shape;
  readonly weights?: readonly LayerWeight[];
  /** Part of the name, where a node needs several layers. */
  readonly part?: string;
}

/** Writes a network as layers of Keras. */
export class LayerWriter {
  readonly layers = new Map<string, KerasLayer & { calls: (readonly LayerOutput[])[] }>();
  readonly notes = new Set<string>();
  private readonly shared = new Map<string, string>();

  constructor(
    readonly dialect: Dialect,
    private readonly parameters: ReadonlyMap<string, Tensor>,
  ) {}

  /** Adds an input of the model. */
  input(name: string, shape: Shape): LayerOutput {
    const own = this.unused(name);
    const key = this.dialect === 'tfjs' ? 'batch_input_shape' : 'batch_shape';
    const config = { [key]: [null, ...shape], dtype: 'float32', sparse: false, name: own };
    this.layers.set(own, { className: 'InputLayer', name: own, config, calls: [], weights: [] });
    return { layer: own, call: 0, shape };
  }

  /** Adds a layer for a node, or another call of the layer that has its parameters. */
  layer(
    node: ResolvedNode,
    { className, config = {}, inputs, shape, weights = [], part }: LayerToAdd,
  ): LayerOutput {
    const names = Object.values(node.parameters);
    const key = JSON.stringify([className, config, part, weights.length > 0 ? names : node.name]);
    let name = this.shared.get(key);
    if (name === undefined) {
      name = this.unused(part === undefined ? node.name : `${node.name}/${part}`);
      this.shared.set(key, name);
      const whole = { name, trainable: true, dtype: 'float32', ...config };
      this.layers.set(name, { className, name, config: whole, calls: [], weights });
    }
    const { calls } = this.layers.get(name) as KerasLayer;
    calls.push(inputs);
    return { layer: name, call: calls.length - 1, shape };
  }

  /** The same elements in another shape. */
  reshape(node: ResolvedNode, x: LayerOutput, shape: Shape, part?: string): LayerOutput {
    if (sameShape(x.shape, shape)) return x;
    if (shape.length === 0) throw new NoCounterpart('an output of a single number without an axis');
    if (elementsOf(shape) !== elementsOf(x.shape)) throw new NoCounterpart('another number of elements');
    return this.layer(node, {
      ...{ className: 'Reshape', config: { target_shape: [...shape] }, inputs: [x], shape },
      ...(part !== undefined && { part }),
    });
  }

  /** A parameter of a node; undefined where the node has none. @throws UserError when the weights lack it */
  weight({ name: layer, parameters }: ResolvedNode, role: string): Tensor | undefined {
    const name = parameters[role];
    if (name === undefined) return undefined;
    const tensor = this.parameters.get(name);
    if (tensor !== undefined) return tensor;
    throw new UserError(`layer ${layer}: the weights have no ${name}: they are of another network`);
  }

  /** Parameters of a node as weights of a layer, without those that the node does not have. */
  weights(node: ResolvedNode, roles: Readonly<Record<string, string>>, within = ''): LayerWeight[] {
    return Object.entries(roles).flatMap(([theirs, own]) => {
      const values = this.weight(node, own);
      return values === undefined ? [] : [{ within, role: theirs, values }];
    });
  }

  /** Names of layers have no slashes in Keras. */
  private unused(wanted: string): string {
    const plain = wanted.replace(/[^A-Za-z0-9_.-]+/g, '_');
    let name = plain;
    for (let i = 1; this.layers.has(name); i++) name = `${plain}_${i}`;
    return name;
  }
}
