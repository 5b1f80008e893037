import type { Dataset } from '../shared/data/dataset.js';
import { fieldValues } from '../shared/data/field-values.js';
import type { Predictor } from '../shared/engine/passes/prediction.js';
import { UserError } from '../shared/errors.js';
import type { Model } from '../shared/graph/model.js';
import { resolveModel } from '../shared/graph/resolve.js';
import { lastOf } from '../shared/graph/shape.js';
import { argMax } from '../shared/metrics/arg-max.js';
import {
  EXAMPLE_BYTES_MAX,
  EXAMPLES_MAX,
  type ExampleRow,
  type ExamplesNews,
} from '../shared/protocol/example-news.js';
import { NAME_CHARACTERS_MAX } from '../shared/protocol/limits.js';
import { toPlainText } from '../shared/protocol/text.js';
import { decodeCtc } from './decoding/ctc-greedy.js';

/** Images that are tried, evenly spread over the test data: enough that a good model makes some mistakes. */
export const TRIED_MAX = 128;
/** Part of the images that are shown that are always the same ones; the others are mistakes. */
const FIXED_PART = 2 / 3;

/** Images or recordings of test data, and what they are. */
interface Examples {
  /** The name of the model's only input. */
  readonly input: string;
  readonly shape: readonly [height: number, width: number, channels: 1 | 3];
  /** As the network sees them, row by row. */
  readonly values: Float32Array;
  /** Class numbers: one, or those of a transcript. */
  readonly labels: readonly (readonly number[])[];
  /** Their pixels, as bytes. */
  readonly pixels: readonly Uint8Array[];
}

/**
 * Has a classifier of images answer some of its test images, or a network of speech transcribe recordings (connectionist temporal
 * classification), with the weights as they are at the time of the call.
 * @param classes class names by number; left out: the numbers
 * @param predictorOf makes what predicts, when it is needed first
 * @param onProblem told once, if there is no memory for it: then nothing is answered
 * @returns undefined for a model that does not put one image into one class, and for images that are too large to be shown
 */
export function exampleAnswers(
  model: Model,
  data: Dataset,
  classes: readonly string[] | undefined,
  predictorOf: () => Pick<Predictor, 'predict'>,
  onProblem: (text: string) => void,
): ((step: number) => Promise<ExamplesNews | undefined>) | undefined {
  const { inputs, loss } = model;
  const [input] = inputs;
  // Grey images need no axis of channels. A spectrogram is such an image, too.
  const [height = 0, width = 0, channels = 1] = input?.shape ?? [];
  const axes = input?.shape.length;
  const isImage = (axes === 2 || axes === 3) && (channels === 1 || channels === 3) && inputs.length === 1;
  const { target } = loss;
  const isOne = target !== undefined && data.manifest.fields[target]?.shape.length === 0;
  const isTranscript = loss.kind === 'ctc' && axes === 2;
  const isChoice =
    isTranscript ||
    (isOne && loss.kind === 'sparseCategoricalCrossentropy' && loss.attributes.ignoreIndex === undefined);
  const shown = Math.min(EXAMPLES_MAX, Math.floor(EXAMPLE_BYTES_MAX / (height * width * channels)));
  if (!isImage || !isChoice || shown < 3 || input === undefined || target === undefined) return undefined;
  const examples = readExamples(data, input.name, target, [height, width, channels], isTranscript);
  // Class 0 of a transcript is the blank, and the names of the others begin behind it.
  const nameOf = (index: number): string => {
    const at = isTranscript ? index - 1 : index;
    return classes?.[at] ?? String(at);
  };
  const textOf = (numbers: readonly number[]): string =>
    toPlainText(numbers.map(nameOf).join(' ') || '–', NAME_CHARACTERS_MAX);
  let predictor: Pick<Predictor, 'predict'> | 'none' | undefined;
  return async (step) => {
    predictor ??= predictorOr(predictorOf, onProblem);
    if (predictor === 'none') return undefined;
    const outputs = await predictor.predict({ [examples.input]: examples.values });
    const read = isTranscript ? transcripts : choices;
    const answers = read(outputs, examples.labels.length, model);
    const rows = examples.labels.map((label, i) => {
      const { classes: answer, probability } = answers[i] as Answer;
      const row: ExampleRow = {
        pixels: Buffer.from(examples.pixels[i] as Uint8Array).toString('base64url'),
        ...{ label: textOf(label), answer: textOf(answer), probability },
      };
      return { row, isRight: row.answer === row.label };
    });
    const fixed = Math.floor(shown * FIXED_PART);
    const mistakes = rows.filter(({ isRight }) => !isRight);
    const every = Math.max(1, Math.floor(rows.length / fixed));
    return {
      ...{ kind: 'examples', step, subject: isTranscript ? 'recordings' : 'images' },
      // A spectrogram has its frames in rows; people read time from left to right.
      ...(isTranscript ? { width: height, height: width } : { width, height }),
      channels: examples.shape[2],
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

/** What a model says of a sample. */
interface Answer {
  readonly classes: readonly number[];
  readonly probability: number;
}

function choices(outputs: Float32Array, count: number): Answer[] {
  const classCount = outputs.length / count;
  return Array.from({ length: count }, (_, i) => {
    const scores = outputs.subarray(i * classCount, (i + 1) * classCount);
    const answer = argMax(scores);
    return { classes: [answer], probability: scores[answer] as number };
  });
}

function transcripts(outputs: Float32Array, count: number, model: Model): Answer[] {
  const shape = resolveModel(model).shapes.get(model.output) ?? [];
  return decodeCtc(outputs, count, lastOf(shape)).map((classes) => ({ classes, probability: Number.NaN }));
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

function readExamples(
  data: Dataset,
  input: string,
  target: string,
  shape: Examples['shape'],
  isTranscript: boolean,
): Examples {
  const { samples } = data.manifest;
  const count = Math.min(TRIED_MAX, samples);
  const [height, width, channels] = shape;
  const size = height * width * channels;
  const values = new Float32Array(count * size);
  const labels: number[][] = [];
  for (let i = 0; i < count; i++) {
    const at = Math.floor((i * samples) / count);
    const range = { from: at, to: at + 1 };
    values.set(fieldValues(data, input, range), i * size);
    const numbers = Array.from(fieldValues(data, target, range));
    // What follows a transcript is padded with 0.
    labels.push(isTranscript ? numbers.filter((label) => label > 0) : numbers);
  }
  const bytes = asBytes(values);
  const pixels = labels.map((_, i) => {
    const own = bytes.subarray(i * size, (i + 1) * size);
    return isTranscript ? turned(own, height, width) : own;
  });
  return { input, shape, values, labels, pixels };
}

/** A picture of rows and columns with the rows from left to right, and the columns upwards. */
function turned(pixels: Uint8Array, rows: number, columns: number): Uint8Array {
  return pixels.map((_, at) => {
    const [y, x] = [Math.floor(at / rows), at % rows];
    return pixels[x * columns + (columns - 1 - y)] as number;
  });
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
