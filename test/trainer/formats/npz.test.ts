import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { encodeNpz } from '../../../trainer/formats/npz.js';
import { temporaryFolder } from '../../support/process.js';
import { pythonWith } from '../../support/python.js';

const PYTHON = pythonWith(['numpy'], 'python3-numpy');

const TENSORS = [
  { name: 'dense/kernel', shape: [2, 3], values: Float32Array.of(1, -2.5, 3, 4, 1e-45, 3.4e38) },
  { name: 'dense/bias', shape: [3], values: Float32Array.of(0, -0, 7) },
  { name: 'scale', shape: [], values: Float32Array.of(0.1) },
];

it.skipIf(PYTHON === undefined)('NumPy reads the names, shapes and bits of an archive', () => {
  const file = join(temporaryFolder(), 'model.npz');
  writeFileSync(file, encodeNpz(TENSORS));
  const script =
    'import json, sys, numpy\n' +
    'a = numpy.load(sys.argv[1])\n' +
    'print(json.dumps({k: [str(a[k].dtype), list(a[k].shape), a[k].tobytes().hex()] for k in a.files}))';
  const read: unknown = JSON.parse(
    execFileSync(PYTHON as string, ['-c', script, file], { encoding: 'utf8' }),
  );
  const hex = (values: Float32Array) => Buffer.from(values.buffer).toString('hex');
  expect(read).toEqual(
    Object.fromEntries(TENSORS.map(({ name, shape, values }) => [name, ['float32', shape, hex(values)]])),
  );
});

it('equal tensors are equal bytes', () => {
  expect(encodeNpz(TENSORS)).toEqual(encodeNpz([...TENSORS].reverse()));
});
