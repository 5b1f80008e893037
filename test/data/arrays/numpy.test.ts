import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { numpy } from '../../../shared/data/arrays/numpy.js';
import { fieldValues } from '../../../shared/data/field-values.js';
import { temporaryFolder } from '../../support/process.js';
import { pythonWith } from '../../support/python.js';

const PYTHON = pythonWith(['numpy'], 'python3-numpy');

/** Saves what a line of Python says. */
function saved(file: string, code: string): string {
  const path = join(temporaryFolder(), file);
  execFileSync(PYTHON as string, [
    '-c',
    `import numpy as np\nr = np.random.RandomState(0)\nfile = '${path}'\n${code}`,
  ]);
  return path;
}

describe.skipIf(PYTHON === undefined)('NumPy has saved', () => {
  it('arrays for training and test, of all types and orders', async () => {
    const path = saved(
      'mixed.npz',
      `x = np.arange(24).reshape(4, 2, 3)
np.savez(file, c_train=x.astype('<f4'), f_train=np.asfortranarray(x.astype('f8')), big_train=x.astype('>f4'),
  half_train=x.astype('f2'), whole_train=x.astype('>i2'), long_train=x.astype('i8'), bytes_train=x.astype('u1'),
  label_train=np.array([3, 0, -1, 2]), small_train=np.array([1, 2, 3, 255], 'u1'), flag_train=np.array([1, 0, 1, 1], bool),
  price_train=np.array([.5, 1.5, -2, 1e-40]), one_train=np.asfortranarray(x[:, :, 0].astype('f4')))`,
    );
    const { train, test, notes } = await numpy(path, { bytes: { bytes: { scale: 0.5, shift: 1 } } });
    expect(test).toBeUndefined();
    const numbers = Array.from({ length: 24 }, (_, i) => i);
    for (const field of ['c', 'f', 'big', 'half', 'whole', 'long']) {
      expect(train.manifest.fields[field]).toMatchObject({ dtype: 'f32', shape: [2, 3] });
      expect([...fieldValues(train, field)]).toEqual(numbers);
    }
    expect(train.manifest.fields.bytes).toMatchObject({ dtype: 'u8', shape: [2, 3], scale: 0.5, shift: 1 });
    expect([...fieldValues(train, 'bytes')]).toEqual(numbers.map((byte) => byte * 0.5 + 1));
    expect([...fieldValues(train, 'one')]).toEqual(numbers.filter((number) => number % 3 === 0));
    expect(train.manifest.fields.label).toMatchObject({ dtype: 'i32', shape: [] });
    expect([...fieldValues(train, 'label')]).toEqual([3, 0, -1, 2]);
    expect([...fieldValues(train, 'small')]).toEqual([1, 2, 3, 255]);
    expect([...fieldValues(train, 'flag')]).toEqual([1, 0, 1, 1]);
    expect([...fieldValues(train, 'price')]).toEqual([0.5, 1.5, -2, Math.fround(1e-40)]);
    expect(notes).toContain('whole: i2 [4,2,3] as f32 [2, 3]');
  });

  it('arrays that are split by the content of the samples', async () => {
    const code =
      "np.savez_compressed(file, image=r.randint(0, 255, (100, 3, 3)).astype('u1'), y=np.arange(100) % 7)";
    const { train, test } = await numpy(saved('set.npz', code), { names: { label: 'y' } });
    expect(train.manifest.samples + (test?.manifest.samples ?? 0)).toBe(100);
    expect(test?.manifest.samples).toBeGreaterThan(10);
    expect(Object.keys(train.manifest.fields).sort()).toEqual(['image', 'label']);
    const again = await numpy(saved('set.npz', code), { names: { label: 'y' } });
    expect(again.train.manifest.chunkHashes).toEqual(train.manifest.chunkHashes);
  });

  it('a single array', async () => {
    const { train } = await numpy(saved('wave.npy', "np.save(file, r.rand(10, 4).astype('f4'))"), {
      split: { share: 0 },
    });
    expect(train.manifest.fields.wave).toMatchObject({ dtype: 'f32', shape: [4] });
  });

  it.each([
    [
      'objects',
      'np.save(file, np.array([{}, []], dtype=object), allow_pickle=True)',
      'has Python objects; make it an array of numbers',
    ],
    ['texts', "np.save(file, np.array(['a', 'bc']))", 'has texts; number them'],
    [
      'records',
      "np.save(file, np.zeros(3, dtype=[('a', 'f4'), ('b', 'i4')]))",
      'has records with several fields',
    ],
    ['complex numbers', "np.save(file, np.zeros(3, 'c8'))", 'has elements of type <c8; convert them'],
    ['a number', 'np.save(file, np.float32(3))', 'has no samples'],
    ['missing numbers', 'np.save(file, np.array([[1, 2], [3, np.nan]]))', 'has NaN in sample 1: fill it in'],
    ['numbers that are too large', 'np.save(file, np.array([[1], [2**24 + 1]]))', 'has 16777217 in sample 1'],
  ])('%s, which are refused', async (_, code, message) => {
    await expect(numpy(saved('a.npy', code), { split: { share: 0 } })).rejects.toThrow(message);
  });

  it('arrays that do not fit each other: all problems at once', async () => {
    const path = saved(
      'a.npz',
      'np.savez(file, a=np.zeros((3, 2)), b=np.zeros((4, 2)), c=np.full((3, 2), np.inf))',
    );
    await expect(numpy(path)).rejects.toThrow(
      /cannot be used as a data set: b has 4 samples, and a has 3; c has Infinity in sample 0/,
    );
    await expect(numpy(path, { names: { x: 'q' } })).rejects.toThrow(
      'has no array q; its arrays are a, b, c',
    );
  });
});

it('damaged files are refused', async () => {
  const folder = temporaryFolder();
  const write = (file: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, file), bytes);
    return join(folder, file);
  };
  const header = new TextEncoder().encode("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }\n");
  const npy = new Uint8Array([
    0x93,
    ...Buffer.from('NUMPY'),
    1,
    0,
    header.length,
    0,
    ...header,
    ...new Uint8Array(12),
  ]);
  await expect(numpy(write('cut.npy', npy.subarray(0, 70)))).rejects.toThrow('bytes for 3 elements of 4');
  await expect(numpy(write('head.npy', npy.subarray(0, 30)))).rejects.toThrow('its header is cut off');
  await expect(numpy(write('other.npy', Buffer.from('hello')))).rejects.toThrow('it does not begin as one');
  await expect(numpy(write('other.npz', Buffer.from('hello')))).rejects.toThrow('no archive of NumPy');
  await expect(numpy(write('empty.npz', zipSync({ 'a.txt': npy })))).rejects.toThrow('has no arrays');
});
