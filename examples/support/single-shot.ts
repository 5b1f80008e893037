import type { RecipeData } from '../../coordinator/recipe.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { CANVAS, CELL_NUMBERS, GRID } from '../../shared/data/images/digit-canvases.js';
import type { Predictor } from '../../shared/engine/prediction.js';
import { meanAveragePrecision } from '../../shared/metrics/mean-average-precision.js';
import { type Detection, suppressNonMaxima } from '../../shared/metrics/non-maximum-suppression.js';

/** A cell that is less sure than this of holding an object (a logit: 1 in 55) is not asked further. */
const SURE_ENOUGH = -4;
/** Two detections of one class that overlap by more are one object. */
const SAME_OBJECT = 0.45;

/**
 * What the cells of one canvas say.
 * @param cells [8, 8, 15]: object, box and classes as digit-canvases.ts describes them
 * @param least objects below are left out
 */
function readCells(cells: Float32Array, least: number): Detection[] {
  const detections: Detection[] = [];
  for (let cell = 0; cell < GRID * GRID; cell++) {
    const [score, right, down, width, height, ...classes] = cells.subarray(
      cell * CELL_NUMBERS,
      (cell + 1) * CELL_NUMBERS,
    ) as unknown as [number, number, number, number, number, ...number[]];
    if (!(score >= least)) continue;
    detections.push({
      x: (((cell % GRID) + right) * CANVAS) / GRID,
      y: ((Math.floor(cell / GRID) + down) * CANVAS) / GRID,
      width: width * CANVAS,
      height: height * CANVAS,
      kind: classes.indexOf(Math.max(...classes)),
      score,
    });
  }
  return detections;
}

/** mAP@0.5 on canvases that the network has never seen, made of digits that it has never seen. */
export async function measureDetections(
  predictor: Predictor,
  { test }: RecipeData,
): Promise<{ meanAveragePrecision: number }> {
  const said = await predictor.predict({ image: fieldValues(test, 'image') });
  const truth = fieldValues(test, 'cells');
  const size = GRID * GRID * CELL_NUMBERS;
  const sightings = Array.from({ length: test.manifest.samples }, (_, row) => ({
    truth: readCells(truth.subarray(row * size, (row + 1) * size), 0.5),
    found: suppressNonMaxima(
      readCells(said.subarray(row * size, (row + 1) * size), SURE_ENOUGH),
      SAME_OBJECT,
    ),
  }));
  return { meanAveragePrecision: meanAveragePrecision(sightings) };
}
