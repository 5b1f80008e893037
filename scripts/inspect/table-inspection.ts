import { stat } from 'node:fs/promises';
import { type CsvData, type CsvOptions, csv } from '../../shared/data/tables/csv.js';
import { suggestOptions } from '../../shared/data/tables/table-suggestion.js';
import { UserError } from '../../shared/errors.js';
import { explainFileError } from '../../shared/files/file-error.js';
import type { Inspection, InspectOptions, Inspector, RecipeDraft } from './inspection.js';
import { quote } from './recipe-text.js';
import { trainingSize } from './training-size.js';

/** Tables in text files, in Parquet and in Arrow. */
export const tableInspector: Inspector = {
  what: 'a table (CSV, TSV, Parquet, Arrow, compressed with gzip or not)',
  handles: isFile,
  inspect: inspectTable,
};

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    throw explainFileError(error, `cannot read ${path}`);
  }
}

async function inspectTable(path: string, { target }: InspectOptions): Promise<Inspection> {
  const { options, reasons } = await suggestOptions(path, { target });
  const suggested = ['suggested options:', ...reasons.map((reason) => `  ${reason}`)];
  let data: CsvData;
  try {
    data = await csv(path, options);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const lines = [...suggested, error.message];
    return { lines, result: { options, problems: error.message.split('\n') }, recipe: undefined };
  }
  const { train, test, features, classes, preprocessing, notes } = data;
  return {
    lines: [...notes, ...suggested],
    result: {
      kind: 'table',
      options,
      columns: preprocessing.columns,
      features,
      ...(classes && { classes }),
      samples: { train: train.manifest.samples, test: test?.manifest.samples ?? 0 },
      notes,
      problems: [],
    },
    recipe: draft(path, options, data),
  };
}

/** A small network for the type of the target. */
function draft(path: string, options: CsvOptions, { train, features, classes }: CsvData): RecipeDraft {
  const { samples } = train.manifest;
  const units = features.length > 64 || samples > 10_000 ? 64 : 32;
  const [loss, module, last] =
    classes === undefined
      ? (['huber', 'losses/huber', 'dense(1)'] as const)
      : ([
          'sparseCategoricalCrossentropy',
          'losses/sparse-categorical-crossentropy',
          "dense(classes.length, { activation: 'softmax' })",
        ] as const);
  const { target } = options;
  return {
    imports: {
      'data/dataset': ['shapeOf'],
      'data/tables/csv': ['csv'],
      graph: ['Graph'],
      'layers/dense': ['dense'],
      'layers/sequential': ['sequential'],
      [module]: [loss],
      'optim/adam': ['adam'],
      'optim/early-stopping': ['earlyStopping'],
      'optim/schedule': ['cosineDecay'],
    },
    summary: `${target} out of ${path.split(/[/\\]/).at(-1)}`,
    body: [
      `  model({ train${classes === undefined ? '' : ', classes = []'} }) {`,
      '    const graph = new Graph();',
      '    const network = sequential([',
      `      dense(${units}, { activation: 'relu' }),`,
      `      dense(${units / 2}, { activation: 'relu' }),`,
      `      ${last},`,
      '    ]);',
      "    const output = network(graph.input('features', shapeOf(train, 'features')));",
      `    return graph.model(output, ${loss}({ target: 'target' }));`,
      '  },',
      `  data: (path = ${quote(path)}) =>`,
      '    csv(path, {',
      ...optionLines(options).map((line) => `      ${line}`),
      '    }),',
      '  optimizer: adam({ learningRate: 0.005 }),',
      '  schedule: cosineDecay(),',
      '  earlyStopping: earlyStopping(),',
      ...trainingSize(samples),
    ].join('\n'),
  };
}

/** The options as source code, one per line. */
function optionLines(options: CsvOptions): string[] {
  return Object.entries(options).map(([name, value]) => `${name}: ${literal(value)},`);
}

function literal(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([name, part]) => `${name}: ${literal(part)}`)
      .join(', ')} }`;
  return String(value);
}
