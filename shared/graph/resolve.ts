/*
 * Resolves the names of a model and checks that its parts fit: follows every reference and computes every shape by the rules
 * of the ops. Every model that is built, read or compiled is resolved first, so each can be computed.
 */
import * as v from 'valibot';
import { UserError } from '../errors.js';
import { describeIssue } from '../schema-issue.js';
import type { Metric, Target } from './losses/loss.js';
import { type LossName, lossOf } from './losses/table.js';
import { checkWeights } from './losses/weights.js';
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
  /** Undefined for a loss without a target of its own. */
  readonly target: (Target & { readonly name: string }) | undefined;
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
 * Parses a model from outside.
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
  for (const field of model.fields ?? []) define(field.name, checkSize(`field ${field.name}`, field.shape));
  const parameters = parameterShapes(model);
  const nodes = model.nodes.map((node) => {
    const resolved = resolveNode(node, (name) => shapes.get(name));
    checkParameters(resolved, parameters);
    checkFieldTypes(resolved, model);
    define(node.name, resolved.shape);
    return resolved;
  });
  checkAllUsed(model);
  checkAverages(nodes);
  if (!shapes.has(model.output))
    throw new UserError(`the model's output ${model.output} is not one of its inputs or layers`);
  const several = model.outputs?.reduce((sum, { shape }) => sum + elementsOf(shape), 0);
  if (several !== undefined && several !== elementsOf(shapes.get(model.output) ?? []))
    throw new UserError(
      `the outputs have ${several} elements, but ${model.output} has another number; build the model again`,
    );
  return { model, shapes, nodes, loss: resolveLoss(model.loss, shapes) };
}

/**
 * Applies the rules of an op to one node.
 * @param shapeOf shapes of the inputs and nodes before this one
 * @throws UserError that names the layer and the shapes that do not fit
 */
export function resolveNode(node: ModelNode, shapeOf: (name: string) => Shape | undefined): ResolvedNode {
  const definition = opOf(node.op);
  const attributes = checkAttributes(`layer ${node.name}`, definition.attributes, node.attributes);
  const { min, max } = definition.arity;
  if (node.inputs.length < min || node.inputs.length > max) {
    const expected = min === max ? `${min}` : `${min} to ${max}`;
    throw new UserError(`layer ${node.name}: ${node.op} takes ${expected} inputs, not ${node.inputs.length}`);
  }
  const inputShapes = node.inputs.map((input) => {
    const shape = shapeOf(input);
    if (shape === undefined)
      throw new UserError(`layer ${node.name}: its input ${input} is not defined before it`);
    return shape;
  }) as [Shape, ...Shape[]];
  const shape = checkSize(
    `layer ${node.name}`,
    definition.shape({ name: node.name, attributes, inputs: inputShapes }),
  );
  return { ...node, definition, attributes, inputShapes, shape };
}

/** Names of the parameters that keep their initial values. */
export function frozenParameters({ parameters }: Model): ReadonlySet<string> {
  return new Set(parameters.filter(({ trainable }) => trainable === false).map(({ name }) => name));
}

/** Whether a node has parameters, and all of them are frozen. */
export function isFrozen(
  { parameters }: Pick<ModelNode, 'parameters'>,
  frozen: ReadonlySet<string>,
): boolean {
  const names = Object.values(parameters);
  return names.length > 0 && names.every((name) => frozen.has(name));
}

/** Shapes of the parameters of a node by role, from the rule of the op. */
export function parameterShapesOf(node: ResolvedNode): Readonly<Record<string, Shape>> {
  if (node.definition.kind === 'view') return {};
  const use: OpUse<unknown> = { name: node.name, attributes: node.attributes, inputs: node.inputShapes };
  return node.definition.parameters(use) as Record<string, Shape>;
}

/** @throws UserError unless a parameter has the shape that the input of the layer requires */
export function checkParameterShape(node: ResolvedNode, role: string, has: Shape, needs: Shape): void {
  if (sameShape(has, needs)) return;
  const inputs = node.inputShapes.map(formatShape).join(' and ');
  throw new UserError(
    `layer ${node.name}: its ${role} has shape ${formatShape(has)}, but an input of shape ${inputs} needs ` +
      `${formatShape(needs)}; a layer that is used twice needs inputs of the same shape`,
  );
}

function parameterShapes(model: Model): ReadonlyMap<string, Shape> {
  const shapes = new Map<string, Shape>();
  let before = '';
  for (const { name, shape } of model.parameters) {
    if (name <= before)
      throw new UserError(`parameters must be in name order, but ${name} follows ${before}`);
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

/** Integers are targets of losses that take class numbers, and of nothing else: ops compute with float32. */
function checkFieldTypes(
  { name, op, attributes, inputs, inputShapes }: ResolvedNode,
  { fields = [] }: Model,
): void {
  inputs.forEach((input, i) => {
    const dtype = fields.find((field) => field.name === input)?.dtype ?? 'f32';
    const { kind, settings } = attributes as { kind: LossName; settings: unknown };
    const needs =
      op === 'lossTerms' && i === 1 ? lossOf(kind).target(inputShapes[0], settings)?.dtype : 'f32';
    if (dtype !== needs)
      throw new UserError(
        `layer ${name}: its input ${input} is ${dtype}, but ${op} needs ${needs}; change the field of the loss`,
      );
  });
}

/** A parameter without a use would have no gradient: its part of the vector would never be written. */
function checkAllUsed(model: Model): void {
  const used = new Set(model.nodes.flatMap((node) => Object.values(node.parameters)));
  const idle = model.parameters.find(({ name }) => !used.has(name));
  if (idle !== undefined) throw new UserError(`parameter ${idle.name} is not used by any layer; remove it`);
}

/** A moving average belongs to one node: two nodes would move it towards the sum of both their values. */
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
          `layer ${name}: its ${role} ${parameter} is used elsewhere, but a moving average cannot be shared; create a layer for each use`,
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
    throw new UserError(`the loss needs ${loss.prediction}, but the model has no such layer`);
  const attributes = checkAttributes('the loss', definition.attributes, loss.attributes);
  const expected = definition.target(shape, attributes);
  if (loss.weights !== undefined) checkWeights(loss.kind, shape, loss.weights);
  if ((expected === undefined) !== (loss.target === undefined))
    throw new UserError(
      `the loss ${loss.kind} ${expected === undefined ? 'has no target' : 'needs a target'}; build the model again`,
    );
  const target = expected && { ...expected, name: loss.target as string };
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
  throw new UserError(`${owner}: ${describeIssue(schema, issue, 'attributes')}`);
}

/** @throws UserError when a tensor exceeds the limits on elements or axes */
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
