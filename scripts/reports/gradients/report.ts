import { join } from 'node:path';
import { GRADIENTS_FILE, REPORT_FILES } from '../../../coordinator/storage/run-directory.js';
import type { GradientStats, LayerStats } from '../../../shared/engine/passes/gradient-inspector.js';
import { writeFileAtomically } from '../../../shared/files/atomic-file.js';
import { criticalBatch } from '../../../shared/metrics/critical-batch.js';
import { type Column, textTable } from '../../terminal/text-table.js';
import { fillPage } from '../page.js';
import { diagnose, formatShort } from './diagnosis.js';

/** The critical batch is told from so many inspections: fewer say little. */
const SPREADS_LEAST = 20;

const COLUMNS: readonly Column<LayerStats>[] = [
  { heading: 'layer', cell: ({ name }) => name },
  { heading: 'activation', cell: ({ activation }) => formatShort(activation) },
  { heading: 'error term', cell: ({ error }) => formatShort(error) },
  {
    heading: 'gradient',
    cell: ({ parameters }) => formatShort(largest(parameters.map((p) => p.gradientNorm))),
  },
  { heading: 'update/weight', cell: ({ parameters }) => formatShort(kernelRatio(parameters)) },
  {
    heading: 'dead',
    cell: ({ deadUnits }) => (deadUnits === undefined ? '' : `${Math.round(100 * deadUnits)}%`),
  },
];

/** The latest inspection as a table, layers in the order of the forward pass, and a diagnosis of the run. */
export function describeGradients(inspections: readonly GradientStats[]): string[] {
  const last = inspections.at(-1);
  if (last === undefined) return [];
  return [
    `gradients of step ${last.step + 1}, ${last.samples} samples:`,
    ...textTable(COLUMNS, last.layers),
    ...diagnoseRun(inspections),
    ...describeBatch(inspections),
  ];
}

/** What the critical batch was in the first and in the second half of a run: it grows while the loss falls. */
function describeBatch(inspections: readonly GradientStats[]): string[] {
  const spreads = inspections.flatMap(({ spread }) => spread ?? []);
  if (spreads.length < SPREADS_LEAST) return [];
  const middle = Math.ceil(spreads.length / 2);
  const [early, late] = [spreads.slice(0, middle), spreads.slice(middle)].map(criticalBatch);
  const told = (samples: number | undefined): string =>
    samples === undefined
      ? 'too many to tell from so few inspections'
      : `${Number(samples.toPrecision(2))} samples`;
  return [
    `critical batch (gradient noise scale): ${told(early)} in the first half of the run, ${told(late)} in the second; ` +
      'beyond it, a larger batch, and so more machines, hardly saves steps',
  ];
}

/**
 * Writes all inspections of a run into its folder: gradients.jsonl, one inspection a line, and gradients.html with charts.
 * @returns the path of the page
 * @throws UserError when the files cannot be written
 */
export async function saveGradients(
  folder: string,
  recipe: string,
  inspections: readonly GradientStats[],
): Promise<string> {
  // JSON has no infinite or NaN norms, which an exploded network has: they become null.
  const lines = inspections.map((inspection) => `${JSON.stringify(inspection)}\n`).join('');
  await writeFileAtomically(join(folder, GRADIENTS_FILE), [Buffer.from(lines)]);
  const report = {
    ...{ recipe, inspections },
    problems: [...diagnoseRun(inspections), ...describeBatch(inspections)],
  };
  const page = join(folder, REPORT_FILES.gradients);
  const html = await fillPage(new URL('./page/', import.meta.url), report);
  await writeFileAtomically(page, [Buffer.from(html)]);
  return page;
}

/** Problems of the first and the last inspection. */
function diagnoseRun(inspections: readonly GradientStats[]): string[] {
  const ends = inspections.length > 1 ? [inspections[0], inspections.at(-1)] : inspections;
  return ends.flatMap((inspection) =>
    inspection === undefined
      ? []
      : diagnose(inspection).map((line) => `step ${inspection.step + 1}: ${line}`),
  );
}

function largest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}

/** The ratio of the largest parameter. A bias starts at zero, so any update is large relative to it. */
function kernelRatio(parameters: LayerStats['parameters']): number | undefined {
  const [largestParameter] = [...parameters].sort((a, b) => b.weightNorm - a.weightNorm);
  return largestParameter?.updateRatio;
}
