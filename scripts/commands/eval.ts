import type { Command } from 'commander';
import { UserError } from '../../shared/errors.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import { topKAccuracy } from '../../shared/metrics/top-k.js';
import { confusionTable, SHOWN_CLASSES_MAX } from '../terminal/confusion-table.js';
import type { Terminal } from '../terminal/terminal.js';
import { type Classification, classify } from '../training/classification.js';
import { describeMetrics } from '../training/result.js';
import type { CommandContext } from './command.js';
import { addModelOptions, type ModelOptions, openModel } from './model-options.js';
import { wholeNumber } from './numbers.js';

interface EvalOptions extends ModelOptions {
  topK?: string;
}

/** Classes among which the true one is looked for, where nothing else is asked for and there are more. */
const TOP = 5;

/** `unisum eval <model>`: how good a trained model is on its recipe's test data. */
export function define(command: Command, { terminal }: CommandContext): void {
  addModelOptions(command)
    .option('--top-k <K>', `how often the true class is among the K likeliest (default: ${TOP})`)
    .action(async (path: string, options: EvalOptions) => {
      const { model, data, parameters } = await openModel(path, options, terminal);
      try {
        const classification = await classify(model, data);
        const metrics = { ...(await model.evaluate()), ...topOf(classification, options.topK) };
        const { samples } = data.test.manifest;
        terminal.say(`${samples} samples: ${describeMetrics(metrics)}`);
        if (classification !== undefined) tellClasses(classification, terminal);
        if (!options.json) return;
        const hash = weightsSha256(parameters);
        terminal.result({ metrics, samples, ...classesOf(classification), weightsSha256: hash });
      } finally {
        await model.stop();
      }
    });
}

/** @throws UserError (wrong usage) when a number is asked for that makes no sense of these classes */
function topOf(classification: Classification | undefined, text: string | undefined): Record<string, number> {
  if (classification === undefined) {
    if (text === undefined) return {};
    throw new UserError('--top-k needs a network that chooses one of several classes; leave it out', 2);
  }
  const { classes, ranks } = classification;
  if (text === undefined && classes.length <= TOP) return {};
  const k = text === undefined ? TOP : wholeNumber('--top-k', text, { least: 1, most: classes.length });
  return { [`testTop${k}Accuracy`]: topKAccuracy(ranks, k) };
}

/** For programs. Of a class that nobody is taken for, precision is null. */
function classesOf(classification: Classification | undefined) {
  if (classification === undefined) return {};
  const { classes, confusion, figures } = classification;
  return { classes: classes.map((name, i) => ({ name, ...figures[i] })), confusion };
}

function tellClasses({ classes, confusion, figures }: Classification, terminal: Terminal): void {
  if (classes.length > SHOWN_CLASSES_MAX)
    terminal.say(`which of the ${classes.length} classes is taken for which: --json`);
  else for (const line of confusionTable(classes, confusion, figures)) terminal.say(line);
}
