/*
 * When backprop is inspected: before a step that is asked for, to see its values and error terms, and behind it, to see how
 * far it moved the weights. Inspections change nothing, so the weights do not depend on when they happen.
 */

/** The inspection policy's part of the state. */
export interface InspectionState {
  /** Steps between two inspected steps; 0: none is inspected. */
  readonly every: number;
  /** Steps of the whole run. */
  readonly steps: number;
  /** Steps done at the latest inspection; -1 before the first. */
  inspectedAt: number;
}

/** Nothing has been inspected. */
export function initialInspection(every: number, steps: number): InspectionState {
  return { every, steps, inspectedAt: -1 };
}

/** Whether the step after this many is to be inspected. */
export function isInspected({ every, steps }: InspectionState, step: number): boolean {
  return every > 0 && step < steps && step % every === 0;
}

/** Whether there is something to inspect after this many steps that has not been inspected. */
export function inspectionIsDue(part: InspectionState, step: number): boolean {
  return step !== part.inspectedAt && (isInspected(part, step) || (step > 0 && isInspected(part, step - 1)));
}

/** Steps until there is something to inspect again; at least 1. */
export function stepsToInspection({ every }: InspectionState, step: number): number {
  if (every === 0) return Number.POSITIVE_INFINITY;
  return step % every === 0 ? 1 : every - (step % every);
}
