import { FILE_BYTES_MAX } from '../../shared/data/class-folders.js';
import { findClasses } from '../../shared/data/class-tree.js';
import {
  IMAGES,
  type ImageFolderData,
  type ImageFolderOptions,
  imageFolder,
} from '../../shared/data/images/image-folder.js';
import { type ImageHeader, readImageHeader } from '../../shared/data/images/read-image.js';
import { UserError } from '../../shared/errors.js';
import { readBoundedFile } from '../../shared/files/read-file.js';
import { dataLine, holdsMost, inspectFolder } from './class-folder-inspection.js';
import type { Inspection, Inspector, RecipeDraft } from './inspection.js';
import { trainingSize } from './training-size.js';

/** Images of one size are not resized up to this side. Others become squares of at most the second. */
const [KEPT_SIDE_MAX, SUGGESTED_SIDE_MAX] = [96, 64];
const IMAGE = /^\.(png|jpe?g|gif|bmp|webp|tiff?|avif|hei[cf]|jfif|ppm|pgm)$/i;
const SOUND = /^\.(wav|mp3|ogg|opus|flac|m4a|aac|wma|aiff?)$/i;

/** Images in folders. */
export const imageInspector: Inspector = {
  what: 'a folder of images, with a folder for each class (PNG, JPEG)',
  handles: (path) => holdsMost(path, IMAGE, SOUND),
  inspect: inspectImages,
};

async function inspectImages(path: string): Promise<Inspection> {
  const { options, reasons } = await suggestOptions(path);
  return await inspectFolder(
    'images',
    options,
    reasons,
    () => imageFolder(path, options),
    (data) => draft(path, options, data),
  );
}

/** Suggests options from the headers of all images. */
async function suggestOptions(
  directory: string,
): Promise<{ options: ImageFolderOptions; reasons: string[] }> {
  const headers: ImageHeader[] = [];
  try {
    for (const { path } of (await findClasses(directory, IMAGES)).files) {
      const header = await headerOf(path);
      if (header !== undefined) headers.push(header);
    }
  } catch (error) {
    // Reading the folder reports this error.
    if (!(error instanceof UserError)) throw error;
  }
  const reasons: string[] = [];
  const isGrey = headers.length > 0 && headers.every((header) => header.isGrey);
  if (isGrey) reasons.push("colorMode: 'grayscale', since all images are grey");
  const size = suggestSize(headers, reasons);
  return {
    options: {
      ...(isGrey && { colorMode: 'grayscale' }),
      ...(size !== undefined && { size: [size, size], fit: 'cover' }),
    },
    reasons,
  };
}

async function headerOf(path: string): Promise<ImageHeader | undefined> {
  try {
    return readImageHeader(await readBoundedFile(path, FILE_BYTES_MAX), path);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Suggests the side of a square; undefined when no resizing is needed. */
function suggestSize(headers: readonly ImageHeader[], reasons: string[]): number | undefined {
  const sizes = new Set(headers.map(({ width, height }) => `${width} x ${height}`));
  const longest = Math.max(0, ...headers.map(({ width, height }) => Math.max(width, height)));
  if (headers.length === 0 || (sizes.size === 1 && longest <= KEPT_SIDE_MAX)) return undefined;
  const shorter = headers.map(({ width, height }) => Math.min(width, height)).sort((a, b) => a - b);
  const middle = shorter[Math.floor(shorter.length / 2)] as number;
  const size = Math.max(16, 16 * Math.round(Math.min(middle, SUGGESTED_SIDE_MAX) / 16));
  const why =
    sizes.size === 1
      ? `training on ${[...sizes][0]} pixels takes long`
      : `the images have ${sizes.size} sizes; the median of their shorter sides is ${middle} pixels`;
  reasons.push(
    `size: [${size}, ${size}], since ${why}`,
    "fit: 'cover' crops; 'contain' pads with black, 'stretch' does not keep the aspect ratio",
  );
  return size;
}

/** A small convolutional network. */
function draft(
  path: string,
  options: ImageFolderOptions,
  { train, preprocessing }: ImageFolderData,
): RecipeDraft {
  const blocks: string[] = [];
  let side = Math.min(...preprocessing.size);
  for (let filters = 16; side >= 8 && filters <= 64; filters *= 2, side = Math.floor(side / 2))
    blocks.push(
      `      conv2d(${filters}, 3, { padding: 'same', activation: 'relu' }),`,
      '      maxPooling2d(),',
    );
  return {
    imports: {
      'data/dataset': ['shapeOf'],
      'data/images/image-folder': ['imageFolder'],
      graph: ['Graph'],
      'layers/augmentation': ['randomTranslation'],
      'layers/conv2d': ['conv2d'],
      'layers/dense': ['dense'],
      'layers/pooling':
        blocks.length > 0 ? ['globalAveragePooling2d', 'maxPooling2d'] : ['globalAveragePooling2d'],
      'layers/sequential': ['sequential'],
      'losses/sparse-categorical-crossentropy': ['sparseCategoricalCrossentropy'],
      'optim/adam': ['adam'],
      'optim/early-stopping': ['earlyStopping'],
      'optim/schedule': ['cosineDecay'],
    },
    summary: `the class of an image in ${path.split(/[/\\]/).filter(Boolean).at(-1)}`,
    body: [
      '  model({ train, classes = [] }) {',
      '    const graph = new Graph();',
      '    const network = sequential([',
      '      randomTranslation(0.1, 0.1),',
      ...blocks,
      "      conv2d(64, 3, { padding: 'same', activation: 'relu' }),",
      '      globalAveragePooling2d(),',
      "      dense(classes.length, { activation: 'softmax' }),",
      '    ]);',
      "    const output = network(graph.input('image', shapeOf(train, 'image')));",
      "    return graph.model(output, sparseCategoricalCrossentropy({ target: 'label' }));",
      '  },',
      dataLine(path, 'imageFolder', options),
      '  optimizer: adam({ learningRate: 0.003 }),',
      '  schedule: cosineDecay(),',
      '  earlyStopping: earlyStopping({ patience: 20 }),',
      ...trainingSize(train.manifest.samples),
    ].join('\n'),
  };
}
