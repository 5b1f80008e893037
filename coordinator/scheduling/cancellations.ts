import type { CoordinatorEffect } from '../state/messages.js';
import type { WorkerRecord } from './scheduling-state.js';

/*
 * A member is told to give up tasks that nobody needs any more where each takes long. It acknowledges every cancellation, in order,
 * and may be given other tasks of the same step in between: so each task is noted with the cancellation that it is given up by.
 */

/** Has a worker give up what it owes of a step and of those before it. */
export function cancelOf(worker: WorkerRecord, step: number): CoordinatorEffect {
  worker.cancelsSent += 1;
  for (const task of worker.stragglerTasks) task.cancel ??= worker.cancelsSent;
  return { kind: 'send', id: worker.member.id, message: { kind: 'cancel', step }, attachment: 'none' };
}

/**
 * A member has given up what it owed of a step and of steps before it when it was sent its next cancellation; it may owe other
 * tasks of the step since. @returns whether it was asked to
 */
export function onCancelled(worker: WorkerRecord, step: number): boolean {
  if (worker.cancelsAcknowledged === worker.cancelsSent) return false;
  worker.cancelsAcknowledged += 1;
  const { cancelsAcknowledged } = worker;
  worker.stragglerTasks = worker.stragglerTasks.filter(
    (task) => task.step > step || task.cancel === undefined || task.cancel > cancelsAcknowledged,
  );
  return true;
}
