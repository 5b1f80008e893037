/*
 * How refusals are reported. The first refusal for a reason is reported in full. A peer that is refused a thousand times for
 * the same reason fills no log: further refusals are counted, and the counts are reported once in a while.
 */
import type { CoordinatorEffect } from '../state/messages.js';

/** How often counted refusals are reported. */
const REPORT_EVERY_MS = 10_000;
/** Most reasons that are counted apart within this time: a peer can make up any number of them. */
const REASONS_MAX = 16;
/** What further reasons are counted as. */
const OTHER = 'for other reasons';

/** Refusals that have been reported, and what came since. */
export interface RefusalLog {
  /** How often each reason was met since it was last reported. */
  readonly counts: Map<string, number>;
  reportedAtMs: number;
}

/** Nobody has been refused yet. */
export function noRefusals(nowMs: number): RefusalLog {
  return { counts: new Map(), reportedAtMs: nowMs };
}

/** Reports a refusal, or counts it when others were refused lately for the same reason. */
export function noteRefusal({ counts }: RefusalLog, name: string, reason: string): CoordinatorEffect[] {
  const before = counts.get(reason);
  if (before === undefined && counts.size < REASONS_MAX) {
    counts.set(reason, 0);
    return [{ kind: 'notice', text: `refused ${name}: ${reason}` }];
  }
  const counted = before === undefined ? OTHER : reason;
  counts.set(counted, (counts.get(counted) ?? 0) + 1);
  return [];
}

/** Reports what was counted, when it is time to. A reason that was not met again is new the next time. */
export function reportRefusalsWhenDue(log: RefusalLog, nowMs: number): CoordinatorEffect[] {
  if (nowMs - log.reportedAtMs < REPORT_EVERY_MS) return [];
  log.reportedAtMs = nowMs;
  return reportRefusals(log);
}

/** Reports what was counted and not reported yet. */
export function reportRefusals({ counts }: RefusalLog): CoordinatorEffect[] {
  const effects: CoordinatorEffect[] = [];
  for (const [reason, count] of counts) {
    if (count > 0) effects.push({ kind: 'notice', text: `refused ${count} more: ${reason}` });
    if (count > 0) counts.set(reason, 0);
    else counts.delete(reason);
  }
  return effects;
}
