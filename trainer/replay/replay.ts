import type { RunEnd } from '../../coordinator/run-coordinator.js';
import {
  decodeCheckpoint,
  encodeInPlace,
  type SavedCheckpoint,
} from '../../coordinator/storage/checkpoint.js';
import type { Clock } from '../../shared/actor/clock.js';
import { sha256OfPieces } from '../../shared/files/sha256.js';
import { areFinite, type Tensor, weightsSha256 } from '../../shared/files/tensors.js';
import { evaluationSetName } from '../evaluation-set.js';
import type { LearningSettings } from '../learning-settings.js';
import type { Recipe } from '../recipe.js';
import type { RunRequest } from '../run-plan.js';
import { Trainer } from '../trainer.js';
import type { RecordedEnd, RecordedRun } from './recorded-run.js';
import { differing, ReplayVerifier, type Span } from './replay-verifier.js';

/** What decides the numbers of a session, ready to be computed. */
export type SessionRequest = LearningSettings & { readonly recipe: Recipe };

/** Who computes; the numbers do not depend on it. */
export type Computers = Pick<RunRequest, 'workers' | 'threads' | 'backend'> & { readonly clock: Clock };

/** What a span begins with. */
export interface SpanStart {
  /** The state that it goes on from; undefined: the first weights. */
  readonly state: SavedCheckpoint | undefined;
  /** First weights that the run was told to begin with; undefined: it draws them. */
  readonly parameters: readonly Tensor[] | undefined;
}

/** What a span came to. */
export interface Replayed {
  readonly steps: number;
  readonly evaluations: number;
  readonly hashes: number;
  /** Hash of the weights in the end; null where the run has diverged and they are not finite. */
  readonly weightsSha256: string | null;
  /** The state after the last step, for the span that goes on from it, if there is one. */
  readonly state: SavedCheckpoint | undefined;
}

/**
 * Computes a span of a run again.
 * @param end how the run ended, in the span that ends it
 * @param isContinued another span goes on from the state that this one ends with
 * @returns what agreed, or the verifier's divergence
 */
export async function replaySpan(
  recorded: RecordedRun,
  span: Span,
  request: SessionRequest,
  start: SpanStart,
  end: RecordedEnd | undefined,
  isContinued: boolean,
  { clock, ...computers }: Computers,
): Promise<Replayed | { readonly divergence: NonNullable<ReplayVerifier['divergence']> }> {
  const verifier = new ReplayVerifier(recorded, span, evaluationSetName(request.data));
  const trainer = await Trainer.prepare(
    {
      ...request,
      ...computers,
      ...{ from: start.state, parameters: start.parameters },
      ...{ audit: 0, minWorkers: 1, inspectEvery: 0, checkpoints: { atSteps: verifier.statesWanted } },
    },
    verifier,
    clock,
  );
  const interrupt = (): void => trainer.coordinator.interrupt();
  verifier.onEnough = interrupt;
  try {
    let state: SavedCheckpoint | undefined;
    const nothing = async (): Promise<void> => {};
    const save = async ({ step }: { step: number }, pieces: Iterable<Uint8Array>): Promise<void> => {
      const others = verifier.savedByOthers(step);
      const isKept = isContinued && step === span.to;
      if (!isKept && others.length === 0) return;
      const saved = decodeCheckpoint(Buffer.concat([...pieces]), `the state of step ${step}`);
      if (isKept) state = saved;
      for (const { settings, sha256: recordedSha256 } of others) {
        const { sha256 } = await encodeInPlace({ ...saved, settings }, sha256OfPieces);
        if (sha256 !== recordedSha256)
          verifier.depart(
            step,
            `the state after it is ${sha256} under other settings, and was recorded as ${recordedSha256}`,
          );
      }
    };
    trainer.saveCheckpointsTo({ store: { save, forgetAfter: async () => -1 }, prepare: nothing });
    if (span.from === span.to && !span.endsRun) interrupt();
    trainer.start();
    const ended = await trainer.ended();
    if (span.endsRun && end !== undefined) compareEnd(ended, end, span, verifier);
    else if (ended.steps < span.to)
      verifier.depart(
        ended.steps,
        `the replay ends after it (${ended.reason}), but the recorded run continues`,
      );
    // Nothing is saved where an evaluation is not finite. All other states are awaited: a run may end before they are there.
    const isUnsaved = ended.divergence === 'evaluation' && ended.steps <= span.to;
    const unsaved = isUnsaved ? ended.steps : undefined;
    if (unsaved !== undefined && (recorded.saved.has(unsaved) || !span.endsRun))
      verifier.depart(unsaved, 'its evaluation is not finite, so the replay ends without saving its state');
    await verifier.statesCompared(unsaved);
    if (span.endsRun && end !== undefined) await compareMeasured(trainer, recorded, end, verifier);
    const weights = span.endsRun
      ? finiteHash(trainer.parameters(), ended.reason === 'diverged')
      : (verifier.lastWeights ?? start.state?.weightsSha256);
    if (verifier.divergence !== undefined) return { divergence: verifier.divergence };
    return {
      steps: verifier.checkedSteps,
      evaluations: verifier.checkedEvaluations,
      hashes: verifier.checkedHashes,
      weightsSha256: weights ?? null,
      state: state ?? start.state,
    };
  } finally {
    await trainer.close('the span was replayed');
  }
}

/** Compares how the run ends. */
function compareEnd(
  { reason, steps, divergence, restored }: RunEnd,
  end: RecordedEnd,
  { to }: Span,
  verifier: ReplayVerifier,
): void {
  if (steps !== to || reason !== end.reason || divergence !== end.divergence)
    verifier.depart(
      steps,
      `the replay ends after it (${reason}), but the recorded run is ${end.reason} at step ${to}`,
    );
  if (restored !== end.restored)
    verifier.depart(
      to,
      `the replay ends with the weights of step ${restored ?? steps}, the recorded run with those of step ${end.restored ?? to}`,
    );
}

/** A run that has diverged saves no weights that are not finite. */
function finiteHash(parameters: readonly Tensor[], mustBeFinite: boolean): string | null {
  return mustBeFinite && !areFinite(parameters) ? null : weightsSha256(parameters);
}

/** Measures with the final weights what the recipe measures by predictions. */
async function compareMeasured(
  trainer: Trainer,
  { evaluations }: RecordedRun,
  { step, reason, restored, measured = {} }: RecordedEnd,
  verifier: ReplayVerifier,
): Promise<void> {
  if (verifier.divergence !== undefined || (reason !== 'finished' && reason !== 'stopped')) return;
  const latest = [...evaluations.keys()].reduce((a, b) => Math.max(a, b), 0);
  const evaluated = evaluations.get(restored ?? latest)?.value ?? {};
  let computed: Readonly<Record<string, number>> = {};
  await trainer.measure(step, {
    metrics: evaluated as Readonly<Record<string, number>>,
    measuring: () => {},
    measured: (_, metrics) => {
      computed = metrics;
    },
  });
  const wrong = differing(measured, computed);
  if (wrong !== undefined) verifier.depart(step, `the ${wrong[0]} measured in the end ${wrong[1]}`);
}
