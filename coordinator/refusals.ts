/*
 * What is said of those who are refused. The first time it is told in full; who does the same a thousand times fills no
 * log, for what follows is counted, and told once in a while. Nothing is forgotten: the counts add up.
 */
import type { CoordinatorEffect } from './messages.js';

/** How often refusals are told that were counted. */
const TOLD_EVERY_MS = 10_000;
/** Most reasons that are told apart within this time; many are as good as one who makes them up. */
const REASONS_MAX = 16;
/** What further ones are counted as. */
const OTHER = 'for other reasons';

/** Refusals that have been told, and what came since. */
export interface Refusals {
  /** How often each was met since it was told last. */
  readonly counts: Map<string, number>;
  toldAtMs: number;
}

/** Nobody has been refused yet. */
export function noRefusals(nowMs: number): Refusals {
  return { counts: new Map(), toldAtMs: nowMs };
}

/** Tells that someone was refused, or counts it, if others were lately for the same reason. */
export function noteRefusal(
  { counts }: Refusals,
  name: string,
  reason: string,
  effects: CoordinatorEffect[],
): void {
  const before = counts.get(reason);
  if (before === undefined && counts.size < REASONS_MAX) {
    counts.set(reason, 0);
    effects.push({ kind: 'notice', text: `refused ${name}: ${reason}` });
  } else {
    const counted = before === undefined ? OTHER : reason;
    counts.set(counted, (counts.get(counted) ?? 0) + 1);
  }
}

/** Tells what was counted, when it is time to. A reason that was not met again is new the next time. */
export function tellRefusals(refusals: Refusals, nowMs: number, effects: CoordinatorEffect[]): void {
  if (nowMs - refusals.toldAtMs < TOLD_EVERY_MS) return;
  refusals.toldAtMs = nowMs;
  tellAll(refusals, effects);
}

/** Tells what was counted and not told yet: the run is over. */
export function tellAll({ counts }: Refusals, effects: CoordinatorEffect[]): void {
  for (const [reason, count] of counts) {
    if (count > 0) effects.push({ kind: 'notice', text: `refused ${count} more: ${reason}` });
    if (count > 0) counts.set(reason, 0);
    else counts.delete(reason);
  }
}
