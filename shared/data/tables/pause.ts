/**
 * Yields to the event loop. Work on a large table takes seconds; with pauses it can be interrupted.
 */
export function pause(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
