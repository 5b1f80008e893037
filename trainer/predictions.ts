/*
 * What a network's outputs say: a class with its probability, a number in the units of the data, or the outputs themselves.
 */
import { classNames, predictedValues, targetColumn } from '../shared/data/tables/preprocessing.js';
import { type PairPreprocessing, writtenAlphabet } from '../shared/data/texts/pair-preprocessing.js';
import type { Predictor } from '../shared/engine/passes/prediction.js';
import type { Model } from '../shared/graph/model.js';
import { resolveModel } from '../shared/graph/resolve.js';
import { elementsOf, lastOf } from '../shared/graph/shape.js';
import { argMax } from '../shared/metrics/arg-max.js';
import { decodeCtc } from './decoding/ctc-greedy.js';
import { decodeGreedily } from './decoding/greedy.js';
import { spellNumbers, writeSymbols } from './decoding/pieces.js';
import type { StoredModel } from './model-text.js';
import { type OutputPart, outputParts } from './output-parts.js';
import { withProbabilities } from './probabilities.js';

/** A cell of a prediction. */
export type PredictedValue = string | number;

/** What a model says about one sample. */
export interface Prediction {
  /** A value for each heading. */
  readonly values: readonly PredictedValue[];
  /** The outputs of the network; of a model that writes texts, the numbers of the symbols. */
  readonly outputs: ArrayLike<number>;
}

/** How the outputs of a model are read. */
export interface PredictionFormat {
  /** The network to predict with: it ends in probabilities where the trained one ends in logits. */
  readonly network: Model;
  /** Headings of the values. */
  readonly headings: readonly string[];
  /** @param outputs of one sample. @returns a value for each heading */
  read(outputs: Float32Array): PredictedValue[];
  /** @param inputs rows of each input. @returns a prediction for each row */
  predict(
    predictor: Pick<Predictor, 'predict'>,
    inputs: Readonly<Record<string, Float32Array>>,
  ): Promise<readonly Prediction[]>;
}

type OutputFormat = Pick<PredictionFormat, 'headings' | 'read'>;

/** How the outputs of a model are read; it follows from its loss and from what its run has stored. */
export function predictionFormat(stored: StoredModel): PredictionFormat {
  const { preprocessing } = stored;
  if (preprocessing.kind === 'pairs') return writtenTexts(stored.network, preprocessing);
  const network = withProbabilities(stored.network);
  const shape = resolveModel(network).shapes.get(network.output) ?? [];
  const elements = elementsOf(shape);
  const { headings, read } = outputFormat(stored, shape);
  return {
    network,
    headings,
    read,
    async predict(predictor, inputs) {
      const all = await predictor.predict(inputs);
      return Array.from({ length: all.length / elements }, (_, row) => {
        const outputs = all.subarray(row * elements, (row + 1) * elements);
        return { values: read(outputs), outputs };
      });
    },
  };
}

/** A model that reads a text and writes another, symbol by symbol. */
function writtenTexts(network: Model, preprocessing: PairPreprocessing): PredictionFormat {
  const { read, written, form } = preprocessing;
  const alphabet = writtenAlphabet(preprocessing);
  const isPieces = form !== 'characters';
  const spell = (numbers: ArrayLike<number>): string =>
    isPieces
      ? spellNumbers(numbers, alphabet).join(' ')
      : Array.from(numbers, (number) => alphabet[number] ?? '').join('');
  return {
    network,
    headings: ['text'],
    read(outputs) {
      const classes = outputs.length / written.length;
      const likeliest = Array.from({ length: written.length }, (_, at) =>
        argMax(outputs.subarray(at * classes, (at + 1) * classes)),
      );
      return [spell(likeliest)];
    },
    async predict(predictor, { read: numbers, present }) {
      // `before` is what has been written so far.
      const inputs = { read: numbers as Float32Array, present: present as Float32Array };
      const place = { rows: inputs.read.length / read.length, length: written.length, before: 'before' };
      const rows = isPieces
        ? await writeSymbols(predictor, inputs, { read: read.length, written: written.length })
        : await decodeGreedily({ predictor, inputs, ...place, start: alphabet.length });
      return rows.map((outputs) => ({ values: [spell(outputs)], outputs }));
    },
  };
}

function outputFormat(stored: StoredModel, shape: readonly number[]): OutputFormat {
  const { kind } = stored.network.loss;
  const elements = elementsOf(shape);
  const isChoice = kind === 'sparseCategoricalCrossentropy' || kind === 'categoricalCrossentropy';
  if (isChoice) {
    const classes = lastOf(shape);
    const names = symbolsOf(stored, classes);
    if (elements === classes || stored.preprocessing.kind === 'text')
      return {
        headings: ['class', 'probability'],
        // Of a text, the last position is what follows the window.
        read: (outputs) => choiceOf(outputs.subarray(elements - classes), names),
      };
    return {
      headings: ['classes'],
      read: (outputs) => [sequenceOf(outputs, classes, names, stored.alphabet !== null)],
    };
  }
  if (kind === 'ctc') {
    const classes = lastOf(shape);
    const { classes: names } = stored;
    // Label 0 is the blank.
    const nameOf = (label: number) => names?.[label - 1] ?? String(label);
    return {
      headings: ['classes'],
      read: (outputs) => [(decodeCtc(outputs, 1, classes)[0] as number[]).map(nameOf).join(' ')],
    };
  }
  if (kind === 'binaryCrossentropy' && elements === 1) {
    const names = symbolsOf(stored, 2);
    return {
      headings: ['class', 'probability'],
      read: ([yes = Number.NaN]) => (yes >= 0.5 ? [names(1), yes] : [names(0), Math.fround(1 - yes)]),
    };
  }
  const { preprocessing } = stored;
  const name =
    preprocessing.kind === 'table'
      ? targetColumn(preprocessing).name
      : (stored.network.loss.target ?? 'output');
  return {
    headings: (outputParts(stored.network) ?? [{ name, shape }]).flatMap(elementNames),
    read: (outputs) => [
      ...(preprocessing.kind === 'table' && kind !== 'binaryCrossentropy'
        ? predictedValues(preprocessing, outputs)
        : outputs),
    ],
  };
}

/** A name for each element of an output: its own, or with the number of the element. */
function elementNames({ name, shape }: Pick<OutputPart, 'name' | 'shape'>): string[] {
  const elements = elementsOf(shape);
  return elements === 1 ? [name] : Array.from({ length: elements }, (_, i) => `${name} ${i + 1}`);
}

/** Names of classes by number: class names, symbols of a text, or the numbers themselves. */
function symbolsOf({ classes, alphabet, preprocessing }: StoredModel, count: number): (i: number) => string {
  const named = preprocessing.kind === 'table' ? classNames(preprocessing) : undefined;
  const names = [classes, named, alphabet].find((list) => list?.length === count);
  return (i) => names?.[i] ?? String(i);
}

function choiceOf(probabilities: Float32Array, nameOf: (i: number) => string): PredictedValue[] {
  const best = argMax(probabilities);
  return [nameOf(best), probabilities[best] ?? Number.NaN];
}

function sequenceOf(
  outputs: Float32Array,
  classes: number,
  nameOf: (i: number) => string,
  isText: boolean,
): string {
  const names = Array.from({ length: outputs.length / classes }, (_, at) =>
    nameOf(argMax(outputs.subarray(at * classes, (at + 1) * classes))),
  );
  return names.join(isText ? '' : ' ');
}
