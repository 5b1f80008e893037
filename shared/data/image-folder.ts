/*
 * Images in folders, one folder for each class, as Keras and PyTorch read them.
 */
import { readdir } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { UserError } from '../errors.js';
import { explainFileError } from '../files/file-error.js';
import { exists, readBoundedFile } from '../files/read-file.js';
import { sha256Hex } from '../files/sha256.js';
import { type Dataset, packDataset } from './dataset.js';
import { checkSides, type HeldOut, heldOut } from './held-out.js';
import { readPng } from './png.js';

export interface ImageFolderOptions {
  /** Default: rgb. */
  readonly colorMode?: 'grayscale' | 'rgb';
  /** What is held out, by a keyed hash of the file, where the folder itself has no `train` and `test`. Default: a fifth. */
  readonly split?: HeldOut;
}

/** Images as they are learned from. */
export interface ImageFolderData {
  /** Fields: `image` (u8 [height, width, 1 or 3], seen as 0 to 1) and `label` (i32 []). */
  readonly train: Dataset;
  readonly test: Dataset;
  /** The folders' names by class number, in the order of code points. */
  readonly classes: readonly string[];
}

/** Largest file of an image. */
const FILE_BYTES_MAX = 2 ** 26;
/** Largest data set, unpacked: it is held in memory. */
const BYTES_MAX = 2 ** 31;
/** Files that are images, but of a kind that is not read; any other file is none of ours. */
const OTHER_IMAGES = /^\.(jpe?g|gif|bmp|webp|tiff?|avif|heic|ppm|pgm)$/i;

/**
 * Reads the PNG files in DIRECTORY/CLASS/, all of one size, as readPng does; or those in DIRECTORY/train/CLASS/ to learn
 * from, and those in DIRECTORY/test/CLASS/ to be measured on. Files and folders whose names begin with a dot are left out.
 * @throws UserError that names the file and the mend
 */
export async function imageFolder(
  directory: string,
  { colorMode = 'rgb', split = {} }: ImageFolderOptions = {},
): Promise<ImageFolderData> {
  const inner = await foldersIn(directory);
  const isSplit = inner.length === 2 && inner.includes('train') && inner.includes('test');
  const classes = isSplit ? await foldersIn(join(directory, 'train')) : inner;
  if (isSplit) await refuseOtherClasses(directory, classes);
  if (classes.length === 0)
    throw new UserError(
      `${directory} has no folders; make one for each class, with its images, such as ${join(directory, 'cats', '1.png')}`,
    );
  const channels = colorMode === 'rgb' ? 3 : 1;
  const train = new Gathering(channels);
  const test = new Gathering(channels);
  // Before hours of work, not after.
  const isHeldOut = heldOut(split);
  for (const [label, name] of classes.entries())
    for (const side of isSplit ? ['train', 'test'] : [''])
      for (const path of await imagesIn(join(directory, side, name))) {
        const bytes = await readBoundedFile(path, FILE_BYTES_MAX);
        const isTest = isSplit ? side === 'test' : isHeldOut(bytes);
        (isTest ? test : train).add(path, bytes, label);
      }
  checkSides(directory, { train: train.samples, test: test.samples });
  train.refuseOtherSize(test);
  const name =
    basename(resolve(directory))
      .replace(/[^\w-]+/g, '-')
      .slice(0, 80) || 'images';
  return { train: train.pack(`${name}-train`), test: test.pack(`${name}-test`), classes };
}

/** Images of one size, as they come. */
class Gathering {
  private first: { readonly path: string; readonly width: number; readonly height: number } | undefined;
  private readonly images: Uint8Array[] = [];
  private readonly labels: number[] = [];
  private bytes = 0;

  constructor(private readonly channels: 1 | 3) {}

  get samples(): number {
    return this.images.length;
  }

  add(path: string, file: Uint8Array, label: number): void {
    const { width, height, pixels } = readPng(file, path, this.channels);
    this.first ??= { path, width, height };
    refuseSizes(this.first, { path, width, height });
    this.bytes += pixels.length;
    if (this.bytes > BYTES_MAX)
      throw new UserError(
        `the images up to ${path} take more than ${BYTES_MAX} bytes; make them smaller or fewer`,
      );
    this.images.push(pixels);
    this.labels.push(label);
  }

  refuseOtherSize({ first }: Gathering): void {
    if (this.first !== undefined && first !== undefined) refuseSizes(this.first, first);
  }

  pack(name: string): Dataset {
    const { width = 0, height = 0 } = this.first ?? {};
    const size = width * height * this.channels;
    const bytes = new Uint8Array(this.samples * size);
    this.images.forEach((pixels, i) => {
      bytes.set(pixels, i * size);
    });
    const image = {
      dtype: 'u8',
      shape: [height, width, this.channels],
      bytes,
      scale: Math.fround(1 / 255),
      shift: 0,
    } as const;
    const labels = new Uint8Array(Int32Array.from(this.labels).buffer);
    const label = { dtype: 'i32', shape: [], bytes: labels, scale: 1, shift: 0 } as const;
    return packDataset(name, this.samples, { image, label }, sha256Hex);
  }
}

interface Sized {
  readonly path: string;
  readonly width: number;
  readonly height: number;
}

function refuseSizes(first: Sized, other: Sized): void {
  if (first.width === other.width && first.height === other.height) return;
  throw new UserError(
    `${other.path} has ${other.width} x ${other.height} pixels, and ${first.path} has ${first.width} x ${first.height}; ` +
      `bring all to one size: magick mogrify -resize ${first.width}x${first.height}! FOLDER/*.png`,
  );
}

async function refuseOtherClasses(directory: string, classes: readonly string[]): Promise<void> {
  for (const name of await foldersIn(join(directory, 'test')))
    if (!classes.includes(name))
      throw new UserError(
        `${join(directory, 'test', name)} is a class that ${join(directory, 'train')} does not have; ` +
          `its classes are ${classes.join(', ')}`,
      );
}

async function foldersIn(directory: string): Promise<string[]> {
  return (await entriesOf(directory)).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}

/** The PNG files of a class; none where there is no such folder: of some, nothing need be held out. */
async function imagesIn(directory: string): Promise<string[]> {
  if (!(await exists(directory))) return [];
  return (await entriesOf(directory)).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory())
      throw new UserError(
        `${path} is a folder in the folder of a class; put the images of a class side by side`,
      );
    const kind = extname(entry.name).toLowerCase();
    if (OTHER_IMAGES.test(kind))
      throw new UserError(
        `${path} is no PNG; convert such files: magick mogrify -format png ${join(directory, `*${kind}`)}`,
      );
    return kind === '.png' ? [path] : [];
  });
}

/** What stands in a folder, in the order of code points. */
async function entriesOf(directory: string) {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith('.')).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw explainFileError(error, `cannot read the images in ${directory}`);
  }
}
