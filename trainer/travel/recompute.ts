import type { Observer } from '../../coordinator/state/observer.js';
import { decodeCheckpoint, type SavedCheckpoint } from '../../coordinator/storage/checkpoint.js';
import { evaluationSetName, namedMetrics } from '../evaluation-set.js';
import type { Computers, SessionRequest, SpanStart } from '../replay/replay.js';
import { Trainer } from '../trainer.js';

type Numbers = Readonly<Record<string, number>>;

/** What was computed again of a run. */
export interface Recomputed {
  /** The states after the steps that were asked for, as far as the run came. */
  readonly states: ReadonlyMap<number, SavedCheckpoint>;
  /** Mean metrics of each step, by its number. */
  readonly means: ReadonlyMap<number, Numbers>;
  /** Evaluations by the steps done before, under the names of the record. */
  readonly evaluations: ReadonlyMap<number, Numbers>;
}

/**
 * Computes a part of a run again, with the code that trained it.
 * @param start what it goes on from
 * @param steps whose states are wanted, ascending and not before the start; it ends after the last one
 */
export async function recompute(
  request: SessionRequest,
  { state: from, parameters }: SpanStart,
  steps: readonly number[],
  { clock, ...computers }: Computers,
): Promise<Recomputed> {
  const last = steps.at(-1) ?? 0;
  const begin = from?.progress.step ?? 0;
  const states = new Map<number, SavedCheckpoint>();
  if (from !== undefined && steps.includes(begin)) states.set(begin, from);
  const means = new Map<number, Numbers>();
  const evaluations = new Map<number, Numbers>();
  if (from !== undefined && last === begin) return { states, means, evaluations };
  const evaluatedOn = evaluationSetName(request.data);
  let interrupt = (): void => {};
  const observer: Observer = {
    stepped(record) {
      if (record.step > last) return;
      means.set(record.step, record.means);
      if (record.step === last) interrupt();
    },
    evaluated: (step, metrics) => {
      if (step <= last) evaluations.set(step, namedMetrics(evaluatedOn, metrics));
    },
    inspected() {},
    reported() {},
    notice() {},
  };
  const wanted = steps.filter((step) => !states.has(step));
  const trainer = await Trainer.prepare(
    {
      ...request,
      ...computers,
      ...{ from, parameters, audit: 0, minWorkers: 1, inspectEvery: 0, checkpoints: { atSteps: wanted } },
    },
    observer,
    clock,
  );
  interrupt = () => trainer.coordinator.interrupt();
  try {
    const missing = new Set(wanted);
    let onSaved = (): void => {};
    const save = async ({ step }: { step: number }, pieces: Iterable<Uint8Array>): Promise<void> => {
      if (!missing.delete(step)) return;
      states.set(step, decodeCheckpoint(Buffer.concat([...pieces]), `the state of step ${step}`));
      onSaved();
    };
    trainer.saveCheckpointsTo({ store: { save, forgetAfter: async () => -1 }, prepare: async () => {} });
    if (last === begin) interrupt();
    trainer.start();
    const end = await trainer.ended();
    // Nothing is saved behind the end, nor where an evaluation is not finite.
    for (const step of wanted)
      if (step > end.steps || (step === end.steps && end.divergence === 'evaluation')) missing.delete(step);
    await new Promise<void>((resolve) => {
      onSaved = () => missing.size === 0 && resolve();
      onSaved();
    });
    return { states, means, evaluations };
  } finally {
    await trainer.close('a part of the run was computed again');
  }
}
