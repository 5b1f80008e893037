/*
 * Reads ONNX files (onnx.proto3): graphs, operators and tensors. What is read is bounded by the file, whose size the reader bounds.
 */
import { PbfReader } from 'pbf';
import { UserError } from '../../../../shared/errors.js';
import { fromBfloat16, fromFloat16 } from '../../../../shared/files/half-floats.js';
import { elementsOf } from '../../../../shared/graph/shape.js';

/** Element types of tensors (TensorProto.DataType) that are read, and their bytes. */
const TYPES = {
  1: ['float32', 4],
  2: ['uint8', 1],
  3: ['int8', 1],
  6: ['int32', 4],
  7: ['int64', 8],
  9: ['bool', 1],
  10: ['float16', 2],
  11: ['float64', 8],
  16: ['bfloat16', 2],
} as const;
type TypeNumber = keyof typeof TYPES;

/** A constant of a graph. */
export interface ReadTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly isFloat: boolean;
  /** Row-major. Whole numbers are exact up to 2^53. */
  readonly values: Float32Array | Float64Array;
}

/** The value of an attribute: a number, a text, a list of either, or a constant; undefined for what is not read, such as a graph. */
export type ReadAttribute = number | string | readonly number[] | readonly string[] | ReadTensor | undefined;

/** A use of an operator. */
export interface ReadNode {
  readonly op: string;
  /** '' for ONNX's own operators. */
  readonly domain: string;
  readonly name: string;
  /** '' for an input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: ReadonlyMap<string, ReadAttribute>;
}

/** An input or output: the size of each axis, or its name where it is open. */
export interface ReadValue {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly (number | string)[];
}

/** What an ONNX file holds. */
export interface ReadModel {
  readonly opset: number;
  readonly producer: string;
  readonly nodes: readonly ReadNode[];
  readonly constants: readonly ReadTensor[];
  /** Without those that are constants. */
  readonly inputs: readonly ReadValue[];
  readonly outputs: readonly ReadValue[];
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads a file.
 * @param file its name, for errors
 * @throws UserError when it is no ONNX file, or its weights lie in other files
 */
export function decodeOnnx(bytes: Uint8Array, file: string): ReadModel {
  const model = {
    opset: 0,
    producer: '',
    graph: undefined as Graph | undefined,
    metadata: new Map<string, string>(),
  };
  try {
    new PbfReader(bytes).readFields((field, _, pbf) => {
      if (field === 2) model.producer = pbf.readString();
      else if (field === 7) model.graph = readGraph(pbf);
      else if (field === 8) {
        const { domain, version } = readOpset(pbf);
        if (domain === '' || domain === 'ai.onnx') model.opset = version;
      } else if (field === 14) model.metadata.set(...readEntry(pbf));
    }, model);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file} is damaged or no ONNX file; fetch or export it again`);
  }
  const { graph, opset, producer, metadata } = model;
  if (graph === undefined || opset === 0)
    throw new UserError(`${file} is damaged or no ONNX file: it has no graph; fetch or export it again`);
  const constants = new Set(graph.constants.map(({ name }) => name));
  const inputs = graph.inputs.filter(({ name }) => !constants.has(name));
  return { opset, producer, metadata, ...graph, inputs };
}

interface Graph {
  readonly nodes: ReadNode[];
  readonly constants: ReadTensor[];
  readonly inputs: ReadValue[];
  readonly outputs: ReadValue[];
}

/** Reads a message inside of another. */
function message<T extends object>(
  pbf: PbfReader,
  into: T,
  read: (field: number, into: T, pbf: PbfReader) => void,
): T {
  return pbf.readMessage((field, result, reader) => read(field, result as T, reader), into) as T;
}

function readOpset(pbf: PbfReader): { domain: string; version: number } {
  return message(pbf, { domain: '', version: 0 }, (field, to, from) => {
    if (field === 1) to.domain = from.readString();
    else if (field === 2) to.version = from.readVarint();
  });
}

function readEntry(pbf: PbfReader): [string, string] {
  const { key, value } = message(pbf, { key: '', value: '' }, (field, to, from) => {
    if (field === 1) to.key = from.readString();
    else if (field === 2) to.value = from.readString();
  });
  return [key, value];
}

function readGraph(pbf: PbfReader): Graph {
  const graph: Graph = { nodes: [], constants: [], inputs: [], outputs: [] };
  return message(pbf, graph, (field, to, from) => {
    if (field === 1) to.nodes.push(readNode(from));
    else if (field === 5) to.constants.push(readTensor(from));
    else if (field === 11) to.inputs.push(readValue(from));
    else if (field === 12) to.outputs.push(readValue(from));
  });
}

function readNode(pbf: PbfReader): ReadNode {
  const attributes = new Map<string, ReadAttribute>();
  const node = { op: '', domain: '', name: '', inputs: [] as string[], outputs: [] as string[], attributes };
  return message(pbf, node, (field, to, from) => {
    if (field === 1) to.inputs.push(from.readString());
    else if (field === 2) to.outputs.push(from.readString());
    else if (field === 3) to.name = from.readString();
    else if (field === 4) to.op = from.readString();
    else if (field === 5) to.attributes.set(...readAttribute(from));
    else if (field === 7) to.domain = from.readString();
  });
}

/** AttributeProto.AttributeType. */
const KINDS = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

function readAttribute(pbf: PbfReader): [string, ReadAttribute] {
  const found = {
    ...{ name: '', kind: 0, float: 0, int: 0, string: '' },
    tensor: undefined as ReadTensor | undefined,
    floats: [] as number[],
    ints: [] as number[],
    strings: [] as string[],
  };
  message(pbf, found, (field, to, from) => {
    if (field === 1) to.name = from.readString();
    else if (field === 2) to.float = from.readFloat();
    else if (field === 3) to.int = from.readVarint(true);
    else if (field === 4) to.string = from.readString();
    else if (field === 5) to.tensor = readTensor(from);
    else if (field === 7) readFloats(from, to.floats);
    else if (field === 8) readIntegers(from, to.ints);
    else if (field === 9) to.strings.push(from.readString());
    else if (field === 20) to.kind = from.readVarint();
  });
  const kind = Object.entries(KINDS).find(([, number]) => number === found.kind)?.[0] as
    | keyof typeof KINDS
    | undefined;
  return [found.name, kind === undefined ? undefined : found[kind]];
}

/** A repeated field: packed, or one number at a time. */
function readIntegers(pbf: PbfReader, into: number[]): void {
  pbf.readPackedVarint(into, true);
}

function readFloats(pbf: PbfReader, into: number[]): void {
  pbf.readPackedFloat(into);
}

function readTensor(pbf: PbfReader): ReadTensor {
  const found = {
    ...{ name: '', type: 0, isExternal: false },
    shape: [] as number[],
    listed: [] as number[],
    raw: undefined as Uint8Array | undefined,
  };
  message(pbf, found, (field, to, from) => {
    if (field === 1) readIntegers(from, to.shape);
    else if (field === 2) to.type = from.readVarint();
    else if (field === 4) readFloats(from, to.listed);
    else if (field === 5 || field === 7) readIntegers(from, to.listed);
    else if (field === 8) to.name = from.readString();
    else if (field === 9) to.raw = from.readBytes();
    else if (field === 10) from.readPackedDouble(to.listed);
    else if (field === 13 || (field === 14 && from.readVarint() === 1)) to.isExternal = true;
  });
  const { name, type, shape, raw, listed } = found;
  if (found.isExternal)
    throw new UserError(
      `the weights of ${name} lie in another file; save the model as one file (onnx.save_model without external data)`,
    );
  const known = TYPES[type as TypeNumber];
  if (known === undefined)
    throw new UserError(
      `the constant ${name} has elements of type ${type} (TensorProto.DataType), which cannot be read; export the model as float32`,
    );
  const [kind, size] = known;
  const isHalf = kind === 'float16' || kind === 'bfloat16';
  const isFloat = isHalf || kind === 'float32' || kind === 'float64';
  const elements = elementsOf(shape);
  const values = raw === undefined ? listedValues(listed, kind) : rawValues(raw, kind, size);
  if (values.length !== elements)
    throw new UserError(
      `the constant ${name} has ${values.length} numbers for the shape [${shape.join(', ')}]`,
    );
  return { name, shape, isFloat, values: isFloat ? Float32Array.from(values) : Float64Array.from(values) };
}

/** Numbers that stand in lists; those of 16 bits stand as their bits. */
function listedValues(listed: readonly number[], kind: string): readonly number[] {
  if (kind === 'float16') return listed.map(fromFloat16);
  return kind === 'bfloat16' ? listed.map(fromBfloat16) : listed;
}

/** Little-endian numbers. */
function rawValues(raw: Uint8Array, kind: string, size: number): ArrayLike<number> {
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const count = Math.floor(raw.byteLength / size);
  const read: (at: number) => number = {
    float32: (at: number) => view.getFloat32(at, true),
    float64: (at: number) => view.getFloat64(at, true),
    float16: (at: number) => fromFloat16(view.getUint16(at, true)),
    bfloat16: (at: number) => fromBfloat16(view.getUint16(at, true)),
    uint8: (at: number) => view.getUint8(at),
    bool: (at: number) => view.getUint8(at),
    int8: (at: number) => view.getInt8(at),
    int32: (at: number) => view.getInt32(at, true),
    int64: (at: number) => Number(view.getBigInt64(at, true)),
  }[kind] as (at: number) => number;
  if (kind === 'float32') {
    // Bit by bit: a NaN keeps its bits.
    const bits = new Uint32Array(count);
    for (let i = 0; i < count; i++) bits[i] = view.getUint32(4 * i, true);
    return new Float32Array(bits.buffer);
  }
  return Float64Array.from({ length: count }, (_, i) => read(i * size));
}

function readValue(pbf: PbfReader): ReadValue {
  return message(pbf, { name: '', type: 0, shape: [] as (number | string)[] }, (field, to, from) => {
    if (field === 1) to.name = from.readString();
    else if (field === 2)
      message(from, to, (inner, value, type) => {
        if (inner === 1) readTensorType(type, value);
      });
  });
}

function readTensorType(pbf: PbfReader, into: { type: number; shape: (number | string)[] }): void {
  message(pbf, into, (field, to, from) => {
    if (field === 1) to.type = from.readVarint();
    else if (field === 2)
      message(from, to, (inner, value, shape) => {
        if (inner === 1) value.shape.push(readDimension(shape));
      });
  });
}

/** A size, or the name of one that is open. */
function readDimension(pbf: PbfReader): number | string {
  const { size, name } = message(pbf, { size: -1, name: '?' }, (field, to, from) => {
    if (field === 1) to.size = from.readVarint(true);
    else if (field === 2) to.name = from.readString();
  });
  return size >= 0 ? size : name;
}
