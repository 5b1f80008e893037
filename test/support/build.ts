import { setup as setupCheckout } from '../../scripts/setup.mjs';

/**
 * Builds dist/ before tests that start threads or processes: those run compiled files, which must not be older than the
 * sources under test.
 * @throws Error when the sources do not compile; the compiler has printed why
 */
export function setup(): void {
  setupCheckout();
}
