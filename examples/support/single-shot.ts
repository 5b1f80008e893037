import { fieldValues } from '../../shared/data/field-values.js';
import { CANVAS, CELL_NUMBERS, GRID } from '../../shared/data/images/digit-canvases.js';
import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { meanAveragePrecision } from '../../shared/metrics/mean-average-precision.js';
import { type Detection, suppressNonMaxima } from '../../shared/metrics/non-maximum-suppression.js';
import type { MeasuredData } from '../../trainer/recipe.js';

/** Least logit of an object (a probability of 1 in 55) for a cell to count as a detection. */
const OBJECT_LOGIT_MIN = -4;
/** Two detections of a class with a larger overlap are one object. */
const OVERLAP_MAX = 0.45;

/**
 * The detections in the cells of one canvas.
 * @param cells [8, 8, 15]: object, box and classes as described in digit-canvases.ts
 * @param least least score of a detection
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

/** mAP@0.5 on the test canvases. */
export async function measureDetections(
  predictor: Predictor,
  { test }: MeasuredData,
): Promise<{ meanAveragePrecision: number }> {
  const outputs = await predictor.predict({ image: fieldValues(test, 'image') });
  const truth = fieldValues(test, 'cells');
  const size = GRID * GRID * CELL_NUMBERS;
  const sightings = Array.from({ length: test.manifest.samples }, (_, row) => ({
    truth: readCells(truth.subarray(row * size, (row + 1) * size), 0.5),
    found: suppressNonMaxima(
      readCells(outputs.subarray(row * size, (row + 1) * size), OBJECT_LOGIT_MIN),
      OVERLAP_MAX,
    ),
  }));
  return { meanAveragePrecision: meanAveragePrecision(sightings) };
}
