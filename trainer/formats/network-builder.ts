import type { Tensor as Weights } from '../../shared/files/tensors.js';
import { Graph, type LayerIdentity, type Tensor } from '../../shared/graph/graph.js';
import type { Initializer } from '../../shared/graph/initializers.js';
import type { OpName } from '../../shared/graph/ops/table.js';
import { elementsOf } from '../../shared/graph/shape.js';

/** Numbers of a parameter. */
type ParameterValues = Pick<Weights, 'shape' | 'values'>;

/** A node to add. */
interface NodeToAdd {
  readonly op: OpName;
  readonly inputs: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** Parameters by role. */
  readonly weights?: Readonly<Record<string, ParameterValues | undefined>>;
  /** The weight that the layer is called after. */
  readonly after?: string;
  /** Of a layer that may be used again; its uses share parameters. */
  readonly layer?: LayerIdentity;
}

/** How parameters would be drawn that are not given; their weights are those of the file. */
const INITIALIZERS: Readonly<Record<string, Initializer>> = {
  kernel: { kind: 'glorotUniform' },
  recurrentKernel: { kind: 'glorotUniform' },
  table: { kind: 'smallNormal' },
  gamma: { kind: 'ones' },
  movingVariance: { kind: 'ones' },
};

/** Builds a network that was trained elsewhere, and keeps the weights of its layers. */
export class NetworkBuilder {
  readonly graph = new Graph();
  readonly weights = new Map<string, Weights>();
  private readonly names = new Set<string>();

  /** Adds an input. @param shape of a sample */
  addInput(name: string, shape: readonly number[]): Tensor {
    // Inputs are fields of data, whose names are plainer than those of layers.
    const own = this.unused(
      (validName(name) ?? 'input')
        .replace(/[^A-Za-z0-9]+(.)?/g, (_, next = '') => next.toUpperCase())
        .replace(/^./, (first) => first.toLowerCase()),
    );
    return this.graph.input(own, shape);
  }

  /** An identity for a layer of a file that may be used several times. */
  identity(kind: OpName, name: string): LayerIdentity {
    const valid = validName(name);
    return { kind, ...(valid !== undefined && { name: this.unused(valid) }) };
  }

  /** Adds a node. */
  add({ op, inputs, attributes = {}, weights = {}, after, layer: known }: NodeToAdd): Tensor {
    const wanted =
      after === undefined ? undefined : validName(after.replace(/[./_](weight|kernel|w)(_\d+)?$/i, ''));
    const layer: LayerIdentity = known ?? {
      kind: op,
      ...(wanted !== undefined && { name: this.unused(wanted) }),
    };
    const roles = Object.entries(weights).filter(([, given]) => given !== undefined);
    const initializers = Object.fromEntries(
      roles.map(([role]) => [role, INITIALIZERS[role] ?? { kind: 'zeros' as const }]),
    );
    const result = this.graph.add({ layer, op, inputs, attributes, initializers });
    for (const [role, given] of roles) {
      const name = `${this.graph.nameOf(layer)}/${role}`;
      const { shape, values } = given as ParameterValues;
      this.weights.set(name, { name, shape, values });
    }
    return result;
  }

  /** The same elements in another shape. */
  reshape(x: Tensor, shape: readonly number[]): Tensor {
    const isSame = shape.length === x.shape.length && shape.every((size, axis) => size === x.shape[axis]);
    return isSame ? x : this.add({ op: 'reshape', inputs: [x], attributes: { shape: [...shape] } });
  }

  /** factor x + summand */
  affine(x: Tensor, factor: number, summand: number): Tensor {
    if (factor === 1 && summand === 0) return x;
    return this.add({ op: 'affine', inputs: [x], attributes: { factor, summand } });
  }

  /** Copies along an axis of one element. @param axis of a sample */
  expanded(x: Tensor, axis: number, times: number): Tensor {
    if (times === 1 || x.shape[axis] === times) return x;
    const flat = this.reshape(
      x,
      x.shape.filter((_, at) => at !== axis),
    );
    return this.add({ op: 'repeat', inputs: [flat], attributes: { axis, times } });
  }

  /** The range from `from` (included) to `to` (excluded) of an axis of a sample. */
  sliced(x: Tensor, axis: number, from: number, to: number): Tensor {
    if (from === 0 && to === x.shape[axis]) return x;
    return this.add({ op: 'slice', inputs: [x], attributes: { axis, from, to } });
  }

  /** A tensor with rows of one number before and after its own, for each of its first axes. */
  surrounded(
    whole: Tensor,
    sides: readonly { readonly before: number; readonly after: number }[],
    filler: number,
  ): Tensor {
    return sides.reduce((x, { before, after }, axis) => {
      if (before === 0 && after === 0) return x;
      const filled = this.affine(this.sliced(x, axis, 0, 1), 0, filler);
      const rows = (count: number): Tensor[] => (count === 0 ? [] : [this.expanded(filled, axis, count)]);
      return this.add({
        op: 'concatenate',
        inputs: [...rows(before), x, ...rows(after)],
        attributes: { axis },
      });
    }, whole);
  }

  /** x * factors + summands, for each element of the last axis; a convolution of single pixels. */
  perChannel(
    x: Tensor,
    { factors, summands }: { readonly factors?: Float32Array; readonly summands?: Float32Array },
    after: string,
  ): Tensor {
    const channels = x.shape.at(-1) as number;
    const image = this.reshape(x, [elementsOf(x.shape) / channels, 1, channels]);
    const result = this.add({
      op: 'conv2d',
      inputs: [image],
      attributes: {
        ...{ filters: channels, kernelSize: [1, 1], strides: [1, 1], padding: 'valid', dilation: [1, 1] },
        ...{ groups: channels, useBias: summands !== undefined },
      },
      weights: {
        kernel: { shape: [1, 1, 1, channels], values: factors ?? new Float32Array(channels).fill(1) },
        bias: summands && { shape: [channels], values: summands },
      },
      after,
    });
    return this.reshape(result, x.shape);
  }

  private unused(wanted: string): string {
    let name = wanted;
    for (let i = 1; this.names.has(name); i++) name = `${wanted}_${i}`;
    this.names.add(name);
    return name;
  }
}

/** A name that networks can have; undefined if nothing of it is left. */
function validName(name: string): string | undefined {
  const cleaned = name
    .replace(/[^\w.:/-]/g, '_')
    .replace(/\/+/g, '/')
    .replace(/^[^A-Za-z]+/, '')
    .replace(/\/$/, '')
    .slice(0, 100);
  return cleaned === '' ? undefined : cleaned;
}
