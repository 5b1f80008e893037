import { initialPlateau, updatePlateau } from '../../../shared/optim/plateau.js';
import { createSchedule, type ScheduleSettings } from '../../../shared/optim/schedule.js';
import type { Leg } from '../../../trainer/replay/recorded-run.js';
import { evaluatedLoss, type RunRecord } from '../../run-records/run-record.js';
import type { Point } from './curves.js';

/**
 * The learning rate of each recorded step, which follows from the settings and, after a plateau, from the evaluations. Of a
 * round of local updates it is that of the first optimizer step.
 * @throws UserError when the recorded schedule is none
 */
export function learningRates({
  legs,
  course,
  evaluations,
}: Pick<RunRecord, 'legs' | 'course' | 'evaluations'>): Point[] {
  const points: Point[] = [];
  const losses = new Map(evaluations.map(({ step, metrics }) => [step, evaluatedLoss(metrics)]));
  let plateau = initialPlateau();
  let at = 0;
  let rates = legs[0] === undefined ? undefined : rateOf(legs[0]);
  for (const { step } of course) {
    while (legs[at + 1] !== undefined && (legs[at + 1] as Leg).from < step) {
      at += 1;
      rates = rateOf(legs[at] as Leg);
    }
    if (rates === undefined) continue;
    points.push([step, rates.rate(step) * plateau.multiple]);
    const loss = losses.get(step);
    if (rates.schedule.name === 'reduceOnPlateau' && loss !== undefined && Number.isFinite(loss))
      plateau = updatePlateau(rates.schedule, rates.base, plateau, loss);
  }
  return points;
}

function rateOf({ settings }: Leg) {
  const base = Number(settings.learningRate);
  const schedule = settings.schedule as ScheduleSettings;
  const inner = Number((settings.sync as { steps?: unknown } | undefined)?.steps ?? 1);
  const multiple = createSchedule(schedule, Number(settings.steps) * inner);
  return { base, schedule, rate: (step: number) => base * multiple((step - 1) * inner) };
}
