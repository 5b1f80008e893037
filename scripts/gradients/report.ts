import { join } from 'node:path';
import type { GradientFigures, LayerFigures } from '../../shared/engine/gradient-watch.js';
import { writeFileAtomically } from '../../shared/files/atomic-file.js';
import { fillPage } from '../pages/page.js';
import { type Column, textTable } from '../terminal/text-table.js';
import { shown, verdicts } from './verdict.js';

const COLUMNS: readonly Column<LayerFigures>[] = [
  { heading: 'layer', cell: ({ name }) => name },
  { heading: 'activation', cell: ({ activation }) => shown(activation) },
  { heading: 'error term', cell: ({ error }) => shown(error) },
  { heading: 'gradient', cell: ({ parameters }) => shown(largest(parameters.map((p) => p.gradientNorm))) },
  { heading: 'update/weight', cell: ({ parameters }) => shown(kernelRatio(parameters)) },
  {
    heading: 'dead',
    cell: ({ deadUnits }) => (deadUnits === undefined ? '' : `${Math.round(100 * deadUnits)}%`),
  },
];

/** The latest look as a table, layer by layer in the order of the forward pass, and what went wrong in the run. */
export function describeGradients(looks: readonly GradientFigures[]): string[] {
  const last = looks.at(-1);
  if (last === undefined) return [];
  return [
    `backprop in step ${last.step + 1}, ${last.samples} samples:`,
    ...textTable(COLUMNS, last.layers),
    ...history(looks),
  ];
}

/**
 * Writes all looks of a run into its folder: gradients.jsonl, a look a line, and gradients.html, which draws them.
 * @returns the page
 * @throws UserError when they cannot be written
 */
export async function saveGradients(
  folder: string,
  recipe: string,
  looks: readonly GradientFigures[],
): Promise<string> {
  // A network that has exploded has norms that JSON does not know: they become null.
  const lines = looks.map((look) => `${JSON.stringify(look)}\n`).join('');
  await writeFileAtomically(join(folder, 'gradients.jsonl'), [Buffer.from(lines)]);
  const report = { recipe, looks, verdicts: history(looks) };
  const page = join(folder, 'gradients.html');
  const html = await fillPage(new URL('./page/', import.meta.url), report);
  await writeFileAtomically(page, [Buffer.from(html)]);
  return page;
}

/** What the first look shows, and the last one. */
function history(looks: readonly GradientFigures[]): string[] {
  const ends = looks.length > 1 ? [looks[0], looks.at(-1)] : looks;
  return ends.flatMap((look) =>
    look === undefined ? [] : verdicts(look).map((line) => `step ${look.step + 1}: ${line}`),
  );
}

function largest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}

/** Of the largest parameter: a bias begins with zeros, and any step is large beside that. */
function kernelRatio(parameters: LayerFigures['parameters']): number | undefined {
  const [heaviest] = [...parameters].sort((a, b) => b.weightNorm - a.weightNorm);
  return heaviest?.updateRatio;
}
