/*
 * The messages of ONNX files (onnx.proto3, IR version 8), as far as they are written here.
 */
import { PbfWriter } from 'pbf';

/** Element types of tensors (TensorProto.DataType). */
export const FLOAT = 1;
export const INT64 = 7;
export const BOOL = 9;

/** A constant. */
export interface OnnxTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: typeof FLOAT | typeof INT64 | typeof BOOL;
  /** Little-endian. */
  readonly bytes: Uint8Array;
}

/** An attribute of an operator. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly string: string }
  | { readonly ints: readonly number[] }
  | { readonly strings: readonly string[] };

/** A use of an operator. An input '' is left out. */
export interface OnnxNode {
  readonly op: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** An input or output of a graph: float32, with the batch as the first axis. */
export interface OnnxValue {
  readonly name: string;
  /** Shape of a sample. */
  readonly shape: readonly number[];
}

export interface OnnxModel {
  readonly name: string;
  readonly opset: number;
  /** Version of the program that wrote it. */
  readonly version: string;
  readonly nodes: readonly OnnxNode[];
  readonly constants: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly metadata: Readonly<Record<string, string>>;
}

const IR_VERSION = 8;
/** Name of the first axis. */
const BATCH = 'batch';
/** AttributeProto.AttributeType. */
const TYPES = { float: 1, int: 2, string: 3, ints: 7, strings: 8 } as const;

/** The bytes of a model file. */
export function encodeModel(model: OnnxModel): Uint8Array {
  const pbf = new PbfWriter();
  pbf.writeVarintField(1, IR_VERSION);
  pbf.writeStringField(2, 'unisum');
  pbf.writeStringField(3, model.version);
  pbf.writeMessage(7, writeGraph, model);
  pbf.writeMessage(8, writeOpset, model.opset);
  for (const [key, value] of Object.entries(model.metadata)) pbf.writeMessage(14, writeEntry, { key, value });
  return pbf.finish();
}

function writeOpset(opset: number, pbf: PbfWriter): void {
  pbf.writeStringField(1, '');
  pbf.writeVarintField(2, opset);
}

function writeEntry({ key, value }: { readonly key: string; readonly value: string }, pbf: PbfWriter): void {
  pbf.writeStringField(1, key);
  pbf.writeStringField(2, value);
}

function writeGraph({ name, nodes, constants, inputs, outputs }: OnnxModel, pbf: PbfWriter): void {
  for (const node of nodes) pbf.writeMessage(1, writeNode, node);
  pbf.writeStringField(2, name);
  for (const constant of constants) pbf.writeMessage(5, writeTensor, constant);
  for (const input of inputs) pbf.writeMessage(11, writeValue, input);
  for (const output of outputs) pbf.writeMessage(12, writeValue, output);
}

function writeNode({ op, name, inputs, outputs, attributes }: OnnxNode, pbf: PbfWriter): void {
  for (const input of inputs) pbf.writeStringField(1, input);
  for (const output of outputs) pbf.writeStringField(2, output);
  pbf.writeStringField(3, name);
  pbf.writeStringField(4, op);
  for (const [key, value] of Object.entries(attributes)) pbf.writeMessage(5, writeAttribute, { key, value });
}

function writeAttribute(
  { key, value }: { readonly key: string; readonly value: OnnxAttribute },
  pbf: PbfWriter,
): void {
  const text = new TextEncoder();
  pbf.writeStringField(1, key);
  if ('float' in value) pbf.writeFloatField(2, value.float);
  else if ('int' in value) pbf.writeVarintField(3, value.int);
  else if ('string' in value) pbf.writeBytesField(4, text.encode(value.string));
  else if ('ints' in value) for (const int of value.ints) pbf.writeVarintField(8, int);
  else for (const string of value.strings) pbf.writeBytesField(9, text.encode(string));
  const [kind] = Object.keys(value) as [keyof typeof TYPES];
  pbf.writeVarintField(20, TYPES[kind]);
}

function writeTensor({ name, shape, type, bytes }: OnnxTensor, pbf: PbfWriter): void {
  for (const size of shape) pbf.writeVarintField(1, size);
  pbf.writeVarintField(2, type);
  pbf.writeStringField(8, name);
  pbf.writeBytesField(9, bytes);
}

function writeValue({ name, shape }: OnnxValue, pbf: PbfWriter): void {
  pbf.writeStringField(1, name);
  pbf.writeMessage(2, writeType, shape);
}

function writeType(shape: readonly number[], pbf: PbfWriter): void {
  pbf.writeMessage(1, writeTensorType, shape);
}

function writeTensorType(shape: readonly number[], pbf: PbfWriter): void {
  pbf.writeVarintField(1, FLOAT);
  pbf.writeMessage(2, writeShape, shape);
}

function writeShape(shape: readonly number[], pbf: PbfWriter): void {
  for (const size of [BATCH, ...shape]) pbf.writeMessage(1, writeDimension, size);
}

function writeDimension(size: number | string, pbf: PbfWriter): void {
  if (typeof size === 'string') pbf.writeStringField(2, size);
  else pbf.writeVarintField(1, size);
}
