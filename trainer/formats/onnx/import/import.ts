/*
 * ONNX files as networks that can go on learning. Every operator becomes ops of the network; what cannot be translated is named, all
 * of it at once.
 */
import { UserError } from '../../../../shared/errors.js';
import { ImportedNetwork } from '../../imported-network.js';
import { untranslatableFile } from '../../untranslatable.js';
import { ARITHMETIC_OPERATORS } from './arithmetic-operators.js';
import { AXIS_OPERATORS } from './axis-operators.js';
import { decodeOnnx, type ReadModel, type ReadNode, type ReadTensor, type ReadValue } from './decode.js';
import { withLayers } from './fusion.js';
import { GraphBuilder } from './graph-builder.js';
import { LAYER_OPERATORS } from './layer-operators.js';
import { type Constant, type Operand, tensorOf } from './operands.js';
import type { Operator, OperatorUse } from './operator.js';
import { ownNetwork } from './own-file.js';
import { PART_OPERATORS } from './part-operators.js';
import { RECURRENT_OPERATORS } from './recurrent-operators.js';
import { SHAPE_OPERATORS } from './shape-operators.js';
import { WINDOW_OPERATORS } from './window-operators.js';

const OPERATORS: Readonly<Record<string, Operator>> = {
  ...SHAPE_OPERATORS,
  ...PART_OPERATORS,
  ...ARITHMETIC_OPERATORS,
  ...AXIS_OPERATORS,
  ...LAYER_OPERATORS,
  ...WINDOW_OPERATORS,
  ...RECURRENT_OPERATORS,
};

/** How a file is read. */
export interface ImportOptions {
  /** Shapes of inputs whose file leaves them open, for one sample, by name: { x: [3, 48, 192] }. */
  readonly inputs?: Readonly<Record<string, readonly number[]>>;
  /** The output to take. Default: the first. */
  readonly output?: string;
}

/**
 * Reads a network from an ONNX file. Its first axis is the batch, of any size; numbers of classes and other ids are float32.
 * @param file its name, for errors
 * @throws UserError that names every operator that cannot be translated
 */
export function readOnnx(bytes: Uint8Array, file: string, options: ImportOptions = {}): ImportedNetwork {
  const model = decodeOnnx(bytes, file);
  return ownNetwork(model, file) ?? translated(model, file, options);
}

function translated(model: ReadModel, file: string, options: ImportOptions): ImportedNetwork {
  const output = chosenOutput(model, file, options);
  const constants = new Map<string, Constant>(model.constants.map((tensor) => [tensor.name, tensor]));
  for (const node of model.nodes) {
    const value = node.op === 'Constant' ? constantValue(node) : undefined;
    if (value !== undefined)
      constants.set(node.outputs[0] as string, { ...value, name: node.outputs[0] as string });
  }
  const grouped = withLayers(model.nodes, [output], constants);
  const nodes = neededNodes(grouped, output).filter(({ outputs }) => !constants.has(outputs[0] as string));
  const builder = new GraphBuilder();
  const known = new Map<string, Operand>(constants);
  const read = new Set(nodes.flatMap(({ inputs }) => inputs).concat(output));
  for (const [name, operand] of inputsOf(model, file, options, builder, read)) known.set(name, operand);
  const problems = translate(nodes, { builder, known, read, opset: model.opset });
  if (problems.length > 0) throw untranslatableFile(file, 'operators', problems);
  const result = known.get(output);
  if (result === undefined)
    throw new UserError(`${file}: nothing computes its output ${output}; export it again`);
  const others = model.outputs.map(({ name }) => name).filter((name) => name !== output);
  const notes = others.length === 0 ? [] : [`the outputs ${others.join(', ')} are left out`];
  return new ImportedNetwork({
    ...{ graph: builder.graph, output: builder.canonical(tensorOf(result)), notes },
    parameters: builder.weights,
  });
}

interface Translation {
  readonly builder: GraphBuilder;
  readonly known: Map<string, Operand>;
  readonly read: ReadonlySet<string>;
  readonly opset: number;
}

/** Translates all nodes that can be. @returns what cannot be */
function translate(nodes: readonly ReadNode[], { builder, known, read, opset }: Translation): string[] {
  const problems: string[] = [];
  for (const node of nodes) {
    const operator = node.domain === '' || node.domain === 'ai.onnx' ? OPERATORS[node.op] : undefined;
    if (operator === undefined) {
      problems.push(`${node.domain === '' ? '' : `${node.domain}.`}${node.op}: no counterpart`);
      continue;
    }
    // What follows from something untranslatable is no problem of its own.
    if (node.inputs.some((name) => name !== '' && !known.has(name))) continue;
    const use: OperatorUse = {
      ...{ builder, opset, outputs: node.outputs.length },
      inputs: node.inputs.map((name) => known.get(name)),
      isRead: (i) => read.has(node.outputs[i] ?? ''),
      attribute: (name) => node.attributes.get(name),
    };
    try {
      const results = operator(use);
      const list = Array.isArray(results)
        ? (results as readonly (Operand | undefined)[])
        : [results as Operand];
      list.forEach((operand, i) => {
        if (operand !== undefined) known.set(node.outputs[i] as string, operand);
      });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(`${node.op}: ${error.message} (${node.name || node.outputs[0]})`);
    }
  }
  return problems;
}

function chosenOutput({ outputs }: ReadModel, file: string, { output }: ImportOptions): string {
  const names = outputs.map(({ name }) => name);
  const chosen = output ?? names[0];
  if (chosen !== undefined && names.includes(chosen)) return chosen;
  throw new UserError(
    names.length === 0
      ? `${file} has no output; export it again`
      : `${file} has no output ${chosen}; its outputs are ${names.join(', ')}`,
  );
}

/** The number, list or tensor of a Constant; undefined for what cannot be read. */
function constantValue({ attributes }: ReadNode): ReadTensor | undefined {
  const [value] = attributes.values();
  if (typeof value === 'object' && value !== null && 'shape' in value) return value as ReadTensor;
  const numbers =
    typeof value === 'number' ? [value] : Array.isArray(value) ? (value as number[]) : undefined;
  if (numbers === undefined || numbers.some((number) => typeof number !== 'number')) return undefined;
  const shape = typeof value === 'number' ? [] : [numbers.length];
  return { name: '', shape, isFloat: true, values: Float64Array.from(numbers) };
}

/** Nodes that the output depends on. */
function neededNodes(nodes: readonly ReadNode[], output: string): ReadNode[] {
  const needed = new Set([output]);
  const kept: ReadNode[] = [];
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => needed.has(name))) continue;
    kept.unshift(node);
    for (const input of node.inputs) needed.add(input);
  }
  return kept;
}

/** The inputs of the network. @throws UserError that names every input whose shape is open */
function inputsOf(
  model: ReadModel,
  file: string,
  { inputs: given = {} }: ImportOptions,
  builder: GraphBuilder,
  read: ReadonlySet<string>,
): [string, Operand][] {
  const inputs = model.inputs.filter(({ name }) => read.has(name));
  const names = inputs.map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UserError(`${file} has no input ${unknown}; its inputs are ${names.join(', ')}`);
  const problems = inputs.flatMap((input) => {
    const shape = given[input.name] ?? input.shape.slice(1);
    if (shape.every((size) => typeof size === 'number') && fits(input, shape as readonly number[])) return [];
    const sizes = input.shape.slice(1).map((size) => (typeof size === 'number' ? size : '?'));
    return [`${input.name} is [${sizes.join(', ')}] for one sample`];
  });
  if (problems.length > 0)
    throw new UserError(
      `${file} leaves shapes open, or they are given otherwise: ${problems.join('; ')}; give the shape of a sample, as in ` +
        `--input-shape ${names[0]}=3,48,192`,
    );
  return inputs.map((input) => [
    input.name,
    builder.input(input.name, (given[input.name] ?? input.shape.slice(1)) as readonly number[]),
  ]);
}

/** Whether a shape of a sample is one that the input takes. */
function fits({ shape }: ReadValue, given: readonly number[]): boolean {
  const own = shape.slice(1);
  return (
    own.length === given.length && own.every((size, axis) => typeof size === 'string' || size === given[axis])
  );
}
