/*
 * Verifying a run: what its directory says is compared with what is replayed. Nothing that the directory says is
 * taken for true because nothing contradicts it: the chain of metrics.jsonl can be computed anew by anybody who alters it, and
 * every file can be replaced. So the result rests on computation alone, and says what was computed.
 */
import { realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readChain } from '../../coordinator/storage/metrics-chain.js';
import { readRunConfig } from '../../coordinator/storage/run-config.js';
import { checkpointsIn, METRICS_FILE, MODEL_FILE } from '../../coordinator/storage/run-directory.js';
import type { SeededRandom } from '../../shared/actor/seeded-random.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { UserError } from '../../shared/errors.js';
import { exists } from '../../shared/files/read-file.js';
import { type Tensor, weightsSha256 } from '../../shared/files/tensors.js';
import type { Model } from '../../shared/graph/model.js';
import { shellWord } from '../../shared/shell-word.js';
import { checkpointBytesMax, firstWeightsBytesMax } from '../file-bounds.js';
import { isStoredModel, loadStoredModel, storedModelOf } from '../stored-model.js';
import { loadParameters } from '../trained-model.js';
import { type Checked, notProven, proven } from './findings.js';
import { type Leg, RecordedRun } from './recorded-run.js';
import type { Computers, SessionRequest } from './replay.js';
import { replaySpans, spansOf } from './replay-spans.js';
import { checkCheckpoints, checkWeightsFile } from './run-files.js';
import { checkSchedule } from './schedule-check.js';
import { compareConfig, type ResolvedSession, resolveLegs, type SessionResolver } from './session-check.js';
import { sampleSpans } from './span-sample.js';

/** How runs are verified. */
export interface VerifyRequest {
  readonly resolve: SessionResolver;
  readonly computers: Computers;
  /** How many steps are drawn, each with the span around it; undefined: everything is computed. */
  readonly draws: number | undefined;
  readonly random: SeededRandom;
  /** SHA-256 of weights that a run may begin with though nothing proves where they come from. */
  readonly trustedWeights: readonly string[];
  /** Is told what is computed now. */
  readonly onProgress: (line: string) => void;
}

/** What was proven of a run. */
export interface Verification extends Checked {
  readonly ok: true;
  /** Of weights.safetensors; null: the run has diverged and has none. */
  readonly weightsSha256: string | null;
  readonly mode: 'full' | 'sampled';
  /** Steps of the run. */
  readonly steps: number;
  /** With what probability a single altered step would have been missed, at worst. */
  readonly missProbability: number;
  readonly exitReason: string;
  readonly recipe: string;
  /** Hashes of what the run was made of: the manifests of its data, and the weights that it was told to begin with. */
  readonly dataSha256: string;
  readonly testDataSha256: string | null;
  readonly initialWeightsSha256: string | null;
  /** Hash of the last line of metrics.jsonl, which stands for all of them. */
  readonly recordSha256: string;
  /** In words. */
  readonly proven: readonly string[];
  readonly notProven: readonly string[];
}

/** Runs that begin with the weights of other runs, and so on: so many at most. */
const ANCESTORS_MAX = 16;

/**
 * Verifies a run.
 * @param path its directory
 * @throws UserError when the run is not proven: with the first thing that differs, or the reason why nothing can be said
 */
export async function verifyRun(
  path: string,
  request: VerifyRequest,
  descendants: readonly string[] = [],
): Promise<Verification> {
  const recorded = new RecordedRun();
  const config = await readRunConfig(path);
  const chain = await readChain(join(path, METRICS_FILE), (record, line) => recorded.take(record, line));
  if (chain.fault !== undefined)
    throw new UserError(
      `line ${chain.fault.line} of ${METRICS_FILE} is not part of the chain: ${chain.fault.what}`,
    );
  const { end, legs } = recorded;
  if (legs.length === 0) throw new UserError(`${METRICS_FILE} is missing or empty`);
  if (legs[0]?.state !== null)
    throw new UserError(
      `${METRICS_FILE} begins at step ${legs[0]?.from}: the origin of that state is not recorded`,
    );
  if (end === undefined)
    throw new UserError(
      `the run has not ended: it is still running, or was killed; finish it with --resume ${shellWord(path)}`,
    );

  const sessions = await resolveLegs(recorded.legs, config.config, request.resolve);
  compareConfig(config, recorded.leg, sessions.get(recorded.leg) as ResolvedSession);
  const requestOf = (leg: Leg): SessionRequest => (sessions.get(leg) as ResolvedSession).request;
  checkSchedule(recorded, requestOf);

  const first = legs[0] as Leg;
  const { recipe, data } = requestOf(first);
  const { model, parameters: places } = createPlan(recipe.model(data));
  // A run that had to start again keeps the leaf size of its first start there: it decides how means are summed, no more.
  const { leafSize } = await loadStoredModel(path);
  if (!(await isStoredModel(path, storedModelOf(first.recipe, recipe, data, model, leafSize))))
    throw new UserError(`${MODEL_FILE} describes another model than the recipe does`);
  const fileHash = await checkWeightsFile(path, end.weightsSha256, places);
  const origin = await initialWeights(first, sessions.get(first)?.weights, model, path, request, descendants);

  const store = checkpointsIn(path, { bytesMax: checkpointBytesMax(model) });
  const files = await checkCheckpoints(store, recorded);
  const { draws, random } = request;
  const sample = draws === undefined ? undefined : await sampleSpans(recorded, store, draws, random);
  const { checked, weightsSha256: final } = await replaySpans(recorded, {
    ...{ spans: sample?.spans ?? spansOf(recorded), requestOf, parameters: origin.parameters },
    ...{ store: sample && store, request },
  });
  // The hash of the file was compared with the record alone; here the record is compared with the computation.
  if (final !== fileHash)
    throw new UserError(
      `the final weights differ: they are ${final ?? 'not finite'}, and were recorded as ${fileHash ?? 'not finite'}`,
    );
  return {
    ok: true,
    weightsSha256: final,
    mode: sample === undefined ? 'full' : 'sampled',
    steps: recorded.lastStep,
    ...checked,
    missProbability: Math.max(sample?.missProbability ?? 0, origin.ancestor?.missProbability ?? 0),
    exitReason: end.reason,
    recipe: first.recipe,
    dataSha256: String(first.settings.data),
    testDataSha256: first.testData,
    initialWeightsSha256: first.weights,
    recordSha256: chain.hash,
    proven: proven({
      recorded,
      end,
      checked,
      sample,
      checkpoints: files,
      origin: origin.words,
      weightsSha256: final,
    }),
    notProven: [
      ...(await notProven({ path, recorded, sample, version: first.code.version })),
      ...(origin.isTrusted ? ['where its initial weights come from'] : []),
      ...(origin.ancestor?.notProven.map((what) => `of the run that it starts from: ${what}`) ?? []),
    ],
  };
}

/** Where the first weights of a run come from. */
export interface Origin {
  readonly parameters: readonly Tensor[] | undefined;
  readonly words: string;
  readonly isTrusted: boolean;
  /** The run whose weights they are. */
  readonly ancestor?: Verification;
}

/** @throws UserError when nothing proves where they come from */
export async function initialWeights(
  { weights: recorded, settings }: Leg,
  source: string | undefined,
  network: Model,
  path: string,
  request: VerifyRequest,
  descendants: readonly string[],
): Promise<Origin> {
  if (source === undefined && recorded === null)
    return { parameters: undefined, words: `the weights drawn from seed ${settings.seed}`, isTrusted: false };
  if (source === undefined || recorded === null)
    throw new UserError('its record and its options disagree about its initial weights');
  const parameters = await loadParameters(source, firstWeightsBytesMax(network));
  const hash = weightsSha256(parameters);
  if (hash !== recorded)
    throw new UserError(`the weights in ${source} are not the initial weights of the run`);
  if (request.trustedWeights.includes(hash)) {
    const words = `the weights with the SHA-256 ${hash}, which are trusted`;
    return { parameters, words, isTrusted: true };
  }
  const isRun = (await exists(source)) && (await stat(source)).isDirectory();
  if (!isRun)
    throw new UserError(
      `its initial weights are those in ${source}, whose origin is not proven; if you trust them, add --trust-weights ${hash}`,
    );
  const known = [...descendants, await realpath(path)];
  if (known.length > ANCESTORS_MAX || known.includes(await realpath(source)))
    throw new UserError(`its initial weights are those of ${source}, which in turn starts from this run`);
  request.onProgress(`${path} starts from the weights of ${source}, which is verified first`);
  const ancestor = await verifyRun(source, request, known).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`its initial weights are those of ${source}, which is not proven: ${error.message}`);
  });
  if (ancestor.weightsSha256 !== hash)
    throw new UserError(`the weights in ${source} changed while it was verified`);
  return { parameters, words: `the weights of ${source}, which is verified too`, isTrusted: false, ancestor };
}
