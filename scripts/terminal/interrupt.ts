import type { EventEmitter } from 'node:events';

/** Ctrl-C, and the polite request to end that service managers send. */
const SIGNALS = ['SIGINT', 'SIGTERM'];
/**
 * Under npm one Ctrl-C arrives twice, from the terminal and passed on by npm: only a signal that comes this much later
 * is a second one. In milliseconds.
 */
const ECHO_MS = 500;

/**
 * Watches for interrupts. The first aborts the returned signal, so that the command can save and leave; a second,
 * from somebody who does not want to wait for that, calls `giveUp`.
 * @param source emits SIGINT and SIGTERM: `process`
 * @param now clock in milliseconds
 */
export function watchInterrupts(source: EventEmitter, now: () => number, giveUp: () => void): AbortSignal {
  const controller = new AbortController();
  let firstAt: number | undefined;
  const onSignal = (): void => {
    if (firstAt === undefined) {
      firstAt = now();
      controller.abort();
    } else if (now() - firstAt >= ECHO_MS) {
      giveUp();
    }
  };
  for (const name of SIGNALS) source.on(name, onSignal);
  return controller.signal;
}
