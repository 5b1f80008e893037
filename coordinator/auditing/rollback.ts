import { assert } from '../../shared/errors.js';
import type { CoordinatorEffect } from '../state/messages.js';
import type { RunEvent } from '../state/observer.js';
import type { RunProgress } from '../storage/checkpoint.js';
import { type AuditMemory, MACHINES_MAX, type MemberLedger, OTHERS } from '../storage/member-ledger.js';

/*
 * Where only part of the work is audited, a member that is found to be wrong may have been wrong before, undetected, and its
 * sums are in the weights. So the run remembers since when each machine's sums are in the weights unverified, and keeps
 * snapshots of itself. When a machine is expelled, the run goes back to the latest snapshot before all of that, and does the
 * steps after it again, without the machine. It is the same computation, so it arrives at the same weights as if the machine
 * had never taken part.
 *
 * The first state is always kept, so there is always one to go back to. What is remembered is saved with every checkpoint,
 * and some checkpoints are kept as bases, so that a coordinator that is started anew can go back too. Nobody is told that a
 * machine was expelled before all checkpoints that rest on its sums are removed: whenever the coordinator ends, the
 * run resumes from a state that is not undone.
 *
 * A run is thrown back ROLLBACKS_MAX times at most. From then on no sum of a remote machine counts unless it is confirmed, so
 * nothing can make the run go back any more, and it ends, however many identities a member makes up.
 */

/** Snapshots kept at a time, each a copy of the weights and of the optimizer's vectors; and checkpoints kept as bases. */
const KEPT_MAX = 4;
/** Steps between two snapshots at first. The distance doubles when there are too many. */
const KEPT_APART_FIRST = 16;
/** Rollbacks of a run. */
const ROLLBACKS_MAX = 5;

/** The auditing room's part of the state. */
export interface AuditingState {
  /** Whether anything is audited. Without it no snapshots are kept. */
  readonly isOn: boolean;
  /** By machine, the first step that rests on sums of it which nobody has confirmed. */
  readonly unverifiedSince: Map<string, number>;
  /** States of the run that it can go back to, by ascending step; a snapshot of their vectors is kept too. */
  kept: readonly RunProgress[];
  /** Steps between two of them. */
  keptApart: number;
  /** Checkpoints that a coordinator which is started anew can go back to, by ascending step, and the steps between two. */
  bases: readonly { readonly step: number }[];
  basesApart: number;
  /** Rollbacks so far. */
  rollbacks: number;
  /** Where the run goes back to; undefined while it does not. */
  rollbackTarget: RunProgress | undefined;
  /** Events that are reported once no checkpoint rests on what they say. */
  unreported: RunEvent[];
}

/**
 * Nothing has been computed yet; or what a run that goes on remembers.
 * @param fraction of the work that is audited
 * @param step steps done
 */
export function initialAuditing(
  { fraction }: { readonly fraction: number },
  step: number,
  memory: AuditMemory | undefined,
): AuditingState {
  const { unverified = {}, bases = [], rollbacks = 0 } = memory?.ledger ?? {};
  const kept = memory?.kept ?? [];
  return {
    isOn: fraction > 0,
    unverifiedSince: new Map(Object.entries(unverified).filter(([, since]) => since < step)),
    kept,
    keptApart: apartOf(kept),
    bases: bases.filter((base) => base <= step).map((base) => ({ step: base })),
    basesApart: apartOf(bases.map((base) => ({ step: base }))),
    rollbacks,
    rollbackTarget: undefined,
    unreported: [],
  };
}

/** Sums of this machine, which nobody has confirmed, are in the weights from this step on. */
export function onUnverified({ unverifiedSince }: AuditingState, machine: string, step: number): void {
  const name = unverifiedSince.has(machine) || unverifiedSince.size < MACHINES_MAX ? machine : OTHERS;
  if (!unverifiedSince.has(name)) unverifiedSince.set(name, step);
}

/** Nothing of this step, or of later ones, is in the weights. */
export function onStepVoid({ unverifiedSince }: AuditingState, step: number): void {
  for (const [machine, since] of unverifiedSince) if (since >= step) unverifiedSince.delete(machine);
}

/** The first step that rests on sums of a machine which nobody has confirmed; undefined when there is none. */
export function firstUnverifiedStep({ unverifiedSince }: AuditingState, machine: string): number | undefined {
  return unverifiedSince.get(machine) ?? unverifiedSince.get(OTHERS);
}

/** Machines of this key, or of this name, whose sums are in the weights unverified: also of those that left, or came before a restart. */
export function unverifiedMachines({ unverifiedSince }: AuditingState, who: string): readonly string[] {
  return [...unverifiedSince.keys()].filter((machine) => machine === who || machine.endsWith(`/${who}`));
}

/** Whether the run has been thrown back so often that no sum of a remote machine counts any more unless it is confirmed. */
export function mustConfirmAll({ rollbacks }: AuditingState): boolean {
  return rollbacks >= ROLLBACKS_MAX;
}

/** Keeps a snapshot of the run, if it is time to. To be called between steps, before anyone remote is given work. */
export function keepWhenDue(part: AuditingState, progress: RunProgress): CoordinatorEffect[] {
  const { isOn, kept } = part;
  const { step } = progress;
  const more = isOn ? withOneMore(kept, part.keptApart, progress) : undefined;
  if (more === undefined) return [];
  part.kept = more.row;
  part.keptApart = more.apart;
  const forget = kept.filter((one) => !more.row.includes(one)).map((one) => one.step);
  return [{ kind: 'keep-snapshot', step, forget }];
}

/** The checkpoint of a step is durable: it may be kept as a base. */
export function onDurable(part: AuditingState, step: number): void {
  const more = part.isOn ? withOneMore(part.bases, part.basesApart, { step }) : undefined;
  if (more === undefined) return;
  part.bases = more.row;
  part.basesApart = more.apart;
}

/** What is remembered of unverified sums, for the ledger. */
export function auditMemory({
  unverifiedSince,
  bases,
  rollbacks,
}: AuditingState): Pick<MemberLedger, 'unverified' | 'bases' | 'rollbacks'> {
  return {
    unverified: Object.fromEntries(unverifiedSince),
    bases: bases.map(({ step }) => step),
    rollbacks,
  };
}

/**
 * A machine was expelled: sums of it that nobody has confirmed must not stay in the weights. `isRollingBack`: the step under way
 * is void, and `completeRollback` is to be called once nothing computes with the present weights or saves them.
 * @param name of the machine, for people
 * @param step steps done
 * @param expelled the event of its expulsion, which is reported now or at the end of the rollback
 */
export function onExpelled(
  part: AuditingState,
  { machine, name }: { readonly machine: string; readonly name: string },
  step: number,
  expelled: RunEvent,
): { readonly effects: CoordinatorEffect[]; readonly isRollingBack: boolean } {
  const since = firstUnverifiedStep(part, machine);
  const report = { kind: 'report', event: expelled } as const;
  if (since === undefined) return { effects: [report], isRollingBack: false };
  const target = part.kept.findLast((one) => one.step <= since);
  if (target === undefined) {
    const text = `${name} computed unverified sums since step ${since}, which stay in the weights: no snapshot before that step was kept`;
    return { effects: [report, { kind: 'notice', text }], isRollingBack: false };
  }
  if (part.rollbackTarget === undefined) part.rollbacks += 1;
  if (part.rollbackTarget === undefined || target.step < part.rollbackTarget.step)
    part.rollbackTarget = target;
  part.unreported.push(expelled, { event: 'rolled-back', step, to: target.step, member: name, since });
  const last = mustConfirmAll(part)
    ? `; it has been thrown back ${part.rollbacks} times, so from now on no result of a remote member counts unless it is confirmed`
    : '';
  const text = `${name} computed unverified sums since step ${since}: the run rolls back from step ${step} to ${target.step}${last}`;
  return { effects: [{ kind: 'notice', text }], isRollingBack: true };
}

/** The step that the run goes back to. */
export function rollbackStep({ rollbackTarget }: AuditingState): number {
  assert(rollbackTarget !== undefined, 'the run rolls back to a snapshot');
  return rollbackTarget.step;
}

/** Puts the snapshot back in place. @returns the state that the run goes on from */
export function completeRollback(part: AuditingState): {
  readonly effects: CoordinatorEffect[];
  readonly progress: RunProgress;
} {
  const progress = part.rollbackTarget;
  assert(progress !== undefined, 'the run rolls back to a snapshot');
  const { step } = progress;
  const forget = part.kept.filter((one) => one.step > step).map((one) => one.step);
  const reports = part.unreported.map((event): CoordinatorEffect => ({ kind: 'report', event }));
  part.unreported = [];
  part.kept = part.kept.filter((one) => one.step <= step);
  part.bases = part.bases.filter((one) => one.step <= step);
  part.rollbackTarget = undefined;
  onStepVoid(part, step);
  return { effects: [...reports, { kind: 'restore-snapshot', step, forget }], progress };
}

/** A row of states with one more, which are further and further apart; undefined when it is too close to the last. */
function withOneMore<T extends { readonly step: number }>(
  row: readonly T[],
  apart: number,
  one: T,
): { readonly row: readonly T[]; readonly apart: number } | undefined {
  const last = row.at(-1);
  if (last !== undefined && one.step < last.step + apart) return undefined;
  const all = [...row, one];
  if (all.length <= KEPT_MAX) return { row: all, apart };
  // Every second one goes, never the first nor the newest: their number is odd then.
  return { row: all.filter((_, i) => i % 2 === 0), apart: 2 * apart };
}

/** The steps between two states of a row that was kept before. */
function apartOf(row: readonly { readonly step: number }[]): number {
  const [before, last] = row.slice(-2).map(({ step }) => step);
  return before === undefined || last === undefined
    ? KEPT_APART_FIRST
    : Math.max(KEPT_APART_FIRST, last - before);
}
