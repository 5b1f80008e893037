import type { Command } from 'commander';
import type { Dataset } from '../../shared/data/dataset.js';
import { learnedUnit } from '../../shared/data/tables/table-report.js';
import { UserError } from '../../shared/errors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { METRIC_NAMES } from '../../shared/metrics/metric-names.js';
import { topKAccuracy } from '../../shared/metrics/top-k.js';
import { type Classification, classify } from '../../trainer/classification.js';
import { wholeNumber } from '../../trainer/options/option-values.js';
import { describeMetrics } from '../../trainer/result.js';
import { readToMeasure } from '../../trainer/samples-to-measure.js';
import { confusionTable, PRINTED_CLASSES_MAX } from '../terminal/confusion-table.js';
import type { Terminal } from '../terminal/terminal.js';
import { showWhile } from '../terminal/transient-note.js';
import type { CommandContext } from './command.js';
import { measured } from './eval-measures.js';
import {
  addModelAndJsonOptions,
  loadModel,
  type MeasuredSource,
  type ModelOptions,
  type OpenedModel,
  openModel,
  recipeDataOf,
} from './model-options.js';

interface EvalOptions extends ModelOptions {
  topK?: string;
  metrics?: string;
}

/** K of the top-k accuracy by default. */
const TOP_K = 5;

/** What a model is measured on. */
interface Measured {
  readonly test: Dataset;
  /** The recipe that read it, whose own metrics are computed; undefined: it was read without the recipe. */
  readonly source: MeasuredSource | undefined;
}

/** `unisum eval <model>`: evaluates a trained model on labelled data. */
export function define(command: Command, { terminal }: CommandContext): void {
  addModelAndJsonOptions(
    command,
    'data to measure: every row of a table, every file of a folder of classes, all of a text (default: the test data of the run)',
  )
    .description(
      'Evaluate a trained model. With --data, the preprocessing that the run has stored is applied and nothing is fitted; ' +
        'the recipe and its data are not needed. A classifier also gets its confusion matrix, and precision and recall of ' +
        'each class.',
    )
    .option(
      '--metrics <NAMES>',
      `metrics besides those of the run, separated by commas: ${METRIC_NAMES.join(', ')}`,
    )
    .option('--top-k <K>', `report top-K accuracy (default: ${TOP_K}, if there are more classes)`)
    .action(async (path: string, options: EvalOptions) => {
      const opened = await openModel(path, options, terminal);
      const { stored } = opened;
      const { test, source } = await dataToMeasure(opened, options, terminal);
      const model = await loadModel(opened, options, stored.network, test);
      try {
        const classification = await classify(model, test, stored.classes);
        const own = await measured({
          ...{ opened, model, test, source, asked: options.metrics },
          say: (line) => terminal.say(line),
        });
        const metrics = { ...own, ...topKMetric(classification, options.topK) };
        const { samples } = test.manifest;
        terminal.say(`${samples} samples: ${describeMetrics(metrics)}`);
        const { preprocessing } = stored;
        const unit = preprocessing?.kind === 'table' ? learnedUnit(preprocessing) : undefined;
        if (unit !== undefined)
          terminal.say(`the target was learned in deviations: an error of 1 is ${unit}`);
        if (classification !== undefined) reportClasses(classification, terminal);
        if (!options.json) return;
        const hash = weightsSha256(opened.parameters);
        terminal.result({ metrics, samples, ...classesOf(classification), weightsSha256: hash });
      } finally {
        await model.stop();
      }
    });
}

/** @throws UserError when there is nothing to measure, or it does not fit the model */
async function dataToMeasure(
  opened: OpenedModel,
  { data }: ModelOptions,
  terminal: Terminal,
): Promise<Measured> {
  const { preprocessing } = opened.stored;
  if (data === undefined || opened.builtFrom !== undefined) {
    const source = await recipeDataOf(opened, terminal);
    return { test: source.data.test, source };
  }
  const { test, notes } = await showWhile('reading data', terminal.stderr, () =>
    readToMeasure(data, preprocessing),
  );
  for (const note of notes) terminal.say(note);
  return { test, source: undefined };
}

/** @throws UserError (wrong usage) when K does not fit the model */
function topKMetric(
  classification: Classification | undefined,
  text: string | undefined,
): Record<string, number> {
  if (classification === undefined) {
    if (text === undefined) return {};
    throw new UserError('--top-k needs a model that predicts one class per sample; leave it out', 2);
  }
  const { classes, ranks } = classification;
  if (text === undefined && classes.length <= TOP_K) return {};
  const k = text === undefined ? TOP_K : wholeNumber('--top-k', text, { least: 1, most: classes.length });
  return { [`testTop${k}Accuracy`]: topKAccuracy(ranks, k) };
}

/** For the JSON result. Precision of a class that is never predicted is null. */
function classesOf(classification: Classification | undefined) {
  if (classification === undefined) return {};
  const { classes, confusion, stats } = classification;
  return { classes: classes.map((name, i) => ({ name, ...stats[i] })), confusion };
}

function reportClasses({ classes, confusion, stats }: Classification, terminal: Terminal): void {
  if (classes.length > PRINTED_CLASSES_MAX)
    terminal.say(`the confusion matrix of ${classes.length} classes is too wide to print; --json has it`);
  else for (const line of confusionTable(classes, confusion, stats)) terminal.say(line);
}
