import type { LeafRange } from '../../shared/reduction/tree.js';
import type { CoordinatorEffect } from '../state/messages.js';
import { tell } from './announcement.js';
import type { Capacity } from './assignment.js';
import { inMs } from './placement.js';
import { fetchData, rehearseSome } from './rehearsal.js';
import { exchangeMs } from './remedy.js';
import {
  activeWorkers,
  choosesHelpers,
  readyWorkers,
  type SchedulingState,
  type WorkerRecord,
} from './scheduling-state.js';
import type { NextStep, StepAhead } from './step-ahead.js';
import { capacities } from './throughput.js';
import { assignWhole } from './whole-assignment.js';

/**
 * Chooses who takes part in the next round of local updates, which is always dispatched: an exchange costs little beside the
 * steps of a replica. A remote member is rehearsed first, so that it cannot delay a round before its speed is known; from then
 * on the assignment gives it as many replicas as it can compute without delaying the others, which may be none.
 */
export function chooseNextRound(part: SchedulingState, { step, leaves }: StepAhead, nowMs: number): NextStep {
  const { placement } = part;
  const ready = readyWorkers(part);
  const locals = ready.filter(({ member }) => member.sharesMemory);
  const remotes = ready.filter(({ member }) => !member.sharesMemory);
  const chosen = { isDistributed: true, stepsMax: 1 };
  const rehearsal = (): LeafRange => ({ from: leaves - 1, to: leaves });
  if (!choosesHelpers(part)) {
    const active = new Set(activeWorkers(part));
    const others = remotes.filter((worker) => !active.has(worker));
    return {
      ...chosen,
      effects: rehearseSome(part, others, { step, isDistributed: true }, nowMs, rehearsal),
    };
  }
  const known = remotes.filter(({ throughput, hasRehearsed }) => throughput !== undefined && hasRehearsed);
  const measured = known.filter(({ member }) => member.hasData);
  placement.helpers = new Set(measured.map(({ member }) => member.id));
  const effects: CoordinatorEffect[] = [];
  // Before the first round nothing is known of local workers either, and nothing can be said.
  if (locals.some(({ throughput }) => throughput === undefined)) return { ...chosen, effects };
  const range = { from: 0, to: leaves };
  const all = assignWhole(range, capacities([...locals, ...measured]));
  for (const worker of measured)
    effects.push(
      ...announce(worker, step, nowMs, {
        isActive: all.shares.some(({ memberId }) => memberId === worker.member.id),
        withMs: all.spanMs,
        withoutMs: assignWhole(range, capacities([...locals, ...measured.filter((one) => one !== worker)]))
          .spanMs,
        codec: codecFor(part, worker, range, capacities([...locals, ...measured])),
      }),
    );
  // Members that would be given replicas if they had the data.
  for (const { memberId } of assignWhole(range, capacities([...locals, ...known])).shares)
    effects.push(...fetchData(part.workers.get(memberId) as WorkerRecord));
  const others = remotes.filter((worker) => !measured.includes(worker));
  effects.push(...rehearseSome(part, others, { step, isDistributed: true }, nowMs, rehearsal));
  return { ...chosen, effects };
}

/** The first codec with which a member would be given replicas, by the time that its exchange would take. */
function codecFor(
  { settings: { exchange } }: SchedulingState,
  { member, throughput }: WorkerRecord,
  range: LeafRange,
  all: readonly Capacity[],
): string | undefined {
  const roundTripMs = Math.min(member.roundTripMs ?? 0, throughput?.overheadMs ?? 0);
  const takesPart = (bytes: number): boolean => {
    const members = all.map((one) => {
      if (one.id !== member.id) return one;
      return { ...one, overheadMs: exchangeMs(one.overheadMs, roundTripMs, bytes / exchange.bytes) };
    });
    return assignWhole(range, members).shares.some(({ memberId }) => memberId === member.id);
  };
  return exchange.others.find(({ bytes }) => takesPart(bytes))?.option;
}

/** Tells a member and the terminal whether the member is given replicas, when that has changed. */
function announce(
  worker: WorkerRecord,
  step: number,
  nowMs: number,
  {
    isActive,
    withMs,
    withoutMs,
    codec,
  }: { isActive: boolean; withMs: number; withoutMs: number; codec: string | undefined },
): CoordinatorEffect[] {
  const { announced, throughput } = worker;
  if (announced?.isActive === isActive || throughput === undefined) return [];
  const { overheadMs, msPerLeaf } = throughput;
  const reason = isActive
    ? `a round takes ${inMs(withoutMs)} without this machine, ${inMs(withMs)} with it`
    : `a round takes ${inMs(withoutMs)} without this machine, which needs ${inMs(overheadMs + msPerLeaf)} for one replica; ` +
      `${codec === undefined ? '' : `${codec}, `}more replicas (--sync local:replicas=R), or more threads here, would make it useful`;
  return tell(worker, step, { isActive, aloneMs: withoutMs, overheadMs, atMs: nowMs }, reason);
}
