/*
 * Builds a model: a graph has inputs, layers add nodes to it, and `model` finishes it. Shapes are checked when nodes are
 * added, so an error is reported where it is made, with the name of the layer.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { functionName } from '../function-name.js';
import type { Initializer } from './initializers.js';
import type { LossSettings } from './losses/loss.js';
import { type LossName, lossOf } from './losses/table.js';
import {
  MODEL_FORMAT,
  type Model,
  type ModelLoss,
  type ModelNode,
  type ModelParameter,
  Name,
  type OwnOptimizer,
} from './model.js';
import type { OpName } from './ops/table.js';
import type { Regularizer } from './regularizers.js';
import { checkParameterShape, checkSize, parameterShapesOf, parseModel, resolveNode } from './resolve.js';
import { elementsOf, formatShape, type Shape, sameShape } from './shape.js';

/** A model input or the output of a layer, while the model is being built. */
export interface Tensor {
  readonly graph: Graph;
  readonly name: string;
  /** Shape of one sample. */
  readonly shape: Shape;
}

/** A mapping from one tensor to another. A layer that is used twice shares its parameters. */
export type Layer = (x: Tensor) => Tensor;

/** The identity of a layer. The object itself is the identity: parameters belong to it. */
export interface LayerIdentity {
  /** Such as 'dense': the second unnamed one of a graph is called dense_1. */
  readonly kind: string;
  readonly name?: string | undefined;
}

/** A node that a layer adds to a graph. */
export interface NodeRequest {
  readonly layer: LayerIdentity;
  /** Distinguishes several nodes of one layer, such as 'relu' for the activation of a dense layer. */
  readonly part?: string;
  readonly op: OpName;
  readonly inputs: readonly Tensor[];
  readonly attributes?: Readonly<Record<string, unknown>>;
  /** For each role of the parameters of the op. */
  readonly initializers?: Readonly<Record<string, Initializer>>;
  readonly regularizers?: Readonly<Record<string, Regularizer | undefined>>;
}

/** A loss that is composed of ops; see layers/composed-loss.ts. */
export interface ComposedLoss {
  readonly compose: (
    output: Tensor,
    /** A field of the data. Default: a single number, f32. */
    field: (name: string, shape?: Shape, dtype?: 'f32' | 'i32') => Tensor,
  ) => Tensor;
}

/** The loss of one of several outputs, and the weight of it in their sum; default: 1. */
export type OutputLoss = AnyLoss | { readonly loss: AnyLoss; readonly weight: number };

/** A ready-made loss, or one that is composed of ops. */
type AnyLoss = LossSettings | ComposedLoss;

/** Several outputs, or something for each, by name. */
type Named<T> = Readonly<Record<string, T>>;

/** How the parameters of the layers that are being added learn; see layers/learning.ts. */
interface LearningScope {
  readonly trainable: boolean;
  readonly rate: number;
  readonly decay: number;
  /** An optimizer of their own; undefined: that of the run. */
  readonly optimizer: OwnOptimizer | undefined;
}

/** How a parameter learns, as a model stores it. */
type OwnLearning = Pick<ModelParameter, 'trainable' | 'rate' | 'decay' | 'optimizer'>;

/** Ops whose outputs are not limited to [0, 1], so they cannot be probabilities. */
const NO_PROBABILITIES: ReadonlySet<OpName> = new Set([
  ...([
    'batchNormalization',
    'conv2d',
    'conv2dTranspose',
    'conv3d',
    'dense',
    'embedding',
    'gelu',
    'gru',
  ] as const),
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
  /** Types of fields that only the loss reads. */
  private readonly fields = new Map<string, 'f32' | 'i32'>();
  private readonly nodes: ModelNode[] = [];
  private readonly parameters = new Map<string, ModelParameter>();
  private readonly layerNames = new Map<LayerIdentity, string>();
  private scope: LearningScope = { trainable: true, rate: 1, decay: 1, optimizer: undefined };

  /**
   * Adds an input of the model: the field of the data with this name.
   * @throws UserError when the name is taken
   */
  input(name: string, shape: Shape): Tensor {
    if (this.isTaken(name)) throw new UserError(`the name ${name} is taken; give the input another name`);
    if (!Array.isArray(shape))
      throw new UserError(
        `the shape of the input ${name} is ${shape}, not a list; write it like [28, 28], or [2] for two numbers`,
      );
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
      const rule = this.rule();
      if (known !== undefined) {
        checkParameterShape(resolved, role, known.shape, shape);
        checkSameLearning(known, rule);
      } else {
        const regularizer = regularizers[role];
        const penalty = regularizer === undefined ? {} : { regularizer };
        this.parameters.set(parameter, {
          ...{ name: parameter, shape: [...shape], initializer },
          ...penalty,
          ...rule,
        });
      }
      return [role, parameter];
    });
    this.nodes.push({ ...draft, parameters: Object.fromEntries(roles) });
    return this.define(name, resolved.shape);
  }

  /**
   * The finished model: only the nodes that `output` and `loss` need.
   *
   * Cross-entropy of a softmax is DEFINED here as cross-entropy of the input of that softmax ("from logits"), and binary
   * cross-entropy of a sigmoid as that of its input. This is more precise and needs fewer operations. It is decided here,
   * once, so that it is the same on every machine.
   *
   * Of several outputs by name, each has a loss, and the sum of these, times their weights, is trained. `output` of the model
   * then has all of them one after the other, flattened.
   *
   * @throws UserError when the loss does not fit the output
   */
  model(output: Tensor, loss: LossSettings | ComposedLoss): Model;
  model(outputs: Named<Tensor>, losses: Named<OutputLoss>): Model;
  model(output: Tensor | Named<Tensor>, loss: AnyLoss | Named<OutputLoss>): Model {
    if (typeof loss === 'object' && loss !== null && 'graph' in loss)
      throw new UserError('the loss is a tensor; write graph.model(output, loss), the output first');
    if (isSeveral(output)) return this.modelOfSeveral(output, loss as Named<OutputLoss>);
    return this.modelOfOne(output, loss as AnyLoss);
  }

  private modelOfOne(output: Tensor, loss: AnyLoss): Model {
    this.checkOwn(output, "the model's output");
    checkIsLoss(loss, 'the loss');
    if ('compose' in loss) {
      const value = this.composed(output, loss, 'the loss');
      return this.finish(output, { kind: 'value', prediction: value.name, attributes: {} });
    }
    const { kind, target, weights } = loss;
    return this.finish(output, {
      ...{ kind, target, ...this.fromLogits(output, loss) },
      ...(weights !== undefined && { weights }),
    });
  }

  private modelOfSeveral(outputs: Named<Tensor>, losses: Named<OutputLoss>): Model {
    const names = Object.keys(outputs);
    if (Array.isArray(outputs))
      throw new UserError(
        'the outputs are a list; give them names: graph.model({ kind: output }, { kind: loss })',
      );
    checkIsLoss(losses, 'the losses');
    const unknown = Object.keys(losses).find((name) => !Object.hasOwn(outputs, name));
    const missing = names.find((name) => !Object.hasOwn(losses, name));
    if (names.length === 0) throw new UserError('a model needs an output');
    if (unknown !== undefined)
      throw new UserError(`there is a loss for ${unknown}, but the outputs are ${names.join(', ')}`);
    if (missing !== undefined) throw new UserError(`the output ${missing} has no loss; give each output one`);
    const derive = (
      op: OpName,
      inputs: readonly Tensor[],
      attributes: NodeRequest['attributes'] = {},
    ): Tensor => this.add({ layer: { kind: op }, op, inputs, attributes });
    const flat = (x: Tensor): Tensor =>
      x.shape.length === 1 ? x : derive('reshape', [x], { shape: [elementsOf(x.shape)] });
    const parts = names.map((name) => {
      const output = outputs[name] as Tensor;
      this.checkOwn(output, `the output ${name}`);
      const given = losses[name] as OutputLoss;
      checkIsLoss(given, `the loss of ${name}`);
      const { loss, weight } = 'loss' in given ? given : { loss: given, weight: 1 };
      if (!Number.isFinite(weight))
        throw new UserError(`the loss of ${name} has the weight ${weight}, not a number`);
      checkIsLoss(loss, `the loss of ${name}`);
      const terms =
        'compose' in loss ? this.composed(output, loss, `the loss of ${name}`) : this.lossTerms(output, loss);
      const total = terms.shape.length === 0 ? terms : derive('reduceSum', [flat(terms)], { axis: 0 });
      return derive('affine', [total], { factor: weight / elementsOf(terms.shape), summand: 0 });
    });
    const tensors = names.map((name) => outputs[name] as Tensor);
    const value = parts.length === 1 ? (parts[0] as Tensor) : derive('add', parts);
    const flattened = tensors.map(flat);
    const output =
      flattened.length === 1 ? (flattened[0] as Tensor) : derive('concatenate', flattened, { axis: 0 });
    const model = this.finish(output, { kind: 'value', prediction: value.name, attributes: {} });
    return parseModel({
      ...model,
      outputs: names.map((name, i) => ({ name, shape: [...(tensors[i] as Tensor).shape] })),
    });
  }

  /** What a composed loss computes: a number, or terms whose mean is the loss. */
  private composed(output: Tensor, { compose }: ComposedLoss, what: string): Tensor {
    const value = compose(output, (name, shape = [], dtype = 'f32') => this.field(name, shape, dtype));
    this.checkOwn(value, `what ${what} computes`);
    return value;
  }

  /** A field of the data that the loss reads: the input of this name, if there is one. */
  field(name: string, shape: Shape, dtype: 'f32' | 'i32'): Tensor {
    const known = this.fields.get(name) ?? (this.inputNames.includes(name) ? 'f32' : undefined);
    const tensor = this.tensors.get(name);
    if (known === undefined || tensor === undefined) {
      if (this.isTaken(name))
        throw new UserError(`the name ${name} of a field is taken by a layer; rename the layer`);
      this.fields.set(name, dtype);
      return this.define(name, shape);
    }
    if (known === dtype && sameShape(tensor.shape, shape)) return tensor;
    throw new UserError(
      `field ${name} is used as ${known} ${formatShape(tensor.shape)} and as ${dtype} ${formatShape(shape)}; use it in one way`,
    );
  }

  /** Adds the terms of a loss; see lossTerms. */
  lossTerms(output: Tensor, loss: LossSettings): Tensor {
    const { prediction, attributes } = this.fromLogits(output, loss);
    const definition = lossOf(loss.kind as LossName);
    const inner = this.tensors.get(prediction) as Tensor;
    const checked = v.safeParse(definition.attributes, attributes);
    if (!checked.success) throw new UserError(`the loss ${loss.kind}: ${checked.issues[0].message}`);
    const target = definition.target(inner.shape, checked.output);
    if (target === undefined) throw new UserError('a composed loss has no terms of its own; use its result');
    const { kind, weights } = loss;
    if (weights?.classes !== undefined)
      throw new UserError(
        `classWeights of ${kind} in a composed loss: give samples weights of their own (sampleWeight)`,
      );
    const terms = this.add({
      ...{ layer: { kind }, op: 'lossTerms', attributes: { kind, settings: attributes } },
      inputs: [inner, this.field(loss.target, target.shape, target.dtype)],
    });
    if (weights?.sample === undefined) return terms;
    const one = this.field(weights.sample, [], 'f32');
    const [times] = terms.shape;
    const each =
      times === undefined
        ? one
        : this.add({
            layer: { kind: 'repeat' },
            op: 'repeat',
            inputs: [one],
            attributes: { times, axis: 0 },
          });
    return this.add({ layer: { kind: 'multiply' }, op: 'multiply', inputs: [terms, each] });
  }

  /** Where the loss begins: at the input of a softmax or sigmoid, or at the output itself. */
  private fromLogits(
    output: Tensor,
    loss: LossSettings,
  ): { readonly prediction: string; readonly attributes: LossSettings['attributes'] } {
    const last = this.nodes.find(({ name }) => name === output.name);
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
        `the loss expects probabilities, but the output of ${last.name} (${last.op}) is unbounded; ` +
          "end the model with activation: 'softmax', or set fromLogits: true for the loss",
      );
    }
    return { prediction, attributes };
  }

  private finish(output: Tensor, loss: Omit<ModelLoss, 'kind'> & { readonly kind: string }): Model {
    const byName = new Map(this.nodes.map((node) => [node.name, node]));
    const forOutput = ancestors(output.name, byName);
    const forLoss = ancestors(loss.prediction, byName);
    const needed = new Set([...forOutput, ...forLoss]);
    const hasParameters = (node: ModelNode): boolean => Object.keys(node.parameters).length > 0;
    const learning = this.nodes.filter((node) => needed.has(node.name) && hasParameters(node));
    if (learning.length > 0 && !learning.some(({ name }) => forLoss.has(name)))
      throw new UserError(
        'the loss depends on no layer that learns: let it compute with the output of the network',
      );
    const nodes = this.nodes.filter(({ name }) => needed.has(name));
    const used = new Set(nodes.flatMap((node) => Object.values(node.parameters)));
    const parameters = [...this.parameters.values()].filter(({ name }) => used.has(name));
    const shapeOf = (name: string): number[] => [...(this.tensors.get(name) as Tensor).shape];
    const inputs = this.inputNames.filter((name) => forOutput.has(name));
    const fields = [...this.inputNames, ...this.fields.keys()].filter(
      (name) => needed.has(name) && !forOutput.has(name),
    );
    return parseModel({
      format: MODEL_FORMAT,
      inputs: inputs.map((name) => ({ name, shape: shapeOf(name) })),
      ...(fields.length > 0 && {
        fields: fields.map((name) => ({ name, shape: shapeOf(name), dtype: this.fields.get(name) ?? 'f32' })),
      }),
      parameters: parameters.sort((a, b) => (a.name < b.name ? -1 : 1)),
      nodes,
      output: output.name,
      loss,
    });
  }

  private checkOwn(tensor: Tensor | undefined, what: string): void {
    if (tensor?.graph === this) return;
    const found = tensor?.graph === undefined ? 'not a tensor' : `${tensor.name} of another graph`;
    throw new UserError(`${what} is ${found}; use the inputs and layers of one graph`);
  }

  private define(name: string, shape: Shape): Tensor {
    const check = v.safeParse(Name, name);
    if (!check.success)
      throw new UserError(`${JSON.stringify(name)} is not a valid name: ${check.issues[0].message}`);
    const tensor = { graph: this, name, shape };
    this.tensors.set(name, tensor);
    return tensor;
  }

  /** Adds layers whose parameters learn otherwise than the rest; see layers/learning.ts. */
  learning(scope: LearningScope, add: () => Tensor): Tensor {
    const outer = this.scope;
    this.scope = {
      trainable: outer.trainable && scope.trainable,
      rate: outer.rate * scope.rate,
      decay: outer.decay * scope.decay,
      optimizer: scope.optimizer ?? outer.optimizer,
    };
    try {
      return add();
    } finally {
      this.scope = outer;
    }
  }

  /** The learning of a new parameter, as a model stores it. */
  private rule(): OwnLearning {
    const { trainable, rate, decay, optimizer } = this.scope;
    if (!trainable) return { trainable: false };
    return { ...(rate !== 1 && { rate }), ...(decay !== 1 && { decay }), ...(optimizer && { optimizer }) };
  }

  /** The name of a layer in this graph, for layers that consist of layers; assigned on the first call. */
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

  /** The second and later uses of a layer get a number. */
  private nodeName(base: string): string {
    let name = base;
    for (let use = 2; this.tensors.has(name); use++) name = `${base}:${use}`;
    return name;
  }

  private isTaken(name: string): boolean {
    return this.tensors.has(name) || [...this.layerNames.values()].includes(name);
  }
}

/** Whether outputs are given by name. Anything else is checked as a tensor. */
function isSeveral(value: unknown): value is Named<Tensor> {
  return typeof value === 'object' && value !== null && !('graph' in value);
}

/** @throws UserError when a loss is no object, such as a name or a function that was not called */
function checkIsLoss(loss: unknown, what: string): void {
  if (typeof loss === 'object' && loss !== null) return;
  const given =
    typeof loss === 'function' ? `the function ${functionName(loss)}, which was not called` : String(loss);
  throw new UserError(
    `${what} is ${given.slice(0, 60)}; call a function that makes one, such as meanSquaredError({ target: 'target' })`,
  );
}

/** @throws UserError when a layer that is used twice is to learn in two ways */
function checkSameLearning(known: ModelParameter, { trainable, rate, decay, optimizer }: OwnLearning): void {
  const isSame = known.trainable === trainable && known.rate === rate && known.decay === decay;
  if (isSame && JSON.stringify(known.optimizer) === JSON.stringify(optimizer)) return;
  throw new UserError(
    `parameter ${known.name} is used twice, and is to learn otherwise in its second use; wrap the layer in learning() once, ` +
      'and use the result twice',
  );
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
