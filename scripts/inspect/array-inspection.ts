import { numpy } from '../../shared/data/arrays/numpy.js';
import type { Dataset } from '../../shared/data/dataset.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { isRawFolder, rawFolder } from '../../shared/data/raw-folder.js';
import { UserError } from '../../shared/errors.js';
import type { Inspection, Inspector, RecipeDraft } from './inspection.js';
import { quote } from './recipe-text.js';
import { trainingSize } from './training-size.js';

/** Names that a target usually has. */
const TARGETS = ['label', 'labels', 'target', 'y'];

/** Arrays of NumPy. */
export const arrayInspector: Inspector = {
  what: 'arrays of NumPy (.npz, .npy)',
  handles: async (path) => /\.np[yz]$/i.test(path),
  inspect: async (path, { target }) => inspectArrays(path, NUMPY, target),
};

/** Raw samples with a dataset.json. */
export const rawFolderInspector: Inspector = {
  what: 'a folder of raw samples, with a dataset.json',
  handles: isRawFolder,
  inspect: async (path, { target }) => inspectArrays(path, RAW_FOLDER, target),
};

interface Arrays {
  readonly train: Dataset;
  readonly test?: Dataset;
  /** Class names by number, if the data have them. */
  readonly classes?: readonly string[];
  readonly notes: readonly string[];
}

/** What reads arrays, here and in a recipe. */
interface ArrayReader {
  readonly name: string;
  readonly module: string;
  /** Whether the recipe says how bytes are scaled; otherwise the data do. */
  readonly scalesBytes: boolean;
  read(path: string): Promise<Arrays>;
}

const NUMPY: ArrayReader = { name: 'numpy', module: 'data/arrays/numpy', scalesBytes: true, read: numpy };
const RAW_FOLDER: ArrayReader = {
  name: 'rawFolder',
  module: 'data/raw-folder',
  scalesBytes: false,
  read: rawFolder,
};

async function inspectArrays(
  path: string,
  reader: ArrayReader,
  wanted: string | undefined,
): Promise<Inspection> {
  const { train, test, classes: names, notes } = await reader.read(path);
  const fields = Object.entries(train.manifest.fields);
  const single = fields
    .filter(([, { shape, dtype }]) => shape.length === 0 && dtype !== 'u8')
    .map(([name]) => name);
  if (wanted !== undefined && !single.includes(wanted))
    throw new UserError(
      `${path} has no array ${wanted} with one number a sample; ${single.length === 0 ? 'it has none at all' : `it has ${single.join(', ')}`}`,
      2,
    );
  const target =
    wanted ??
    TARGETS.find((name) => single.includes(name)) ??
    single.find((name) => train.manifest.fields[name]?.dtype === 'i32') ??
    single[0];
  const inputs = fields.map(([name]) => name).filter((name) => name !== target);
  const counts = `${train.manifest.samples} training samples${test === undefined ? '' : `, ${test.manifest.samples} test samples`}`;
  const lines = [...notes, counts];
  const result = {
    kind: 'arrays',
    fields: train.manifest.fields,
    samples: train.manifest.samples,
    target: target ?? null,
  };
  if (target === undefined || inputs.length === 0) {
    const why =
      target === undefined
        ? 'no array has one number a sample, to be predicted'
        : 'there is no array to predict it from';
    return { lines: [...lines, `problem: ${why}`], result, recipe: undefined };
  }
  const isClass = train.manifest.fields[target]?.dtype === 'i32';
  const classes = isClass ? classesOf(path, train, target, names) : undefined;
  lines.push(
    `target ${target}${wanted === undefined ? ' (a guess; --target takes another)' : ''}: ${classes === undefined ? 'a number' : `${classes} classes`}`,
    ...(reader.scalesBytes ? bytesOf(train, inputs).map((name) => `${name}: bytes, scaled to 0 to 1`) : []),
  );
  return { lines, result, recipe: draft(path, reader, train, { inputs, target, classes }) };
}

/** Labels count from 0. @throws UserError when they do not, or are more than the names of classes */
function classesOf(
  path: string,
  train: Dataset,
  target: string,
  names: readonly string[] | undefined,
): number {
  const labels = fieldValues(train, target);
  const [least, most] = labels.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [
    Number.POSITIVE_INFINITY,
    0,
  ] as [number, number]);
  if (names !== undefined && most >= names.length)
    throw new UserError(
      `${path}: ${target} has the label ${most}, and there are ${names.length} names of classes, for the labels from 0 to ${names.length - 1}; add the missing names`,
    );
  if (least >= 0) return names?.length ?? most + 1;
  throw new UserError(
    `${path}: ${target} has the label ${least}; number classes from 0, or make it float32 to predict a number`,
  );
}

function bytesOf({ manifest }: Dataset, names: readonly string[]): string[] {
  return names.filter((name) => manifest.fields[name]?.dtype === 'u8');
}

interface Roles {
  readonly inputs: readonly string[];
  readonly target: string;
  /** Undefined: a number is predicted. */
  readonly classes: number | undefined;
}

/** A small dense network. */
function draft(
  path: string,
  { name: reader, module, scalesBytes }: ArrayReader,
  train: Dataset,
  { inputs, target, classes }: Roles,
): RecipeDraft {
  const isClass = classes !== undefined;
  const loss = isClass ? 'sparseCategoricalCrossentropy' : 'meanSquaredError';
  const scaled = (scalesBytes ? bytesOf(train, inputs) : []).map(
    (name) => `${quote(name)}: { scale: 1 / 255 }`,
  );
  const options = scaled.length === 0 ? '' : `, { bytes: { ${scaled.join(', ')} } }`;
  const several = inputs.length > 1;
  const last = isClass ? `dense(${classes}, { activation: 'softmax' })` : 'dense(1), reshape([])';
  const part = (name: string): string =>
    `flatten()(graph.input(${quote(name)}, shapeOf(train, ${quote(name)})))`;
  return {
    imports: {
      [module]: [reader],
      'data/dataset': ['shapeOf'],
      graph: ['Graph'],
      'layers/dense': ['dense'],
      ...(several && { 'layers/merge': ['concatenate'] }),
      'layers/reshape': isClass ? ['flatten'] : ['flatten', 'reshape'],
      'layers/sequential': ['sequential'],
      [isClass ? 'losses/sparse-categorical-crossentropy' : 'losses/mean-squared-error']: [loss],
      'optim/adam': ['adam'],
      'optim/schedule': ['cosineDecay'],
    },
    summary: `${target} from ${inputs.join(', ')}`,
    body: [
      '  model({ train }) {',
      '    const graph = new Graph();',
      several
        ? `    const x = concatenate()([${inputs.map(part).join(', ')}]);`
        : `    const x = ${part(inputs[0] as string)};`,
      `    const network = sequential([dense(64, { activation: 'relu' }), ${last}]);`,
      `    return graph.model(network(x), ${loss}({ target: ${quote(target)} }));`,
      '  },',
      `  data: (path = ${quote(path)}) => ${reader}(path${options}),`,
      '  optimizer: adam({ learningRate: 0.003 }),',
      '  schedule: cosineDecay(),',
      ...trainingSize(train.manifest.samples),
    ].join('\n'),
  };
}
