/*
 * Groups of operators that are one layer: a product and its bias, a normalisation of vectors, gelu. As layers they learn as they did,
 * and compute faster.
 */
import type { ReadAttribute, ReadNode } from './decode.js';
import type { Constant } from './operands.js';

/** A graph while its operators are grouped. */
class Pattern {
  private readonly producers = new Map<string, ReadNode>();
  private readonly readers = new Map<string, number>();

  constructor(
    nodes: readonly ReadNode[],
    outputs: readonly string[],
    readonly constants: ReadonlyMap<string, Constant>,
  ) {
    for (const node of nodes) {
      for (const output of node.outputs) this.producers.set(output, node);
      for (const input of node.inputs) this.readers.set(input, (this.readers.get(input) ?? 0) + 1);
    }
    for (const output of outputs) this.readers.set(output, (this.readers.get(output) ?? 0) + 1);
  }

  /** The node that computes a tensor, if it is of one of these operators. */
  producer(name: string | undefined, ...ops: readonly string[]): ReadNode | undefined {
    const node = name === undefined ? undefined : this.producers.get(name);
    return node !== undefined && node.domain === '' && ops.includes(node.op) ? node : undefined;
  }

  /** The same, if nothing else reads the tensor. */
  only(name: string | undefined, ...ops: readonly string[]): ReadNode | undefined {
    return name !== undefined && this.readers.get(name) === 1 ? this.producer(name, ...ops) : undefined;
  }

  /** Which of the two inputs is a constant, and the other. */
  withConstant({
    inputs,
  }: ReadNode): { readonly x: string; readonly name: string; readonly c: Constant } | undefined {
    const [a = '', b = ''] = inputs;
    const [first, second] = [this.constants.get(a), this.constants.get(b)];
    if (second !== undefined && first === undefined) return { x: a, name: b, c: second };
    return first !== undefined && second === undefined ? { x: b, name: a, c: first } : undefined;
  }

  /** The input that is not a number near `value`; undefined if none is. */
  besides(node: ReadNode | undefined, value: number): string | undefined {
    const found = node && this.withConstant(node);
    const number = found?.c.values.length === 1 ? (found.c.values[0] as number) : Number.NaN;
    return Math.abs(number - value) < 1e-4 * Math.abs(value) ? found?.x : undefined;
  }
}

/** The graph with groups replaced; operators whose results nobody reads any more stay. */
export function withLayers(
  nodes: readonly ReadNode[],
  outputs: readonly string[],
  constants: ReadonlyMap<string, Constant>,
): readonly ReadNode[] {
  const groups = [productWithBias, convolutionWithBias, normalization, gelu];
  return groups.reduce((before, group) => {
    const pattern = new Pattern(before, outputs, constants);
    return before.map((node) => group(pattern, node) ?? node);
  }, nodes);
}

type Group = (pattern: Pattern, node: ReadNode) => ReadNode | undefined;

const replaced = (
  node: ReadNode,
  op: string,
  inputs: readonly string[],
  attributes: ReadonlyMap<string, ReadAttribute> = new Map(),
): ReadNode => ({ op, domain: '', name: node.name, inputs, outputs: node.outputs, attributes });

/** MatMul with a constant, then Add of a number for each unit. */
const productWithBias: Group = (pattern, node) => {
  if (node.op !== 'Add') return undefined;
  const sum = pattern.withConstant(node);
  const product = pattern.only(sum?.x, 'MatMul');
  const weight = product && pattern.constants.get(product.inputs[1] ?? '');
  if (sum === undefined || product === undefined || product.inputs.length > 2) return undefined;
  const units = weight?.shape[1];
  const isBias = weight?.shape.length === 2 && sum.c.shape.at(-1) === units && sum.c.values.length === units;
  return isBias ? replaced(node, 'MatMul', [...product.inputs, sum.name]) : undefined;
};

/** Conv without bias, then Add of a number for each filter. */
const convolutionWithBias: Group = (pattern, node) => {
  if (node.op !== 'Add') return undefined;
  const sum = pattern.withConstant(node);
  const conv = pattern.only(sum?.x, 'Conv', 'ConvTranspose');
  const weight = conv && pattern.constants.get(conv.inputs[1] ?? '');
  if (sum === undefined || conv === undefined || weight === undefined || conv.inputs.length > 2)
    return undefined;
  const filters = weight.shape[conv.op === 'Conv' ? 0 : 1];
  const axis = sum.c.shape.length - (weight.shape.length - 1);
  const isBias = sum.c.shape[axis] === filters && sum.c.values.length === filters;
  return isBias ? replaced(node, conv.op, [...conv.inputs, sum.name], conv.attributes) : undefined;
};

/** (x - mean) / sqrt(variance + epsilon) * gamma + beta, along the last axis. */
const normalization: Group = (pattern, node) => {
  if (node.op !== 'Add') return undefined;
  const beta = pattern.withConstant(node);
  const scaled = pattern.only(beta?.x, 'Mul');
  const gamma = scaled && pattern.withConstant(scaled);
  const quotient = pattern.only(gamma?.x, 'Div');
  const root = pattern.producer(quotient?.inputs[1], 'Sqrt');
  const sum = pattern.producer(root?.inputs[0], 'Add');
  const epsilon = sum && pattern.withConstant(sum);
  const variance = pattern.producer(epsilon?.x, 'ReduceMean');
  const squares = pattern.producer(variance?.inputs[0], 'Pow', 'Mul');
  const centred = pattern.producer(quotient?.inputs[0], 'Sub');
  const mean = pattern.producer(centred?.inputs[1], 'ReduceMean');
  if (!(beta && gamma && variance && squares && centred && mean && epsilon)) return undefined;
  const [x = ''] = centred.inputs;
  // The difference may stand twice in the graph.
  const isOfX = (name: string | undefined): boolean => {
    const sub = pattern.producer(name, 'Sub');
    const own = pattern.producer(sub?.inputs[1], 'ReduceMean');
    return sub?.inputs[0] === x && own?.inputs[0] === x;
  };
  const isSquare =
    squares.op === 'Pow'
      ? pattern.besides(squares, 2) !== undefined
      : squares.inputs[0] === squares.inputs[1];
  const isLast = [mean, variance].every((reduce) => isAlongLast(pattern, reduce));
  const size = gamma.c.values.length;
  const fits =
    beta.c.values.length === size && gamma.c.shape.at(-1) === size && epsilon.c.values.length === 1;
  if (!isOfX(squares.inputs[0]) || !isOfX(quotient?.inputs[0]) || !isSquare || !isLast || !fits || size < 2)
    return undefined;
  const attributes = new Map<string, ReadAttribute>([['epsilon', epsilon.c.values[0] as number]]);
  return replaced(node, 'LayerNormalization', [x, gamma.name, beta.name], attributes);
};

function isAlongLast({ constants }: Pattern, { inputs, attributes }: ReadNode): boolean {
  const given = inputs[1] === undefined ? attributes.get('axes') : constants.get(inputs[1])?.values;
  const axes = given as ArrayLike<number> | undefined;
  return axes?.length === 1 && axes[0] === -1 && attributes.get('keepdims') !== 0;
}

/** x (1 + erf(x / sqrt 2)) / 2, with the half at either place. */
const gelu: Group = (pattern, node) => {
  if (node.op !== 'Mul') return undefined;
  const [a, b] = node.inputs;
  // A half of a product, or a product with a half.
  const whole = pattern.besides(node, 0.5);
  const inner = whole === undefined ? undefined : pattern.only(whole, 'Mul');
  const candidates: readonly (readonly [string | undefined, string | undefined])[] = inner
    ? [
        [inner.inputs[0], inner.inputs[1]],
        [inner.inputs[1], inner.inputs[0]],
      ]
    : [
        [pattern.besides(pattern.producer(a, 'Mul'), 0.5), b],
        [pattern.besides(pattern.producer(b, 'Mul'), 0.5), a],
      ];
  for (const [x, sum] of candidates) {
    const erf = pattern.producer(pattern.besides(pattern.producer(sum, 'Add'), 1), 'Erf');
    const scaled = pattern.producer(erf?.inputs[0], 'Div', 'Mul');
    const from = pattern.besides(scaled, scaled?.op === 'Div' ? Math.SQRT2 : Math.SQRT1_2);
    if (x !== undefined && from === x) return replaced(node, 'Gelu', [x]);
  }
  return undefined;
};
