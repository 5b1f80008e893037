/*
 * A language model as a network for one position: what earlier positions have left, keys and values or recurrent states, are
 * inputs and outputs. It has the parameters of the whole network, and its ops add the same numbers in the same order, so its
 * outputs have the same bits.
 *
 *   causal attention    queries of one position, and the keys and values of the first `keys` positions, those to come hidden.
 *                       `keys` ends with the block of 16 that the position is in, as in attention.c: the blocks are part of the sum
 *   recurrent layers    one step from the given state
 *   other ops           those that compute each position by itself, with one position
 */
import type { Model, ModelNode } from '../../shared/graph/model.js';
import { parseModel, resolveModel } from '../../shared/graph/resolve.js';
import { elementsOf, type Shape } from '../../shared/graph/shape.js';

/** Queries that attention adds up alike: ATTENTION_BLOCK of attention.c. */
const BLOCK = 16;

/** Names of the inputs beside what is kept; no layer has names like them. */
export const STEP_INPUTS = {
  token: 'step:token',
  position: 'step:position',
  here: 'step:here',
  seen: 'step:seen',
} as const;

/** What a position leaves for those after it. */
export interface Kept {
  /** The input that takes it. */
  readonly input: string;
  /** Numbers that one position leaves: keys and values, or a state. */
  readonly width: number;
  /** Whether each position leaves its own; else the newest replaces the one before. */
  readonly isPerPosition: boolean;
}

/** A network for one position. Its output: the logits of the next symbol, and then what is kept, in order. */
export interface StepNetwork {
  readonly network: Model;
  readonly kept: readonly Kept[];
  readonly symbols: number;
}

/** Ops that compute each position by itself, whatever their attributes. */
const PER_POSITION: ReadonlySet<string> = new Set([
  ...[
    'add',
    'affine',
    'dense',
    'dropout',
    'embedding',
    'exp',
    'gaussianNoise',
    'gelu',
    'layerNormalization',
    'leakyRelu',
  ],
  ...[
    'log',
    'logSoftmax',
    'multiply',
    'reciprocal',
    'relu',
    'reverseEmbedding',
    'rotary',
    'sigmoid',
    'silu',
    'softmax',
  ],
  ...['scaleGradient', 'sqrt', 'step', 'tanh', 'where'],
]);

/** Positions that attention of a position adds over, of `context` at most. */
export function keysAt(position: number, context: number): number {
  return Math.min(context, (Math.floor(position / BLOCK) + 1) * BLOCK);
}

/**
 * The network for one position.
 * @param network a language model: one input of `context` ids, and an output of logits for each position
 * @param keys positions that attention adds over
 * @returns the op that has no such form, where there is one
 */
export function stepNetwork(network: Model, keys: number): StepNetwork | { readonly unsupported: string } {
  const { shapes } = resolveModel(network);
  const [input] = network.inputs;
  const context = input?.shape[0] ?? 0;
  const builder = new StepBuilder(network, shapes, { context, keys });
  const logits = network.loss.prediction;
  for (const node of neededNodes(network, logits)) {
    const why = builder.add(node);
    if (why !== undefined) return { unsupported: why };
  }
  return builder.finish(logits);
}

class StepBuilder {
  private readonly nodes: ModelNode[] = [];
  private readonly kept: Kept[] = [];
  /** For each kept tensor, the node whose value is kept. */
  private readonly results: string[] = [];
  private readonly inputs = new Map<string, Shape>();
  /** Values that are the same at every position. */
  private readonly constants = new Set<string>();

  constructor(
    private readonly network: Model,
    private readonly shapes: ReadonlyMap<string, Shape>,
    private readonly size: { readonly context: number; readonly keys: number },
  ) {}

  /** Adds the form of a node for one position. @returns why there is none */
  add(node: ModelNode): string | undefined {
    const { op, inputs, attributes } = node;
    const { context } = this.size;
    if (this.addConstant(node)) return undefined;
    const isSequence = (name: string): boolean => this.shapes.get(name)?.[0] === context;
    if (!inputs.every((name) => isSequence(name)) || !isSequence(node.name)) return `${op} of ${node.name}`;
    const [x = ''] = inputs.map((name) => this.nameOf(name));
    const axis = attributes.axis as number | undefined;
    switch (op) {
      case 'attention':
        return this.addAttention(node, x);
      case 'positionalEmbedding':
        return this.addPosition(node, x);
      case 'lstm':
      case 'gru':
      case 'simpleRnn':
        return this.addRecurrent(node, x);
      case 'reshape':
        this.push(node, { shape: [1, ...(attributes.shape as Shape).slice(1)] });
        return undefined;
      case 'reduceSum':
      case 'repeat':
      case 'slice':
      case 'concatenate':
        if (axis === undefined || axis === 0) return `${op} of ${node.name}`;
        this.push(node);
        return undefined;
      default:
        if (!PER_POSITION.has(op)) return `${op} of ${node.name}`;
        if (op === 'rotary') this.pushOp(node.name, op, [x, this.input('position', [1])], attributes);
        else this.push(node);
        return undefined;
    }
  }

  /** Adds a parameter as it is, repeated for one position instead of all. @returns whether the node is one */
  private addConstant(node: ModelNode): boolean {
    const { name, op, inputs, attributes } = node;
    const isFirst = op === 'repeat' && attributes.axis === 0 && attributes.times === this.size.context;
    if (op === 'parameter') this.constants.add(name);
    else if (!isFirst || !this.constants.has(inputs[0] as string)) return false;
    this.push(node, isFirst ? { times: 1 } : {});
    return true;
  }

  finish(logits: string): StepNetwork {
    const flat = (name: string, i: number): string =>
      this.pushOp(`step:flat${i}`, 'reshape', [name], { shape: [elementsOf(this.widthOf(name))] });
    const symbols = this.shapes.get(logits)?.at(-1) ?? 1;
    const parts = [logits, ...this.results].map(flat);
    const output =
      parts.length === 1
        ? (parts[0] as string)
        : this.pushOp('step:output', 'concatenate', parts, { axis: 0 });
    const used = new Set(this.nodes.flatMap(({ parameters }) => Object.values(parameters)));
    // Parameters without a use would move those behind them.
    const idle = this.network.parameters.find(({ name }) => !used.has(name));
    if (idle !== undefined) throw new TypeError(`${idle.name} is not used for one position`);
    const network = parseModel({
      format: this.network.format,
      inputs: [...this.inputs].map(([name, shape]) => ({ name, shape: [...shape] })),
      parameters: this.network.parameters,
      nodes: this.nodes,
      output,
      loss: { kind: 'value', prediction: output, attributes: {} },
    });
    return { network, kept: this.kept, symbols };
  }

  /** q of this position; keys and values of all, with those of this position in their place. */
  private addAttention(node: ModelNode, x: string): string | undefined {
    const { name, attributes, inputs } = node;
    const { keys } = this.size;
    if (inputs.length > 1 || attributes.causal !== true) return `attention of ${name} that is not causal`;
    const width = (this.shapes.get(inputs[0] as string)?.[1] ?? 0) / 3;
    const pair = 2 * width;
    const cut = (what: string, from: number, to: number): string =>
      this.pushOp(`${name}/${what}`, 'slice', [x], { axis: 1, from, to });
    const own = cut('own', width, 3 * width);
    const row = this.pushOp(`${name}/row`, 'reshape', [own], { shape: [pair] });
    const rows = this.pushOp(`${name}/rows`, 'repeat', [row], { axis: 0, times: keys });
    const place = this.pushOp(`${name}/place`, 'repeat', [this.input('here', [keys])], {
      axis: 1,
      times: pair,
    });
    const input = this.keep(own, pair, true, [keys, pair]);
    const all = this.pushOp(`${name}/all`, 'where', [place, rows, input]);
    const operands = [cut('query', 0, width), all, this.input('seen', [keys])];
    this.pushOp(name, 'attention', operands, { ...attributes, causal: false, masked: true });
    return undefined;
  }

  /** The vector of this position out of the table. */
  private addPosition({ name, parameters }: ModelNode, x: string): undefined {
    const [entries = 0, width = 0] = this.shapes.get(name) ?? [];
    const at = this.input('position', [1]);
    const vector = this.pushOp(`${name}/vector`, 'embedding', [at], { entries, width }, parameters);
    this.pushOp(name, 'add', [x, vector]);
  }

  private addRecurrent(
    { name, op, inputs, attributes, parameters }: ModelNode,
    x: string,
  ): string | undefined {
    const { units, returnSequences, reverse } = attributes as {
      units: number;
      returnSequences: boolean;
      reverse: boolean;
    };
    if (inputs.length > 1 || reverse || !returnSequences || attributes.returnCell === true)
      return `${op} of ${name} with a context`;
    const flat = (what: string, from: string): string =>
      this.pushOp(`${name}/${what}`, 'reshape', [from], { shape: [units] });
    if (op !== 'lstm') {
      const start = this.keep(name, units, false, [units]);
      this.pushOp(name, op, [x, start], { ...attributes, initialState: true }, parameters);
      return undefined;
    }
    const row = (what: string, from: number): string =>
      this.pushOp(`${name}/${what}`, 'slice', [`${name}/both`], { axis: 0, from, to: from + 1 });
    const [h, c] = [this.keep(name, units, false, [units]), this.keep(`${name}/cell`, units, false, [units])];
    this.pushOp(
      `${name}/both`,
      op,
      [x, h, c],
      { ...attributes, initialState: true, returnCell: true },
      parameters,
    );
    flat('cell', row('cellRow', 1));
    this.pushOp(name, 'slice', [`${name}/both`], { axis: 0, from: 0, to: 1 });
    return undefined;
  }

  /** Declares that the value of a node is kept. @returns the input that takes what was kept before */
  private keep(result: string, width: number, isPerPosition: boolean, shape: Shape): string {
    const input = `step:kept${this.kept.length}`;
    this.kept.push({ input, width, isPerPosition });
    this.results.push(result);
    this.inputs.set(input, shape);
    return input;
  }

  private input(what: keyof typeof STEP_INPUTS, shape: Shape): string {
    this.inputs.set(STEP_INPUTS[what], shape);
    return STEP_INPUTS[what];
  }

  /** The input of ids becomes the token of this position. */
  private nameOf(name: string): string {
    return this.network.inputs.some((input) => input.name === name) ? this.input('token', [1]) : name;
  }

  private push({ name, op, inputs, attributes, parameters }: ModelNode, changed: object = {}): void {
    const own = inputs.map((input) => this.nameOf(input));
    this.pushOp(name, op, own, { ...attributes, ...changed }, parameters);
  }

  private pushOp(
    name: string,
    op: ModelNode['op'],
    inputs: readonly string[],
    attributes: Readonly<Record<string, unknown>> = {},
    parameters: ModelNode['parameters'] = {},
  ): string {
    this.nodes.push({ name, op, inputs: [...inputs], parameters, attributes: { ...attributes } });
    return name;
  }

  /** The shape of a value for one position. */
  private widthOf(name: string): Shape {
    const known = this.shapes.get(name);
    if (known !== undefined) return known.slice(1);
    const kept = this.kept[this.results.indexOf(name)];
    return [kept?.width ?? 1];
  }
}

/** The nodes that a value needs, in order. */
function neededNodes({ nodes }: Model, value: string): readonly ModelNode[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const needed = new Set<string>();
  const visit = (name: string): void => {
    const node = byName.get(name);
    if (node === undefined || needed.has(name)) return;
    needed.add(name);
    for (const input of node.inputs) visit(input);
  };
  visit(value);
  return nodes.filter(({ name }) => needed.has(name));
}
