/*
 * model.json: everything that prediction needs besides the weights. A run writes it before its first step and never changes it;
 * an export has the same file. So a trained model depends on no recipe and no data set, wherever these have gone. Browsers read
 * it too.
 */
import * as v from 'valibot';
import { commandLine } from '../shared/command-line.js';
import { UserError } from '../shared/errors.js';
import { jsonText } from '../shared/files/json.js';
import type { Model } from '../shared/graph/model.js';
import { parseModel, resolveModel } from '../shared/graph/resolve.js';
import { shellWord } from '../shared/shell-word.js';
import { type Preprocessing, parsePreprocessing } from './preprocessing.js';

/** Version of the file; others are refused. */
export const MODEL_FORMAT = 'unisum-trained-model/1';
/** Samples per leaf of a network that was trained elsewhere. */
const IMPORTED_LEAF = 16;
/** Most classes, symbols or features. */
const NAMES_MAX = 2 ** 24;
/** What the model.json of TensorFlow.js has. */
const LAYERS_MODEL = /"format":\s*"layers-model"/;

const names = v.nullable(v.pipe(v.array(v.string()), v.maxLength(NAMES_MAX)));
const finite = v.pipe(v.number(), v.finite());

const StoredModelSchema = v.strictObject({
  format: v.literal(MODEL_FORMAT),
  /** Name or path of the recipe, for people and for `eval` without `--data`. */
  recipe: v.string(),
  /** Samples per leaf: it decides the order in which means are summed. */
  leafSize: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  /** The network; it names its inputs, its output and its loss. */
  network: v.unknown(),
  /** What the network sees of a stored byte: byte * scale + shift. */
  inputs: v.record(v.string(), v.strictObject({ scale: finite, shift: finite, isByte: v.boolean() })),
  /** The class names by number. */
  classes: names,
  /** Texts: the characters or pieces by number. */
  alphabet: names,
  /** Tables: what each feature is, in order. */
  features: names,
  /** What was fitted in training, or the fields of samples that the recipe makes. */
  preprocessing: v.unknown(),
  /** Whether the recipe has metrics of its own. */
  hasOwnMetrics: v.boolean(),
  /** SHA-256 of the manifest of the recipe's test data; null when there is none. */
  testData: v.nullable(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
});

/** A model without its weights. */
export interface StoredModel
  extends Omit<v.InferOutput<typeof StoredModelSchema>, 'network' | 'preprocessing'> {
  readonly network: Model;
  readonly preprocessing: Preprocessing;
}

/**
 * What is stored of a network that was trained elsewhere: its inputs are numbers as the network sees them.
 * @param source where it comes from, for people
 */
export function storedNetwork(source: string, network: Model): StoredModel {
  const { shapes, loss } = resolveModel(network);
  const plain = { scale: 1, shift: 0 };
  const field = (shape: readonly number[], dtype: 'f32' | 'i32') => ({ dtype, shape: [...shape], ...plain });
  const target = loss.target;
  const inputs = network.inputs.map(({ name, shape }) => [name, field(shape, 'f32')] as const);
  return {
    format: MODEL_FORMAT,
    ...{ recipe: source, leafSize: IMPORTED_LEAF, network },
    inputs: Object.fromEntries(network.inputs.map(({ name }) => [name, { ...plain, isByte: false }])),
    ...{ classes: null, alphabet: null, features: null },
    preprocessing: {
      ...{ kind: 'fields', version: 1, classes: [], isReadByRecipe: false },
      inputs: Object.fromEntries(inputs),
      target:
        target === undefined
          ? { name: network.output, ...field(shapes.get(network.output) ?? [], 'f32') }
          : { name: target.name, ...field(target.shape, target.dtype) },
    },
    ...{ hasOwnMetrics: false, testData: null },
  };
}

/** The content of model.json. */
export function storedText(model: StoredModel): string {
  return `${JSON.stringify(model, null, 1)}\n`;
}

/** The refusal of a model in the format of another tool. @param file what `import` reads */
export function importFirst(file: string): string {
  return `${file} is a model in the format of another tool; make it one of unisum first: ${commandLine(`import ${shellWord(file)} --out DIR`)}`;
}

/**
 * Reads the content of a model.json.
 * @param file where it stands, for errors
 * @throws UserError when it is not one of this version
 */
export function parseStoredText(text: string, file: string): StoredModel {
  const parsed = v.safeParse(v.pipe(jsonText, StoredModelSchema), text);
  if (!parsed.success && LAYERS_MODEL.test(text)) throw new UserError(importFirst(file), 2);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const path = v.getDotPath(issue);
    throw new UserError(
      `${file} is not a model of this version of unisum: ${path === null ? '' : `${path}: `}${issue.message}; take it from an ` +
        'undamaged run',
    );
  }
  const { output } = parsed;
  if (output.preprocessing === null)
    throw new UserError(
      `${file} was written by an older version, which kept nothing about its inputs; build it again from recipe and data: ` +
        commandLine(
          `export ${shellWord(file.replace(/[\\/][^\\/]*$/, '') || '.')} --recipe ${shellWord(output.recipe)} --out DIR`,
        ),
      2,
    );
  const preprocessing = parsePreprocessing(output.preprocessing, file);
  return { ...output, network: parseModel(output.network), preprocessing };
}
