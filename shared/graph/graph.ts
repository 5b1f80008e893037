/*
 * Building a model: a graph takes inputs, layers add nodes to it, and `model` closes it. Shapes are checked as nodes are
 * added, so a mistake is told where it is made, under the name that the layer has.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import type { Initializer } from './initializers.js';
import type { LossSettings } from './losses/loss.js';
import { MODEL_FORMAT, type Model, type ModelNode, type ModelParameter, Name } from './model.js';
import type { OpName } from './ops/table.js';
import type { Regularizer } from './regularizers.js';
import { checkParameterShape, checkSize, parameterShapesOf, parseModel, resolveNode } from './resolve.js';
import type { Shape } from './shape.js';

/** A model input or the output of a layer, while the model is built. */
export interface Tensor {
  readonly graph: Graph;
  readonly name: string;
  /** Shape of one sample. */
  readonly shape: Shape;
}

/** A mapping from one tensor to another. Used twice, it uses the same parameters twice. */
export type Layer = (x: Tensor) => Tensor;

/** Who a layer is. The object itself is the identity: parameters belong to it. */
export interface LayerIdentity {
  /** Such as 'dense': the second nameless one of a graph is called dense_1. */
  readonly kind: string;
  readonly name?: string | undefined;
}

/** What a layer asks a graph to add. */
export interface NodeRequest {
  readonly layer: LayerIdentity;
  /** Tells several nodes of one layer apart, such as 'relu' for a dense layer's activation. */
  readonly part?: string;
  readonly op: OpName;
  readonly inputs: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** For each role of the op's parameters. */
  readonly initializers?: Readonly<Record<string, Initializer>>;
  readonly regularizers?: Readonly<Record<string, Regularizer | undefined>>;
}

/** Ops whose outputs lie beyond 0 to 1: nothing that a loss could take for probabilities. */
const NO_PROBABILITIES: ReadonlySet<OpName> = new Set([
  ...(['batchNormalization', 'conv2d', 'conv2dTranspose', 'dense', 'embedding', 'gelu', 'gru'] as const),
  ...([
    'layerNormalization',
    'leakyRelu',
    'logSoftmax',
    'lstm',
    'relu',
    'silu',
    'simpleRnn',
    'tanh',
  ] as const),
]);

/** A model under construction. */
export class Graph {
  private readonly tensors = new Map<string, Tensor>();
  private readonly inputNames: string[] = [];
  private readonly nodes: ModelNode[] = [];
  private readonly parameters = new Map<string, ModelParameter>();
  private readonly layerNames = new Map<LayerIdentity, string>();

  /**
   * An input of the model: the field of the data with this name.
   * @throws UserError when the name is taken
   */
  input(name: string, shape: Shape): Tensor {
    if (this.isTaken(name)) throw new UserError(`the name ${name} is taken; give the input another name`);
    this.inputNames.push(name);
    return this.define(name, shape);
  }

  /**
   * Adds one node, for layers.
   * @throws UserError that names the layer and the shapes when an input does not fit
   */
  add(request: NodeRequest): Tensor {
    const { layer, part, op, inputs, attributes = {}, initializers = {}, regularizers = {} } = request;
    const layerName = this.nameOf(layer);
    const foreign = inputs.find((tensor) => tensor.graph !== this);
    if (foreign !== undefined) {
      throw new UserError(
        `layer ${layerName}: ${foreign.name} belongs to another graph; use inputs of one graph`,
      );
    }
    const name = this.nodeName(part === undefined ? layerName : `${layerName}/${part}`);
    const names = inputs.map((tensor) => tensor.name);
    const draft = { name, op, inputs: names, parameters: {}, attributes: { ...attributes } };
    const resolved = resolveNode(draft, (input) => this.tensors.get(input)?.shape);
    const roles = Object.entries(parameterShapesOf(resolved)).map(([role, shape]): [string, string] => {
      const parameter = `${layerName}/${role}`;
      checkSize(`parameter ${parameter}`, shape);
      const known = this.parameters.get(parameter);
      const initializer = initializers[role] ?? { kind: 'zeros' };
      if (known !== undefined) checkParameterShape(resolved, role, known.shape, shape);
      else {
        const regularizer = regularizers[role];
        const penalty = regularizer === undefined ? {} : { regularizer };
        this.parameters.set(parameter, { name: parameter, shape: [...shape], initializer, ...penalty });
      }
      return [role, parameter];
    });
    this.nodes.push({ ...draft, parameters: Object.fromEntries(roles) });
    return this.define(name, resolved.shape);
  }

  /**
   * The finished model: what `output` and `loss` need, and nothing else.
   *
   * Cross-entropy of a softmax is DEFINED here as cross-entropy of that softmax's input ("from logits"), and binary
   * cross-entropy of a sigmoid as that of its input: better numbers, fewer operations, and decided once, so that it
   * cannot depend on who computes.
   *
   * @throws UserError when the loss makes no sense of the output
   */
  model(output: Tensor, loss: LossSettings): Model {
    if (output?.graph !== this) {
      const what = output === undefined ? 'no tensor' : `${output.name} of another graph`;
      throw new UserError(`the model's output is ${what}; begin and end a model with one graph`);
    }
    const byName = new Map(this.nodes.map((node) => [node.name, node]));
    const last = byName.get(output.name);
    let prediction = output.name;
    let attributes = loss.attributes;
    if (last?.op === 'softmax' && 'fromLogits' in attributes) {
      if (attributes.fromLogits === true) {
        throw new UserError(
          `the loss expects logits, but ${output.name} is a softmax; drop fromLogits or the softmax`,
        );
      }
      prediction = last.inputs[0] as string;
      attributes = { ...attributes, fromLogits: true };
    }
    if (last?.op === 'sigmoid' && loss.kind === 'binaryCrossentropy') prediction = last.inputs[0] as string;
    if (attributes.fromLogits === false && last !== undefined && NO_PROBABILITIES.has(last.op)) {
      throw new UserError(
        `the loss expects probabilities, and ${last.name} (${last.op}) hands on any number; ` +
          "end the model with activation: 'softmax', or tell the loss: fromLogits: true",
      );
    }
    const needed = ancestors(output.name, byName);
    const nodes = this.nodes.filter(({ name }) => needed.has(name));
    const used = new Set(nodes.flatMap((node) => Object.values(node.parameters)));
    const parameters = [...this.parameters.values()].filter(({ name }) => used.has(name));
    const inputs = this.inputNames.filter((name) => needed.has(name));
    return parseModel({
      format: MODEL_FORMAT,
      inputs: inputs.map((name) => ({ name, shape: [...(this.tensors.get(name) as Tensor).shape] })),
      parameters: parameters.sort((a, b) => (a.name < b.name ? -1 : 1)),
      nodes,
      output: output.name,
      loss: { kind: loss.kind, prediction, target: loss.target, attributes },
    });
  }

  private define(name: string, shape: Shape): Tensor {
    const check = v.safeParse(Name, name);
    if (!check.success) throw new UserError(`${JSON.stringify(name)} is no name: ${check.issues[0].message}`);
    const tensor = { graph: this, name, shape };
    this.tensors.set(name, tensor);
    return tensor;
  }

  /** The name of a layer in this graph, for layers that are made of layers; decided when it is first asked for. */
  nameOf(layer: LayerIdentity): string {
    const known = this.layerNames.get(layer);
    if (known !== undefined) return known;
    let name = layer.name ?? layer.kind;
    if (layer.name === undefined) {
      for (let i = 1; this.isTaken(name); i++) name = `${layer.kind}_${i}`;
    } else if (this.isTaken(name)) {
      throw new UserError(`the name ${name} is taken; give the layer another name`);
    }
    this.layerNames.set(layer, name);
    return name;
  }

  /** A layer's later uses are told apart by their number. */
  private nodeName(base: string): string {
    let name = base;
    for (let use = 2; this.tensors.has(name); use++) name = `${base}:${use}`;
    return name;
  }

  private isTaken(name: string): boolean {
    return this.tensors.has(name) || [...this.layerNames.values()].includes(name);
  }
}

function ancestors(name: string, nodes: ReadonlyMap<string, ModelNode>): ReadonlySet<string> {
  const found = new Set<string>();
  const pending = [name];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    pending.push(...(nodes.get(next)?.inputs ?? []));
  }
  return found;
}
