import { endsEpoch, epochsAfter } from '../../shared/data/step-shape.js';
import { localOf } from '../../shared/optim/local-updates.js';
import { evaluationSet } from '../evaluation-set.js';
import { type Leg, RecordError, type RecordedRun } from './recorded-run.js';
import type { SessionRequest } from './replay.js';

/**
 * Compares what follows from the settings alone: epochs, which steps are evaluated, and how many steps there can be.
 * Where only part of a run is replayed, this is all that is known of the rest.
 * @param requestOf what a leg was asked for
 * @throws RecordError at the first line that cannot be
 */
export function checkSchedule(recorded: RecordedRun, requestOf: (leg: Leg) => SessionRequest): void {
  const { legs, steps, evaluations, end } = recorded;
  for (const [i, leg] of legs.entries()) {
    const { batch, leafSize, sync, evaluateEvery, data, steps: all } = requestOf(leg);
    const shape = { samples: data.train.manifest.samples, batch, leafSize, local: localOf(sync) };
    const to = legs[i + 1]?.from ?? recorded.lastStep;
    for (let step = leg.from + 1; step <= to; step++) {
      const { value, line } = steps[step] ?? { value: undefined, line: 0 };
      if (step > all) throw new RecordError(line, `is step ${step} of a run of ${all} steps`);
      if (value !== undefined && value.epoch !== Math.ceil(epochsAfter(shape, step)))
        throw new RecordError(line, `puts step ${step} into epoch ${value.epoch}`);
      const isAtEnd = evaluateEvery === undefined ? endsEpoch(shape, step) : step % evaluateEvery === 0;
      const isDue = evaluationSet(data) !== undefined && (isAtEnd || step === all);
      const evaluation = evaluations.get(step);
      if (isDue && evaluation === undefined)
        throw new RecordError(line, `is step ${step}; the evaluation that is due after it is missing`);
      if (!isDue && evaluation !== undefined)
        throw new RecordError(evaluation.line, `evaluates step ${step}, but no evaluation is due after it`);
    }
    if (i === legs.length - 1 && end?.reason === 'finished' && to !== all)
      throw new RecordError(
        leg.line,
        `starts a run of ${all} steps, but the record says that it finished at step ${to}`,
      );
  }
  if (evaluations.has(0))
    throw new RecordError(evaluations.get(0)?.line ?? 1, 'evaluates the initial weights');
}
