import type { RunEvent } from '../coordinator/state/observer.js';

/* How a trace shows what happens. */

/** A message between coordinator and worker. */
export function describeMessage(message: {
  readonly kind: string;
  readonly step?: number;
  readonly range?: { from: number; to: number };
  readonly reason?: string;
}): string {
  const { kind, step, range, reason } = message;
  if (reason !== undefined) return `${kind}, ${reason}`;
  return range === undefined ? kind : `${kind} ${step} [${range.from},${range.to})`;
}

/** An event of the run's log; hashes of checkpoints are left out. */
export function describeEvent(event: RunEvent): string {
  return event.event === 'checkpoint'
    ? `the checkpoint of step ${event.step} is durable`
    : JSON.stringify(event);
}
