import type { CoordinatorEffect } from '../state/messages.js';
import type { Capacity } from './assignment.js';
import { inMs, isAloneSettled, type LocalThreads, stepMsWith } from './placement.js';
import { remedyOf } from './remedy.js';
import {
  type Announcement,
  type SchedulingState,
  type WorkerRecord,
  warmUpRehearsals,
} from './scheduling-state.js';
import type { StepAhead } from './step-ahead.js';

/** Rehearsals that count before a member is told that it is on standby. */
const SETTLED_REHEARSALS = 4;
/** A member on standby is told again when one of its figures has changed so many times ... */
const CHANGED_TIMES = 1.5;
/** ... and this long after it was told last. */
const TELL_AGAIN_MS = 20_000;

/** Tells a member, the terminal and the record whether the member is given work, when that or its reason has changed. */
export function announce(
  part: SchedulingState,
  worker: WorkerRecord,
  { step, batch }: Pick<StepAhead, 'step' | 'batch'>,
  alone: LocalThreads,
  capacity: Capacity,
  nowMs: number,
): CoordinatorEffect[] {
  const { placement, settings } = part;
  const { member, announced } = worker;
  const isActive = placement.helpers.has(member.id);
  const figures = { aloneMs: alone.msPerLeaf * batch.leaves, overheadMs: capacity.overheadMs };
  if (announced?.isActive === isActive && (isActive || !hasChanged(announced, figures, nowMs))) return [];
  // The first figures of a run and of a member are those of cold caches.
  const isSettled =
    isAloneSettled(placement) && worker.rehearsals.answered >= warmUpRehearsals(part) + SETTLED_REHEARSALS;
  if (announced === undefined && !isActive && !isSettled) return [];
  const reason = isActive
    ? `a step takes ${inMs(figures.aloneMs)} without this machine, ${inMs(stepMsWith(batch.leaves, alone, [capacity]))} with it`
    : `${standbyReason(part, figures)}; ${remedyOf(worker, batch, alone, capacity, settings.exchange)}`;
  return tell(worker, step, { isActive, ...figures, atMs: nowMs }, reason);
}

/** Tells it. */
export function tell(
  worker: WorkerRecord,
  step: number,
  announcement: Announcement,
  reason: string,
): CoordinatorEffect[] {
  const { member } = worker;
  const { isActive } = announcement;
  worker.announced = { ...announcement, reason };
  const state = isActive ? 'active' : 'standby';
  return [
    { kind: 'send', id: member.id, message: { kind: 'placement', state, reason }, attachment: 'none' },
    { kind: 'notice', text: `${member.name} is ${isActive ? 'active' : 'on standby'}: ${reason}` },
    { kind: 'report', event: { event: 'member-placement', step, member: member.name, state, reason } },
  ];
}

type Figures = Pick<Announcement, 'aloneMs' | 'overheadMs'>;

function hasChanged(told: Announcement, { aloneMs, overheadMs }: Figures, nowMs: number): boolean {
  if (nowMs - told.atMs < TELL_AGAIN_MS) return false;
  return [aloneMs / told.aloneMs, overheadMs / told.overheadMs].some(
    (times) => times > CHANGED_TIMES || times < 1 / CHANGED_TIMES,
  );
}

function standbyReason({ placement }: SchedulingState, { aloneMs, overheadMs }: Figures): string {
  const without = `a step takes ${inMs(aloneMs)} without this machine`;
  if (placement.slower === undefined) return `${without}, its exchange alone ${inMs(overheadMs)}`;
  return `${without}, and took ${inMs(placement.slower.withMs)} with it`;
}
