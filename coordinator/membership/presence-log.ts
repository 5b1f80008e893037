/*
 * How arrivals and departures are reported: in full as long as there are few. A machine that joins and leaves in a loop
 * fills no log: what is too much is counted, and the counts are reported once in a while.
 */
import type { CoordinatorEffect } from '../state/messages.js';
import type { MemberChange } from '../state/observer.js';

/** How often counted arrivals and departures are reported. */
const REPORT_EVERY_MS = 10_000;
/** Most lines within this time; none while those of the time before were too many. */
const LINES_MAX = 20;

/** Arrivals and departures that were reported lately, and those that were not. */
export interface PresenceLog {
  lines: number;
  readonly unreported: { joined: number; left: number };
  reportedAtMs: number;
}

/** Nobody has come or gone yet. */
export function noPresence(nowMs: number): PresenceLog {
  return { lines: 0, unreported: { joined: 0, left: 0 }, reportedAtMs: nowMs };
}

/** Reports that a member has joined or left, or counts it when there was too much of that lately. */
export function notePresence(
  log: PresenceLog,
  worker: MemberChange,
  text: () => string,
): CoordinatorEffect[] {
  if (log.lines < LINES_MAX) {
    log.lines += 1;
    return [{ kind: 'notice', text: text(), worker }];
  }
  log.unreported[worker.change] += 1;
  return [];
}

/** Reports what was counted, when it is time to. @param atWork see `describeAtWork` */
export function reportPresenceWhenDue(log: PresenceLog, atWork: string, nowMs: number): CoordinatorEffect[] {
  if (nowMs - log.reportedAtMs < REPORT_EVERY_MS) return [];
  log.reportedAtMs = nowMs;
  return reportPresence(log, atWork);
}

/** Reports what was counted and not reported yet. */
export function reportPresence(log: PresenceLog, atWork: string): CoordinatorEffect[] {
  const { joined, left } = log.unreported;
  if (joined === 0 && left === 0) {
    log.lines = 0;
    return [];
  }
  log.unreported.joined = 0;
  log.unreported.left = 0;
  return [{ kind: 'notice', text: `${joined} more joined and ${left} more left; ${atWork}` }];
}

/** How many members can be given work, in words. @param whenNobody what follows when there are none */
export function describeAtWork(
  count: number,
  whenNobody = 'nobody is at work: the run waits for someone to join',
): string {
  return count > 0 ? `${count} at work` : whenNobody;
}
