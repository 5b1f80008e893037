import type { EventEmitter } from 'node:events';

/** Ctrl-C, and the polite request to end that service managers send. */
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
export type Interrupt = (typeof SIGNALS)[number];

/** Exit status after a signal: 128 and its number, as shells have it. */
const STATUS: { readonly [S in Interrupt]: number } = { SIGINT: 130, SIGTERM: 143 };
/**
 * Under npm one Ctrl-C arrives twice, from the terminal and passed on by npm: only a signal that comes this much later
 * is a second one. In milliseconds.
 */
const ECHO_MS = 500;

/** Exit status of a command that was interrupted. */
export function interruptedStatus(interrupted: AbortSignal): number {
  return STATUS[interrupted.reason as Interrupt] ?? STATUS.SIGINT;
}

/**
 * Watches for interrupts. The first aborts the returned signal, with its name as the reason, so that the command can save and leave; a second,
 * from somebody who does not want to wait for that, calls `giveUp`.
 * @param source emits SIGINT and SIGTERM: `process`
 * @param now clock in milliseconds
 */
export function watchInterrupts(source: EventEmitter, now: () => number, giveUp: () => void): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (name: Interrupt): void => {
    if (firstAt === undefined) {
      firstAt = now();
      controller.abort(name);
    } else if (now() - firstAt >= ECHO_MS) {
      giveUp();
    }
  };
  for (const name of SIGNALS) source.on(name, () => onSignal(name));
  return controller.signal;
}
