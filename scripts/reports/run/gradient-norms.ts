import { join } from 'node:path';
import * as v from 'valibot';
import { GRADIENTS_FILE } from '../../../coordinator/storage/run-directory.js';
import { exists, readBoundedFile } from '../../../shared/files/read-file.js';
import type { LabelledPoints, Point } from './curves.js';

const GRADIENTS_BYTES_MAX = 256 * 2 ** 20;
/** Layers that are shown, spread over the depth of the network: as many as there are colours. */
const LAYERS_SHOWN = 4;

const InspectionSchema = v.object({
  step: v.number(),
  layers: v.array(
    v.object({
      name: v.string(),
      // JSON has no NaN or infinity.
      parameters: v.array(v.object({ gradientNorm: v.nullable(v.number()) })),
    }),
  ),
});
type Inspection = v.InferOutput<typeof InspectionSchema>;

/**
 * Gradient norms over steps: of the whole network, and of some of its layers. Empty where none were inspected. Lines that are
 * no inspection are left out.
 * @param path the directory of a run
 * @throws UserError when the file cannot be read
 */
export async function gradientNorms(path: string): Promise<LabelledPoints[]> {
  const file = join(path, GRADIENTS_FILE);
  if (!(await exists(file))) return [];
  const text = new TextDecoder().decode(await readBoundedFile(file, GRADIENTS_BYTES_MAX));
  const inspections = text.split('\n').flatMap((line): Inspection[] => {
    const result = v.safeParse(v.pipe(v.string(), v.parseJson(), InspectionSchema), line);
    return result.success ? [result.output] : [];
  });
  const names = [
    ...new Set(
      inspections.flatMap(({ layers }) =>
        layers.filter(({ parameters }) => parameters.length > 0).map(({ name }) => name),
      ),
    ),
  ];
  if (names.length === 0) return [];
  const count = Math.min(LAYERS_SHOWN - 1, names.length);
  const shown = Array.from(
    { length: count },
    (_, i) => names[Math.round((i * (names.length - 1)) / Math.max(1, count - 1))] as string,
  );
  const points = (isIn: (name: string) => boolean): Point[] =>
    inspections.map(({ step, layers }) => [step + 1, normOf(layers.filter(({ name }) => isIn(name)))]);
  return [
    { label: 'all parameters', points: points(() => true) },
    ...shown.map((name) => ({ label: name, points: points((other) => other === name) })),
  ];
}

function normOf(layers: Inspection['layers']): number {
  const norms = layers.flatMap(({ parameters }) => parameters.map(({ gradientNorm }) => gradientNorm));
  return norms.includes(null) ? Number.NaN : Math.hypot(...(norms as number[]));
}
