import { numpy } from '../../shared/data/arrays/numpy.js';
import type { Dataset } from '../../shared/data/dataset.js';
import { fieldValues } from '../../shared/data/field-values.js';
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
  inspect: async (path, { target }) => inspectArrays(path, target),
};

async function inspectArrays(path: string, wanted: string | undefined): Promise<Inspection> {
  const { train, test, notes } = await numpy(path);
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
  const classes = train.manifest.fields[target]?.dtype === 'i32' ? classesOf(path, train, target) : undefined;
  lines.push(
    `target ${target}${wanted === undefined ? ' (a guess; --target takes another)' : ''}: ${classes === undefined ? 'a number' : `${classes} classes`}`,
    ...bytesOf(train, inputs).map((name) => `${name}: bytes, scaled to 0 to 1`),
  );
  return { lines, result, recipe: draft(path, train, { inputs, target, classes }) };
}

/** Labels count from 0. @throws UserError when they do not */
function classesOf(path: string, train: Dataset, target: string): number {
  const labels = fieldValues(train, target);
  const [least, most] = labels.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [
    Number.POSITIVE_INFINITY,
    0,
  ] as [number, number]);
  if (least >= 0) return most + 1;
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
function draft(path: string, train: Dataset, { inputs, target, classes }: Roles): RecipeDraft {
  const isClass = classes !== undefined;
  const loss = isClass ? 'sparseCategoricalCrossentropy' : 'meanSquaredError';
  const scaled = bytesOf(train, inputs).map((name) => `${quote(name)}: { scale: 1 / 255 }`);
  const options = scaled.length === 0 ? '' : `, { bytes: { ${scaled.join(', ')} } }`;
  const several = inputs.length > 1;
  const last = isClass ? `dense(${classes}, { activation: 'softmax' })` : 'dense(1), reshape([])';
  const part = (name: string): string =>
    `flatten()(graph.input(${quote(name)}, shapeOf(train, ${quote(name)})))`;
  return {
    imports: {
      'data/arrays/numpy': ['numpy'],
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
      `  data: (path = ${quote(path)}) => numpy(path${options}),`,
      '  optimizer: adam({ learningRate: 0.003 }),',
      '  schedule: cosineDecay(),',
      ...trainingSize(train.manifest.samples),
    ].join('\n'),
  };
}
