/*
 * Builds an ONNX graph, operator by operator. Tensors are known by name; their first axis is the batch.
 */
import { canonicalBytes } from '../../../shared/files/tensors.js';
import type { Shape } from '../../../shared/graph/shape.js';
import { BOOL, FLOAT, INT64, type OnnxAttribute, type OnnxNode, type OnnxTensor } from './messages.js';

/** Attributes in short: whole numbers, lists of them, and texts. Floats are marked. */
type Attributes = Readonly<Record<string, number | readonly number[] | string | readonly string[] | Real>>;

/** A float attribute. */
export interface Real {
  readonly float: number;
}

/** The name of a tensor. */
export type Name = string;

export class GraphWriter {
  readonly nodes: OnnxNode[] = [];
  private readonly constants = new Map<Name, OnnxTensor>();
  private readonly used = new Set<Name>();
  private count = 0;

  /** Constants that some operator reads. */
  get readConstants(): readonly OnnxTensor[] {
    return [...this.constants.values()].filter(({ name }) => this.used.has(name));
  }

  /** Adds an operator with several outputs. @param layer begins the names */
  several(
    op: string,
    layer: string,
    inputs: readonly Name[],
    outputs: number,
    attributes: Attributes = {},
  ): readonly [Name, ...Name[]] {
    const names = Array.from({ length: outputs }, () => `${layer}:${op}${this.count++}`);
    for (const input of inputs) this.used.add(input);
    const name = names[0] as Name;
    this.nodes.push({ op, name, inputs, outputs: names, attributes: attributesOf(attributes) });
    return names as [Name, ...Name[]];
  }

  /** Adds an operator with one output. */
  add(op: string, layer: string, inputs: readonly Name[], attributes: Attributes = {}): Name {
    return this.several(op, layer, inputs, 1, attributes)[0];
  }

  /** A constant of float32. */
  floats(name: Name, shape: Shape, values: Float32Array): Name {
    return this.constant({ name, shape, type: FLOAT, bytes: canonicalBytes(values) });
  }

  /** A number. */
  number(value: number): Name {
    return this.floats(`number:${value}`, [], Float32Array.of(value));
  }

  /** A list of whole numbers. */
  integers(values: readonly number[]): Name {
    const bytes = new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
    return this.constant({
      name: `integers:${values.join(',')}`,
      shape: [values.length],
      type: INT64,
      bytes,
    });
  }

  /** A whole number without an axis. */
  integer(value: number): Name {
    const bytes = new Uint8Array(BigInt64Array.of(BigInt(value)).buffer);
    return this.constant({ name: `integer:${value}`, shape: [], type: INT64, bytes });
  }

  /** A constant of truth values. */
  truths(name: Name, shape: Shape, values: Uint8Array): Name {
    return this.constant({ name, shape, type: BOOL, bytes: values });
  }

  /** The same elements in another shape. */
  reshape(layer: string, x: Name, shape: Shape): Name {
    return this.add('Reshape', layer, [x, this.integers([-1, ...shape])]);
  }

  /** A part of an axis, which is counted with the batch. */
  slice(layer: string, x: Name, axis: number, from: number, to: number): Name {
    const lists = [[from], [to], [axis]].map((values) => this.integers(values));
    return this.add('Slice', layer, [x, ...lists]);
  }

  /** Axes in another order, the batch included. */
  transpose(layer: string, x: Name, perm: readonly number[]): Name {
    return this.add('Transpose', layer, [x], { perm });
  }

  /** Without an axis of one element. */
  squeeze(layer: string, x: Name, axis: number): Name {
    return this.add('Squeeze', layer, [x, this.integers([axis])]);
  }

  /** With a further axis of one element. */
  unsqueeze(layer: string, x: Name, axis: number): Name {
    return this.add('Unsqueeze', layer, [x, this.integers([axis])]);
  }

  private constant(tensor: OnnxTensor): Name {
    if (!this.constants.has(tensor.name)) this.constants.set(tensor.name, tensor);
    return tensor.name;
  }
}

function attributesOf(attributes: Attributes): Record<string, OnnxAttribute> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]): [string, OnnxAttribute] => {
      if (typeof value === 'number') return [name, { int: value }];
      if (typeof value === 'string') return [name, { string: value }];
      if ('float' in value) return [name, value];
      return typeof value[0] === 'string'
        ? [name, { strings: value as readonly string[] }]
        : [name, { ints: value as readonly number[] }];
    }),
  );
}
