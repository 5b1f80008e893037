import type { Dataset } from '../shared/data/dataset.js';
import { fieldValues } from '../shared/data/field-values.js';
import type { Predictor } from '../shared/engine/passes/prediction.js';
import { UserError } from '../shared/errors.js';
import type { Model } from '../shared/graph/model.js';
import { argMax } from '../shared/metrics/arg-max.js';
import {
  EXAMPLE_BYTES_MAX,
  EXAMPLES_MAX,
  type ExampleRow,
  type ExamplesNews,
} from '../shared/protocol/example-news.js';
import { NAME_CHARACTERS_MAX } from '../shared/protocol/limits.js';
import { toPlainText } from '../shared/protocol/text.js';

/** Images that are tried, evenly spread over the test data: enough that a good model makes some mistakes. */
export const TRIED_MAX = 128;
/** Part of the images that are shown that are always the same ones; the others are mistakes. */
const FIXED_PART = 2 / 3;

/** Images of a classifier's test data, and what they are. */
interface Examples {
  /** The name of the model's only input. */
  readonly input: string;
  readonly shape: readonly [height: number, width: number, channels: 1 | 3];
  /** As the network sees them, row by row. */
  readonly values: Float32Array;
  readonly labels: readonly number[];
  /** Their pixels, as bytes. */
  readonly pixels: readonly Uint8Array[];
}

/**
 * Has a classifier of images answer some of its test images, with the weights as they are at the time of the call.
 * @param classes class names by number; left out: the numbers
 * @param predictorOf makes what predicts, when it is needed first
 * @param onProblem told once, if there is no memory for it: then nothing is answered
 * @returns undefined for a model that does not put one image into one class, and for images that are too large to be shown
 */
export function exampleAnswers(
  { inputs, loss }: Pick<Model, 'inputs' | 'loss'>,
  data: Dataset,
  classes: readonly string[] | undefined,
  predictorOf: () => Pick<Predictor, 'predict'>,
  onProblem: (text: string) => void,
): (() => Promise<ExamplesNews | undefined>) | undefined {
  const [input] = inputs;
  // Grey images need no axis of channels. A spectrogram is such an image, too.
  const [height = 0, width = 0, channels = 1] = input?.shape ?? [];
  const axes = input?.shape.length;
  const isImage = (axes === 2 || axes === 3) && (channels === 1 || channels === 3) && inputs.length === 1;
  const { target } = loss;
  const isOne = target !== undefined && data.manifest.fields[target]?.shape.length === 0;
  const isChoice = loss.kind === 'sparseCategoricalCrossentropy' && loss.attributes.ignoreIndex === undefined;
  const shown = Math.min(EXAMPLES_MAX, Math.floor(EXAMPLE_BYTES_MAX / (height * width * channels)));
  if (!isImage || !isOne || !isChoice || shown < 3 || input === undefined) return undefined;
  const examples = readExamples(data, input.name, target, [height, width, channels]);
  const nameOf = (index: number): string =>
    toPlainText(classes?.[index] ?? String(index), NAME_CHARACTERS_MAX);
  let predictor: Pick<Predictor, 'predict'> | 'none' | undefined;
  return async () => {
    predictor ??= predictorOr(predictorOf, onProblem);
    if (predictor === 'none') return undefined;
    const outputs = await predictor.predict({ [examples.input]: examples.values });
    const classCount = outputs.length / examples.labels.length;
    const rows = examples.labels.map((label, i) => {
      const scores = outputs.subarray(i * classCount, (i + 1) * classCount);
      const answer = argMax(scores);
      const row: ExampleRow = {
        pixels: Buffer.from(examples.pixels[i] as Uint8Array).toString('base64url'),
        ...{ label: nameOf(label), answer: nameOf(answer), probability: scores[answer] as number },
      };
      return { row, isRight: answer === label };
    });
    const fixed = Math.floor(shown * FIXED_PART);
    const mistakes = rows.filter(({ isRight }) => !isRight);
    const every = Math.max(1, Math.floor(rows.length / fixed));
    return {
      ...{ kind: 'examples', width, height, channels: examples.shape[2] },
      fixed: rows
        .filter((_, i) => i % every === 0)
        .slice(0, fixed)
        .map(({ row }) => row),
      mistakes: mistakes.slice(0, shown - fixed).map(({ row }) => row),
      tried: rows.length,
      right: rows.length - mistakes.length,
    };
  };
}

/** A run must not end because its page has no room for pictures. */
function predictorOr(
  predictorOf: () => Pick<Predictor, 'predict'>,
  onProblem: (text: string) => void,
): Pick<Predictor, 'predict'> | 'none' {
  try {
    return predictorOf();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    onProblem(`the page shows no test images: ${error.message}`);
    return 'none';
  }
}

function readExamples(data: Dataset, input: string, target: string, shape: Examples['shape']): Examples {
  const { samples } = data.manifest;
  const count = Math.min(TRIED_MAX, samples);
  const [height, width, channels] = shape;
  const size = height * width * channels;
  const values = new Float32Array(count * size);
  const labels: number[] = [];
  for (let i = 0; i < count; i++) {
    const at = Math.floor((i * samples) / count);
    const range = { from: at, to: at + 1 };
    values.set(fieldValues(data, input, range), i * size);
    labels.push(fieldValues(data, target, range)[0] as number);
  }
  const bytes = asBytes(values);
  const pixels = labels.map((_, i) => bytes.subarray(i * size, (i + 1) * size));
  return { input, shape, values, labels, pixels };
}

/** Brings the values of images into 0..255, by the least and the largest of them all. */
function asBytes(values: Float32Array): Uint8Array {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  // Plain loops: iterators and callbacks take ten times as long for a hundred thousand pixels.
  for (let i = 0; i < values.length; i++) {
    const value = values[i] as number;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const scale = most > least ? 255 / (most - least) : 0;
  const bytes = new Uint8Array(values.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Math.round(((values[i] as number) - least) * scale);
  return bytes;
}
