/*
 * From a model's names to a model whose parts are known to fit: every reference followed, every shape computed by the
 * ops' own rules. Whoever builds, reads or plans a model goes through here, so a model that exists can be computed.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import type { Metric, Target } from './losses/loss.js';
import { lossOf } from './losses/table.js';
import { type Model, type ModelLoss, type ModelNode, modelOfJson } from './model.js';
import type { OpUse } from './ops/op.js';
import { type AnyOp, opOf } from './ops/table.js';
import { DIMENSIONS_MAX, ELEMENTS_MAX, elementsOf, formatShape, type Shape, sameShape } from './shape.js';

/** A node whose inputs exist and fit. */
export interface ResolvedNode extends Omit<ModelNode, 'attributes'> {
  readonly definition: AnyOp;
  readonly attributes: unknown;
  readonly inputShapes: readonly [Shape, ...Shape[]];
  readonly shape: Shape;
}

/** A loss whose prediction exists and fits. */
export interface ResolvedLoss extends Omit<ModelLoss, 'target'> {
  readonly shape: Shape;
  readonly target: Target & { readonly name: string };
  readonly metrics: readonly Metric[];
}

export interface ResolvedModel {
  readonly model: Model;
  /** Shapes of model inputs and nodes by name. */
  readonly shapes: ReadonlyMap<string, Shape>;
  readonly nodes: readonly ResolvedNode[];
  readonly loss: ResolvedLoss;
}

/**
 * A model out of something that came from outside.
 * @throws UserError when it is malformed or its parts do not fit together
 */
export function parseModel(value: unknown): Model {
  const model = modelOfJson(value);
  resolveModel(model);
  return model;
}

/**
 * Follows every reference and applies every shape rule.
 * @throws UserError that names the layer and the shapes that do not fit
 */
export function resolveModel(model: Model): ResolvedModel {
  const shapes = new Map<string, Shape>();
  const define = (name: string, shape: Shape): void => {
    if (shapes.has(name))
      throw new UserError(`two inputs or layers are named ${name}; give one another name`);
    shapes.set(name, shape);
  };
  for (const input of model.inputs) define(input.name, checkSize(`input ${input.name}`, input.shape));
  const parameters = parameterShapes(model);
  const nodes = model.nodes.map((node) => {
    const resolved = resolveNode(node, (name) => shapes.get(name));
    checkParameters(resolved, parameters);
    define(node.name, resolved.shape);
    return resolved;
  });
  checkAllUsed(model);
  checkAverages(nodes);
  if (!shapes.has(model.output))
    throw new UserError(`the model's output ${model.output} is no input or layer of it`);
  return { model, shapes, nodes, loss: resolveLoss(model.loss, shapes) };
}

/**
 * Applies an op's rules to one node.
 * @param shapeOf shapes of what is defined before the node
 * @throws UserError that names the layer and the shapes that do not fit
 */
export function resolveNode(node: ModelNode, shapeOf: (name: string) => Shape | undefined): ResolvedNode {
  const definition = opOf(node.op);
  const attributes = checkAttributes(`layer ${node.name}`, definition.attributes, node.attributes);
  const { min, max } = definition.arity;
  if (node.inputs.length < min || node.inputs.length > max) {
    const wanted = min === max ? `${min}` : `${min} to ${max}`;
    throw new UserError(`layer ${node.name}: ${node.op} takes ${wanted} inputs, not ${node.inputs.length}`);
  }
  const inputShapes = node.inputs.map((input) => {
    const shape = shapeOf(input);
    if (shape === undefined) throw new UserError(`layer ${node.name}: there is no ${input} before it`);
    return shape;
  }) as [Shape, ...Shape[]];
  const shape = checkSize(
    `layer ${node.name}`,
    definition.shape({ name: node.name, attributes, inputs: inputShapes }),
  );
  return { ...node, definition, attributes, inputShapes, shape };
}

/** Shapes of a node's parameters by role, from the op's rule. */
export function parameterShapesOf(node: ResolvedNode): Readonly<Record<string, Shape>> {
  if (node.definition.kind === 'view') return {};
  const use: OpUse<unknown> = { name: node.name, attributes: node.attributes, inputs: node.inputShapes };
  return node.definition.parameters(use) as Record<string, Shape>;
}

/** @throws UserError unless a parameter has the shape that the layer's input asks for */
export function checkParameterShape(node: ResolvedNode, role: string, has: Shape, needs: Shape): void {
  if (sameShape(has, needs)) return;
  const inputs = node.inputShapes.map(formatShape).join(' and ');
  throw new UserError(
    `layer ${node.name}: its ${role} has shape ${formatShape(has)}, but an input of shape ${inputs} needs ` +
      `${formatShape(needs)}; a layer that is used twice needs inputs of one shape`,
  );
}

function parameterShapes(model: Model): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>();
  let before = '';
  for (const { name, shape } of model.parameters) {
    if (name <= before)
      throw new UserError(`parameters must be in name order, and ${name} follows ${before}`);
    shapes.set(name, checkSize(`parameter ${name}`, shape));
    before = name;
  }
  return shapes;
}

function checkParameters(node: ResolvedNode, parameters: ReadonlyMap<string, Shape>): void {
  const needs = parameterShapesOf(node);
  for (const role of Object.keys(node.parameters)) {
    if (!Object.hasOwn(needs, role)) throw new UserError(`layer ${node.name}: ${node.op} has no ${role}`);
  }
  for (const [role, shape] of Object.entries(needs)) {
    const name = node.parameters[role];
    const has = name === undefined ? undefined : parameters.get(name);
    if (has === undefined) throw new UserError(`layer ${node.name}: its ${role} ${name ?? ''} is missing`);
    checkParameterShape(node, role, has, shape);
  }
}

/** A parameter without a use has no gradient, and whatever lay in memory would take its place. */
function checkAllUsed(model: Model): void {
  const used = new Set(model.nodes.flatMap((node) => Object.values(node.parameters)));
  const idle = model.parameters.find(({ name }) => !used.has(name));
  if (idle !== undefined) throw new UserError(`parameter ${idle.name} is used by no layer; leave it out`);
}

/** A moving average follows one place in the network: two would pull it to the sum of both. */
function checkAverages(nodes: readonly ResolvedNode[]): void {
  const seen = new Set<string>();
  for (const { name, definition, parameters } of nodes) {
    if (definition.kind === 'view') continue;
    const averages: readonly string[] = definition.averages?.roles ?? [];
    for (const role of Object.keys(parameters)) {
      const parameter = parameters[role] as string;
      const key = `${parameter} ${averages.includes(role) ? 'average' : 'trained'}`;
      if (seen.has(`${parameter} average`) || (averages.includes(role) && seen.has(`${parameter} trained`))) {
        throw new UserError(
          `layer ${name}: its ${role} ${parameter} is measured elsewhere too; give each place a layer of its own`,
        );
      }
      seen.add(key);
    }
  }
}

function resolveLoss(loss: ModelLoss, shapes: ReadonlyMap<string, Shape>): ResolvedLoss {
  const definition = lossOf(loss.kind);
  const shape = shapes.get(loss.prediction);
  if (shape === undefined)
    throw new UserError(`the loss needs ${loss.prediction}, and the model has no such layer`);
  const attributes = checkAttributes('the loss', definition.attributes, loss.attributes);
  const target = { ...definition.target(shape, attributes), name: loss.target };
  return {
    ...loss,
    attributes: attributes as ModelLoss['attributes'],
    shape,
    target,
    metrics: definition.metrics(attributes),
  };
}

function checkAttributes(
  owner: string,
  schema: v.GenericSchema<unknown, unknown>,
  attributes: unknown,
): unknown {
  const result = v.safeParse(schema, attributes);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new UserError(`${owner}: ${v.getDotPath(issue) ?? 'attributes'}: ${issue.message}`);
}

/** @throws UserError when a tensor is larger than anything that is planned */
export function checkSize(owner: string, shape: Shape): Shape {
  if (shape.length > DIMENSIONS_MAX)
    throw new UserError(`${owner}: a shape has at most ${DIMENSIONS_MAX} axes`);
  if (elementsOf(shape) > ELEMENTS_MAX) {
    throw new UserError(
      `${owner}: shape ${formatShape(shape)} exceeds ${ELEMENTS_MAX} elements; make it smaller`,
    );
  }
  return shape;
}
