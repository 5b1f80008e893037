import type { ExchangeMode, ExchangeSettings } from '../state/run-settings.js';
import type { Capacity } from './assignment.js';
import { inMs, type LocalThreads, stepMsWith } from './placement.js';
import type { WorkerRecord } from './scheduling-state.js';
import type { StepAhead } from './step-ahead.js';

/*
 * What would make a member on standby useful, by the model that also assigns leaves. An exchange takes the round trip of the
 * link, and a time that grows with its bytes; both were measured.
 */

/** Largest batch that is suggested, in multiples of the present one. */
const LARGER_BATCH_MOST = 64;
/** A remedy is named when it makes a step faster by this part. */
const WORTHWHILE = 0.1;

/** One clause for people, with what a step would take in each mode. @param worker the member */
export function remedyOf(
  { member }: WorkerRecord,
  batch: StepAhead['batch'],
  alone: LocalThreads,
  capacity: Capacity,
  { bytes, others }: ExchangeSettings,
): string {
  const roundTripMs = Math.min(member.roundTripMs ?? 0, capacity.overheadMs);
  const overheadMsOf = (mode: ExchangeMode): number =>
    exchangeMs(capacity.overheadMs, roundTripMs, mode.bytes / bytes);
  const costed = (mode: ExchangeMode): string[] => {
    const leaves = batch.leaves * mode.steps;
    const member = { ...capacity, overheadMs: overheadMsOf(mode) };
    const local = { ...alone, helperMs: alone.helperMs * (mode.bytes / bytes) };
    const stepMs = stepMsWith(leaves, local, [member]) / mode.steps;
    return isWorthwhile(leaves, local, member) ? [`${mode.option} (${inMs(stepMs)} a step)`] : [];
  };
  const remedies = [...largerBatch(batch, alone, capacity), ...others.flatMap(costed)];
  const last = remedies.pop();
  if (last === undefined) return 'nothing would make it useful on this link';
  return `${remedies.length === 0 ? last : `${remedies.join(', ')} or ${last}`} would make it useful`;
}

/** What an exchange would take that has so many times the bytes. @param overheadMs what it takes now */
export function exchangeMs(overheadMs: number, roundTripMs: number, times: number): number {
  return roundTripMs + (overheadMs - roundTripMs) * times;
}

function largerBatch(batch: StepAhead['batch'], alone: LocalThreads, capacity: Capacity): string[] {
  for (let factor = 2; factor <= LARGER_BATCH_MOST; factor *= 2)
    if (isWorthwhile(batch.leaves * factor, alone, capacity))
      return [`a batch from ${batch.samples * factor}`];
  return [];
}

/** Whether a member makes the computation of so many leaves clearly faster. */
function isWorthwhile(leaves: number, alone: LocalThreads, capacity: Capacity): boolean {
  return stepMsWith(leaves, alone, [capacity]) < (1 - WORTHWHILE) * alone.msPerLeaf * leaves;
}
