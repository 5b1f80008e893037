import { open, stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { loadText, TEXT_BYTES_MAX } from '../../shared/data/texts/text.js';
import { readTextFile } from '../../shared/data/texts/text-file.js';
import { UserError } from '../../shared/errors.js';
import type { Inspection, Inspector, RecipeDraft } from './inspection.js';
import { quote } from './recipe-text.js';

/** Longest window, in characters. */
const CONTEXT_MAX = 64;
/** Share of the text for training. */
const LEARNED = 0.9;
/** Bytes that are read to recognise a table. */
const HEAD_BYTES = 2 ** 16;
/** A table has the same number of delimiters in so many lines. */
const TABLE_LINES = 5;

/** Texts for character-level models. */
export const textInspector: Inspector = {
  what: 'a text (.txt, .md and the like)',
  handles: isText,
  inspect: inspectText,
};

/** Whether a path is a text by its extension, and not a table by its lines. */
async function isText(path: string): Promise<boolean> {
  if (!/^\.(txt|text|md|markdown|rst|tex)$/i.test(extname(path))) return false;
  if (!(await stat(path).catch(() => undefined))?.isFile()) return false;
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    const lines = buffer
      .subarray(0, bytesRead)
      .toString('latin1')
      .split(/\r\n|\n|\r/)
      .slice(0, TABLE_LINES);
    return !['\t', ';', ','].some((delimiter) => {
      const [first = 0, ...others] = lines.map((line) => line.split(delimiter).length - 1);
      return first > 0 && lines.length === TABLE_LINES && others.every((count) => count === first);
    });
  } finally {
    await file.close();
  }
}

async function inspectText(path: string): Promise<Inspection> {
  const options = { context: CONTEXT_MAX, learned: LEARNED };
  try {
    const { text } = await readTextFile(path, TEXT_BYTES_MAX);
    // Both parts need several windows.
    while (options.context > 8 && text.length * (1 - LEARNED) < 4 * options.context) options.context /= 2;
    const { train, test, alphabet, notes } = await loadText(path, options.context, LEARNED);
    const reason = `windows of ${options.context} characters`;
    return {
      lines: [...notes, 'suggested options:', `  ${reason}`],
      result: {
        kind: 'text',
        options,
        alphabet,
        samples: { train: train.manifest.samples, test: test.manifest.samples },
        notes,
        problems: [],
      },
      recipe: draft(path, options.context),
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return {
      lines: [error.message],
      result: { kind: 'text', options, problems: error.message.split('\n') },
      recipe: undefined,
    };
  }
}

/** A small GPT. */
function draft(path: string, context: number): RecipeDraft {
  return {
    imports: {
      'data/texts/text': ['loadText'],
      graph: ['Graph'],
      'layers/dense': ['dense'],
      'layers/embedding': ['embedding', 'positionalEmbedding'],
      'layers/layer-normalization': ['layerNormalization'],
      'layers/sequential': ['sequential'],
      'layers/transformer': ['transformerBlock'],
      'losses/sparse-categorical-crossentropy': ['sparseCategoricalCrossentropy'],
      'optim/adam': ['adamw'],
      'optim/clipping': ['clipByGlobalNorm'],
      'optim/schedule': ['cosineDecay'],
    },
    summary: `the next character of ${path.split(/[/\\]/).at(-1)}`,
    body: [
      '  model({ alphabet = [] }) {',
      '    const graph = new Graph();',
      "    const kernelInitializer = 'smallNormal';",
      '    const network = sequential([',
      '      embedding(alphabet.length, 96),',
      '      positionalEmbedding(),',
      ...[1, 2].map(
        (block) =>
          `      transformerBlock(4, 384, { causal: true, kernelInitializer, name: 'block${block}' }),`,
      ),
      '      layerNormalization(),',
      "      dense(alphabet.length, { kernelInitializer, name: 'logits' }),",
      '    ]);',
      `    const logits = network(graph.input('x', [${context}]));`,
      "    return graph.model(logits, sparseCategoricalCrossentropy({ target: 'y', fromLogits: true }));",
      '  },',
      `  data: (path = ${quote(path)}) => loadText(path, ${context}, ${LEARNED}),`,
      '  optimizer: adamw({ learningRate: 0.002, beta2: 0.99, weightDecay: 0.1 }),',
      '  clipping: clipByGlobalNorm(1),',
      '  schedule: cosineDecay({ warmup: 50, floor: 0.1 }),',
      '  batch: 16,',
      '  leafSize: 4,',
      '  epochs: 1,',
      '  steps: 1500,',
    ].join('\n'),
  };
}
