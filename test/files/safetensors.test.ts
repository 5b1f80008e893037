import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AssertionError, UserError } from '../../shared/errors.js';
import { loadSafetensors, saveSafetensors } from '../../shared/files/safetensors.js';
import { decodeSafetensors } from '../../shared/files/safetensors-decoding.js';
import { encodeSafetensors } from '../../shared/files/safetensors-encoding.js';
import { sha256Hex } from '../../shared/files/sha256.js';
import { type Tensor, weightsSha256 } from '../../shared/files/tensors.js';

/** Written by the reference library (Python safetensors 0.8.0) from the tensors of EXAMPLE. */
const REFERENCE_FILE = Buffer.from(
  'KAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJwcm9kdWNlciI6InJlZmVyZW5jZSJ9LCJkZW5zZS5iaWFzIjp7ImR0eXBlIjoiRjMyIiwic2hh' +
    'cGUiOlszXSwiZGF0YV9vZmZzZXRzIjpbMCwxMl19LCJkZW5zZS53ZWlnaHRzIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDNdLCJkYXRh' +
    'X29mZnNldHMiOlsxMiwzNl19LCJlbXB0eSI6eyJkdHlwZSI6IkYzMiIsInNoYXBlIjpbMCw0XSwiZGF0YV9vZmZzZXRzIjpbMzYsMzZdfSwi' +
    'c2NhbGUiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzM2LDQwXX19ICAgIAAAgD8AAABAAABAQAAAgD8AAADA' +
    'AAAAPwAAUEAAAACAwhYBAAAA4EA=',
  'base64',
);
const EXAMPLE: readonly Tensor[] = [
  { name: 'dense.weights', shape: [2, 3], values: Float32Array.of(1, -2, 0.5, 3.25, -0, 1e-40) },
  { name: 'scale', shape: [], values: Float32Array.of(7) },
  { name: 'dense.bias', shape: [3], values: Float32Array.of(1, 2, 3) },
  { name: 'empty', shape: [0, 4], values: new Float32Array() },
];

function encode(tensors: readonly Tensor[], metadata?: Record<string, string>): Buffer {
  return Buffer.concat([...encodeSafetensors(tensors, metadata)]);
}

/** A file with the given header. */
function fileOf(header: string, dataBytes: number, claimed = Buffer.byteLength(header)): Uint8Array {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(claimed));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(dataBytes)]);
}

describe('safetensors', () => {
  it('are written with the same bytes as by the reference library', () => {
    expect(encode(EXAMPLE, { producer: 'reference' }).equals(REFERENCE_FILE)).toBe(true);
  });

  it('are read as the reference library wrote them, at any address', () => {
    const odd = Buffer.concat([Buffer.alloc(3), REFERENCE_FILE]).subarray(3);
    const { tensors, metadata } = decodeSafetensors(odd, 'f');
    expect(metadata).toEqual({ producer: 'reference' });
    expect(tensors.map(({ name }) => name)).toEqual(['dense.bias', 'dense.weights', 'empty', 'scale']);
    for (const { name, shape, values } of EXAMPLE) {
      const read = tensors.find((tensor) => tensor.name === name);
      expect(read?.shape).toEqual(shape);
      expect(Object.is(read?.values[4], values[4])).toBe(true);
      expect(read?.values).toEqual(values);
    }
  });

  it('begin their data at a multiple of 8 bytes', () => {
    for (let length = 1; length < 20; length++) {
      const file = encode([{ name: 'x'.repeat(length), shape: [1], values: Float32Array.of(1) }]);
      expect(Number(file.readBigUInt64LE()) % 8).toBe(0);
      expect(decodeSafetensors(file, 'f').tensors[0]?.name.length).toBe(length);
    }
  });

  it('may have names that every object has, such as toString', () => {
    const names = ['__proto__', 'constructor', '0'].map((name) => ({
      name,
      shape: [1],
      values: Float32Array.of(2),
    }));
    const { tensors } = decodeSafetensors(encode(names), 'f');
    expect(tensors.map(({ name }) => name)).toEqual(['0', '__proto__', 'constructor']);
  });

  const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') =>
    JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
  it('are read in any order of the header', () => {
    const file = fileOf(`{"b":${entry(8, 12)},"empty":${entry(8, 8)},"a":${entry(0, 8)}}`, 12);
    expect(decodeSafetensors(file, 'f').tensors.map(({ name }) => name)).toEqual(['a', 'empty', 'b']);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(), /too short/],
    ['a header beyond the file', fileOf('{}', 0, 3), /claims a header of 3/],
    ['a header beyond all memory', fileOf('{}', 0, Number.MAX_SAFE_INTEGER), /claims a header/],
    ['text', Buffer.from('this is not a file of tensors'), /claims a header/],
    ['a header that is not JSON', fileOf('{"a":', 0), /not a JSON object/],
    ['a header that is not an object', fileOf('[]', 0), /not a JSON object/],
    ['a header of null', fileOf('null', 0), /not a JSON object/],
    ['a header that is not UTF-8', fileOf('{"\u{0}"}', 0).fill(0xff, 9, 10), /not a JSON object/],
    ['metadata that is not text', fileOf('{"__metadata__":{"a":1}}', 0), /malformed __metadata__/],
    ['an entry of nothing', fileOf('{"a":null}', 0), /"a" in a malformed way/],
    ['integers', fileOf(`{"a":${entry(0, 4, [2], 'I16')}}`, 4), /"a" as "I16"/],
    ['half of the bytes of F16', fileOf(`{"a":${entry(0, 4, [4], 'F16')}}`, 4), /"a" bytes that do not fit/],
    ['a negative offset', fileOf(`{"a":${entry(-4, 0)}}`, 0), /malformed/],
    ['a negative size', fileOf(`{"a":${entry(4, 0)}}`, 4), /malformed/],
    ['a shape that does not fit', fileOf(`{"a":${entry(0, 8, [3])}}`, 8), /do not fit its shape/],
    ['a shape that overflows', fileOf(`{"a":${entry(0, 4, Array(16).fill(2 ** 30))}}`, 4), /do not fit/],
    ['a gap', fileOf(`{"a":${entry(0, 4)},"b":${entry(8, 12)}}`, 12), /gap or an overlap before tensor "b"/],
    ['an overlap', fileOf(`{"a":${entry(0, 8)},"b":${entry(4, 12)}}`, 12), /gap or an overlap/],
    ['a name twice', fileOf(`{"a":${entry(0, 4)},"a":${entry(4, 8)}}`, 8), /names "a" twice/],
    [
      'a name twice, once escaped',
      fileOf(`{"a":${entry(0, 4)},"\\u0061" :${entry(0, 4)}}`, 4),
      /names "a" twice/,
    ],
    [
      'a part of an entry twice',
      fileOf(`{"a":{"dtype":"F16",${entry(0, 4).slice(1)}}`, 4),
      /names "dtype" twice/,
    ],
    ['metadata twice', fileOf('{"__metadata__":{"a":"1","b":"{\\"a\\":1}","a":"2"}}', 0), /names "a" twice/],
    [
      'the same bytes for two tensors',
      fileOf(`{"a":${entry(0, 4)},"b":${entry(0, 4)}}`, 4),
      /gap or an overlap/,
    ],
    ['a truncated file', REFERENCE_FILE.subarray(0, -1), /has 39 bytes of tensors and describes 40/],
    ['bytes at the end', Buffer.concat([REFERENCE_FILE, Buffer.alloc(4)]), /has 44 bytes/],
    ['a name of many lines', fileOf(`{"a\\nb":0}`, 0), /"a\\nb" in a malformed/],
  ])('are refused with %s, naming the file and the fix', (_, bytes, message) => {
    expect(() => decodeSafetensors(bytes, 'dir/w.safetensors')).toThrow(UserError);
    expect(() => decodeSafetensors(bytes, 'dir/w.safetensors')).toThrow(message);
    expect(() => decodeSafetensors(bytes, 'dir/w.safetensors')).toThrow(/^dir\/w.* save or fetch it again$/);
  });

  it('are read completely or refused when any byte is altered', () => {
    fc.assert(
      fc.property(fc.nat(REFERENCE_FILE.length - 1), fc.nat(255), (at, value) => {
        const file = Buffer.from(REFERENCE_FILE);
        file[at] = value;
        try {
          for (const { shape, values } of decodeSafetensors(file, 'f').tensors) {
            expect(values.length).toBe(shape.reduce((a, b) => a * b, 1));
          }
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it.each<[string, readonly Tensor[]]>([
    ['a duplicate name', [EXAMPLE[1] as Tensor, EXAMPLE[1] as Tensor]],
    ['an empty name', [{ name: '', shape: [1], values: new Float32Array(1) }]],
    ['a name that sorts differently elsewhere', [{ name: 'é', shape: [1], values: new Float32Array(1) }]],
    ['values that do not fit the shape', [{ name: 'a', shape: [2, 2], values: new Float32Array(3) }]],
  ])('are not written with %s', (_, tensors) => {
    expect(() => encode(tensors)).toThrow(AssertionError);
    expect(() => weightsSha256(tensors)).toThrow(AssertionError);
  });
});

describe('weightsSha256', () => {
  it('is SHA-256 over the little-endian floats in name order (computed with Python struct and hashlib)', () => {
    expect(weightsSha256(EXAMPLE)).toBe('a4c7ea4dbfd80dc49bd22aabbc95bbc4af9df9c6b7bf149a10fc91de42270b7b');
    const bytes = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0];
    const [a, b] = [Float32Array.of(1), Float32Array.of(-2)];
    expect(
      weightsSha256([
        { name: 'b', shape: [1], values: b },
        { name: 'a', shape: [1], values: a },
      ]),
    ).toBe(sha256Hex(Uint8Array.from(bytes)));
  });

  it('is the hash of all bytes after the header of the file', () => {
    const file = encode(EXAMPLE);
    expect(sha256Hex(file.subarray(8 + Number(file.readBigUInt64LE())))).toBe(weightsSha256(EXAMPLE));
  });

  it('is the same for every NaN, and differs between -0 and 0 and with every other bit', () => {
    const hashOf = (bits: number) =>
      weightsSha256([{ name: 'a', shape: [1], values: new Float32Array(Uint32Array.of(bits).buffer) }]);
    const nans = [0x7fc00000, 0xffc00000, 0x7f800001, 0x7fffffff, 0xff800001].map(hashOf);
    expect(new Set(nans)).toEqual(new Set([sha256Hex(Uint8Array.of(0, 0, 0xc0, 0x7f))]));
    const numbers = [0, 0x80000000, 1, 0x80000001, 0x7f800000, 0xff800000, 0x3f800000, 0x3f800001].map(
      hashOf,
    );
    expect(new Set(numbers).size).toBe(numbers.length);
    expect(numbers).not.toContain(nans[0]);
  });

  it('reads weights that lie in shared memory, at any offset', () => {
    const shared = new Float32Array(new SharedArrayBuffer(64), 4, 3);
    shared.set([1, 2, 3]);
    const own = { name: 'a', shape: [3], values: Float32Array.of(1, 2, 3) };
    expect(weightsSha256([{ ...own, values: shared }])).toBe(weightsSha256([own]));
    expect(encode([{ ...own, values: shared }]).equals(encode([own]))).toBe(true);
  });
});

describe('files of tensors', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'unisum-files-'));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('are saved and loaded', async () => {
    const path = join(directory, 'a.safetensors');
    await saveSafetensors(path, EXAMPLE, { producer: 'reference' });
    expect((await readFile(path)).equals(REFERENCE_FILE)).toBe(true);
    expect(weightsSha256((await loadSafetensors(path)).tensors)).toBe(weightsSha256(EXAMPLE));
  });

  it('are refused by name when missing or damaged', async () => {
    const missing = join(directory, 'missing.safetensors');
    await expect(loadSafetensors(missing)).rejects.toThrow(
      `cannot read ${missing}: no such file or directory`,
    );
    const damaged = join(directory, 'damaged.safetensors');
    await writeFile(damaged, REFERENCE_FILE.subarray(0, 100));
    await expect(loadSafetensors(damaged)).rejects.toThrow(`${damaged} claims a header of 296 bytes`);
  });
});

describe('files of half the size', () => {
  it.each([
    ['F16', Float32Array.of(1, -2, 0.5, 3.25, -0, 0), [0x3c00, 0xc000, 0x3800, 0x4280, 0x8000, 0]],
    [
      'BF16',
      Float32Array.of(1, -2, 0.5, 3.25, -0, 9.183549615799121e-41),
      [0x3f80, 0xc000, 0x3f00, 0x4050, 0x8000, 1],
    ],
  ] as const)('keep numbers as %s, and give back what they kept', (dtype, kept, codes) => {
    // Neither type can represent 1e-40.
    const bytes = Buffer.concat([...encodeSafetensors(EXAMPLE, {}, dtype)]);
    const { tensors } = decodeSafetensors(bytes, 'file');
    expect(tensors.map(({ name, shape }) => [name, shape])).toEqual([
      ['dense.bias', [3]],
      ['dense.weights', [2, 3]],
      ['empty', [0, 4]],
      ['scale', []],
    ]);
    const weights = tensors.find(({ name }) => name === 'dense.weights')?.values;
    expect(weights).toEqual(kept);
    const data = bytes.subarray(8 + Number(bytes.readBigUInt64LE(0)));
    expect(data).toHaveLength(2 * (3 + 6 + 0 + 1));
    expect(codes.map((_, i) => data.readUInt16LE(2 * (3 + i)))).toEqual(codes);
  });
});
