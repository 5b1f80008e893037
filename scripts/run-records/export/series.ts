import type { LabelledPoints, Point } from '../../reports/run/curves.js';
import { learningRates } from '../../reports/run/learning-rates.js';
import type { RunRecord } from '../run-record.js';

/** Numbers over steps, under a name of two parts: "loss/training", "accuracy/test", "gradientNorm/dense". */
export interface Series {
  readonly tag: string;
  readonly points: readonly Point[];
}

/**
 * All numbers that a run has recorded, and the learning rates that follow from its settings.
 * @param gradients norms of layers, empty where none were inspected
 * @throws UserError when the recorded schedule is none
 */
export function seriesOf(run: RunRecord, gradients: readonly LabelledPoints[]): Series[] {
  const series = new Map<string, Point[]>();
  const add = (tag: string, step: number, value: number): void => {
    const points = series.get(tag) ?? [];
    points.push([step, value]);
    series.set(tag, points);
  };
  for (const { step, means } of run.course)
    for (const [name, value] of Object.entries(means)) add(`${name}/training`, step, value);
  for (const { step, metrics } of run.evaluations)
    for (const [name, value] of Object.entries(metrics)) add(evaluationTag(name), step, value);
  for (const [step, rate] of learningRates(run)) add('learningRate/training', step, rate);
  for (const { step, workers } of run.course) add('members/training', step, workers);
  for (const { label, points } of gradients)
    for (const [step, norm] of points) add(`gradientNorm/${label}`, step, norm);
  return [...series].map(([tag, points]) => ({ tag, points }));
}

/** testTop5Accuracy -> top5Accuracy/test */
function evaluationTag(name: string): string {
  const [, set = 'evaluation', metric = name] = /^(test|validation)(.+)$/.exec(name) ?? [];
  return `${metric.slice(0, 1).toLowerCase()}${metric.slice(1)}/${set}`;
}
