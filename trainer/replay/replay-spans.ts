import type { SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import type { CheckpointStore } from '../../coordinator/storage/checkpoint-store.js';
import { UserError } from '../../shared/errors.js';
import type { Tensor } from '../../shared/files/tensors.js';
import type { Checked } from './findings.js';
import type { Leg, RecordedRun } from './recorded-run.js';
import { type Computers, replaySpan, type SessionRequest, type SpanStart } from './replay.js';
import type { Span } from './replay-verifier.js';

/** Which spans are replayed, and with what. */
interface ReplayRequest {
  readonly spans: readonly Span[];
  readonly requestOf: (leg: Leg) => SessionRequest;
  /** First weights that the run was told to begin with; undefined: it draws them. */
  readonly parameters: readonly Tensor[] | undefined;
  /** The states that spans begin with; undefined: each goes on from the one before. */
  readonly store: CheckpointStore | undefined;
  readonly request: {
    readonly computers: Computers;
    /** Is told what is computed now. */
    readonly onProgress: (line: string) => void;
  };
}

/**
 * Computes spans of a run again.
 * @returns how much was compared, and the hash of the last weights; null where they are not finite
 * @throws UserError that names the first step that differs
 */
export async function replaySpans(
  recorded: RecordedRun,
  { spans, requestOf, parameters, store, request: { computers, onProgress } }: ReplayRequest,
): Promise<{ checked: Checked; weightsSha256: string | null }> {
  const checked = { checkedSteps: 0, checkedEvaluations: 0, checkedHashes: 0 };
  let weightsSha256: string | null = null;
  let state: SavedCheckpoint | undefined;
  for (const [i, span] of spans.entries()) {
    onProgress(
      span.from === span.to
        ? `replaying the state of step ${span.to}`
        : `replaying steps ${span.from + 1} to ${span.to}`,
    );
    const start: SpanStart =
      span.states === undefined
        ? { state: undefined, parameters }
        : { state: store === undefined ? state : await keptState(store, span), parameters: undefined };
    const end = span.to === recorded.lastStep ? recorded.end : undefined;
    const isContinued = store === undefined && i < spans.length - 1;
    const replayed = await replaySpan(
      ...([recorded, span, requestOf(span.leg), start, end, isContinued, computers] as const),
    );
    if ('divergence' in replayed) {
      const { step, what } = replayed.divergence;
      throw new UserError(`the run differs at step ${step}: ${what}`);
    }
    checked.checkedSteps += replayed.steps;
    checked.checkedEvaluations += replayed.evaluations;
    checked.checkedHashes += replayed.hashes;
    ({ weightsSha256, state } = replayed);
  }
  return { checked, weightsSha256 };
}

/** Everything, in spans of the same settings. */
export function spansOf({ legs, lastStep, end }: RecordedRun): Span[] {
  return legs.map((leg, i) => {
    const to = legs[i + 1]?.from ?? lastStep;
    const isLast = i === legs.length - 1;
    const states = leg.state === null ? undefined : new Set([leg.state.sha256]);
    return { leg, from: leg.from, to, states, endsRun: isLast && end?.reason !== 'interrupted' };
  });
}

/** The state that a span goes on from. @throws UserError when it is not the recorded one */
async function keptState(store: CheckpointStore, { from, states }: Span): Promise<SavedCheckpoint> {
  const state = await store.load(from);
  if (states?.has(state.sha256)) return state;
  throw new UserError(`the checkpoint of step ${from} is not the one that was recorded`);
}
