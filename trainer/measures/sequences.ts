import type { Dataset } from '../../shared/data/dataset.js';
import { fieldValues } from '../../shared/data/field-values.js';
import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { errorRate } from '../../shared/metrics/edit-distance.js';
import { decodeCtc } from '../decoding/ctc-greedy.js';

/** Recordings that are predicted together: their outputs are in memory at once. */
const PREDICTED_TOGETHER = 512;

/**
 * Edits per digit between the decoded and the true strings of digits, and the share of strings without edits.
 * @param test fields `spectrogram` and `digits`, labels padded with 0
 * @param classes of the network's output, the blank among them
 */
export async function measureSequences(
  predictor: Pick<Predictor, 'predict'>,
  test: Dataset,
  classes: number,
): Promise<{ digitErrorRate: number; exactMatch: number }> {
  const { samples, fields } = test.manifest;
  const [length = 1] = fields.digits?.shape ?? [];
  const labels = fieldValues(test, 'digits');
  const pairs: { predicted: readonly number[]; reference: readonly number[] }[] = [];
  for (let from = 0; from < samples; from += PREDICTED_TOGETHER) {
    const to = Math.min(from + PREDICTED_TOGETHER, samples);
    const outputs = await predictor.predict({ spectrogram: fieldValues(test, 'spectrogram', { from, to }) });
    decodeCtc(outputs, to - from, classes).forEach((decoded, i) => {
      const padded = Array.from(labels.subarray((from + i) * length, (from + i + 1) * length));
      pairs.push({ predicted: decoded, reference: padded.filter((label) => label > 0) });
    });
  }
  const right = pairs.filter(({ predicted, reference }) => predicted.join() === reference.join()).length;
  return { digitErrorRate: errorRate(pairs), exactMatch: right / samples };
}
