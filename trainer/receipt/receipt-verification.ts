import { checkpointsIn } from '../../coordinator/storage/run-directory.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { UserError } from '../../shared/errors.js';
import { checkpointBytesMax } from '../file-bounds.js';
import { notProven, proven } from '../replay/findings.js';
import { keepsAverage, type Leg } from '../replay/recorded-run.js';
import type { SessionRequest } from '../replay/replay.js';
import { replaySpans, spansOf } from '../replay/replay-spans.js';
import { checkSchedule } from '../replay/schedule-check.js';
import { type ResolvedSession, resolveLegs } from '../replay/session-check.js';
import { sampleSpans } from '../replay/span-sample.js';
import { initialWeights, type Verification, type VerifyRequest } from '../replay/verification.js';
import { readReceipt } from './receipt.js';
import { recordedIn } from './receipt-format.js';

/**
 * Verifies a receipt: computes its run again, and compares every state, every evaluation and the end. The same rules hold as
 * for a run: only what was computed counts.
 * @param path its file
 * @param states a run directory with the checkpoints that a sample begins with; undefined: there is none
 * @throws UserError when it is not proven: with the first thing that differs, or the reason why nothing can be said
 */
export async function verifyReceipt(
  path: string,
  states: string | undefined,
  request: VerifyRequest,
): Promise<Verification> {
  const receipt = await readReceipt(path);
  const recorded = recordedIn(receipt);
  const { end, legs } = recorded;
  const first = legs[0] as Leg;
  if (end === undefined) throw new UserError('the receipt says of no end');
  const sessions = await resolveLegs(legs, {}, request.resolve);
  const requestOf = (leg: Leg): SessionRequest => (sessions.get(leg) as ResolvedSession).request;
  checkSchedule(recorded, requestOf);
  const { recipe, data } = requestOf(first);
  const { model } = createPlan(recipe.model(data));
  const origin = await initialWeights(first, sessions.get(first)?.weights, model, path, request, []);
  const isAverage = keepsAverage(recorded.leg) && (end.reason === 'finished' || end.reason === 'stopped');
  if (end.weightsSha256 !== null && !isAverage)
    recorded.claims.push({ step: end.restored ?? end.step, weightsSha256: end.weightsSha256 });
  const { draws, random } = request;
  if (draws !== undefined && states === undefined)
    throw new UserError(
      'a receipt has the hashes of states, not the states; name a copy of the run with --checkpoints DIR, or leave --sample out',
      2,
    );
  const store =
    states === undefined ? undefined : checkpointsIn(states, { bytesMax: checkpointBytesMax(model) });
  const sample =
    draws === undefined || store === undefined
      ? undefined
      : await sampleSpans(recorded, store, draws, random);
  const { checked, weightsSha256 } = await replaySpans(recorded, {
    ...{ spans: sample?.spans ?? spansOf(recorded), requestOf, parameters: origin.parameters },
    ...{ store: sample && store, request },
  });
  if (weightsSha256 !== end.weightsSha256)
    throw new UserError(
      `the final weights differ: they are ${weightsSha256 ?? 'not finite'}, and the receipt says ${end.weightsSha256 ?? 'not finite'}`,
    );
  const { version } = first.code;
  return {
    ...{ ok: true, weightsSha256, mode: sample === undefined ? 'full' : 'sampled', steps: recorded.lastStep },
    ...checked,
    missProbability: Math.max(sample?.missProbability ?? 0, origin.ancestor?.missProbability ?? 0),
    ...{ exitReason: end.reason, recipe: first.recipe, dataSha256: String(first.settings.data) },
    ...{ testDataSha256: first.testData, initialWeightsSha256: first.weights },
    recordSha256: receipt.told.recordSha256,
    proven: proven({ recorded, end, checked, sample, checkpoints: 0, origin: origin.words, weightsSha256 }),
    notProven: [
      ...(await notProven({ path: undefined, recorded, sample, version })),
      ...(origin.isTrusted ? ['where its initial weights come from'] : []),
      ...(origin.ancestor?.notProven.map((what) => `of the run that it starts from: ${what}`) ?? []),
    ],
  };
}
