import type { RunEnd } from '../../coordinator/run-coordinator.js';
import type { SavedCheckpoint, WeightSettings } from '../../coordinator/storage/checkpoint.js';
import { type Tensor, weightsSha256 } from '../../shared/files/tensors.js';
import { EXPECTED_HASHES } from '../../shared/kernels/self-test/self-test-hashes.js';
import type { Metric } from '../../shared/metrics/metric.js';
import { fingerprint } from '../learning-settings.js';
import type { RecipeData } from '../recipe.js';
import { type EndedLine, RECORD_FORMAT, type SessionOrigin } from './record-lines.js';

/** What was asked for. */
interface SessionRequest {
  /** Name of the recipe, or the path of its file. */
  readonly recipe: string;
  /** The options of the command line. */
  readonly options: Readonly<Record<string, string | boolean>>;
  readonly settings: WeightSettings;
}

/** What it is computed from, and by what. */
interface SessionMeans {
  readonly data: RecipeData;
  readonly evaluationMetrics?: readonly Metric[] | undefined;
  /** Initial weights; undefined: they are drawn from the seed, or the session resumes. */
  readonly parameters: readonly Tensor[] | undefined;
  /** Version of the program. */
  readonly version: string;
}

/** Everything that decides the numbers of a session. */
function sessionOrigin(
  { recipe, options, settings }: SessionRequest,
  { data, evaluationMetrics, parameters, version }: SessionMeans,
): SessionOrigin {
  return {
    ...{ recipe, options, settings },
    testData: data.test === undefined ? null : fingerprint(data.test.manifest),
    ...(data.validation !== undefined && { validationData: fingerprint(data.validation.manifest) }),
    ...(evaluationMetrics && { evaluationMetrics: evaluationMetrics.map(({ name }) => name) }),
    weights: parameters === undefined ? null : weightsSha256(parameters),
    code: { version, kernels: fingerprint(EXPECTED_HASHES) },
  };
}

/**
 * The first line of a session in metrics.jsonl.
 * @param from what it resumes from; null: nothing was saved, and the run starts again; undefined: it starts
 */
export function headLine(
  request: SessionRequest,
  means: SessionMeans,
  from: SavedCheckpoint | null | undefined,
): Readonly<Record<string, unknown>> {
  const origin = sessionOrigin(request, means);
  if (from === undefined) return { event: 'begun', step: 0, format: RECORD_FORMAT, ...origin };
  const state = from && { sha256: from.sha256, weightsSha256: from.weightsSha256 };
  return { event: 'resumed', step: from?.progress.step ?? 0, state, ...origin };
}

/**
 * The last line of a session in metrics.jsonl.
 * @param weightsSha256 of weights.safetensors; null: none were saved
 * @param isByOperator an operator has stopped the run
 */
export function endLine(
  { steps, reason, divergence }: RunEnd,
  weightsSha256: string | null,
  isByOperator = false,
): Omit<EndedLine, 'event'> {
  return {
    ...{ step: steps, reason },
    ...(divergence !== undefined && { divergence }),
    ...(isByOperator && { byOperator: true }),
    weightsSha256,
  };
}
