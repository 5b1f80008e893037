/** First delay before another attempt to connect. Each further attempt doubles it. */
const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 5000;
/** Failures in a row, in about a minute, after which there is no further attempt. */
const ATTEMPTS_MAX = 16;

/** The delay after so many failures in a row, at least 1; undefined when there is no further attempt. */
export function retryDelayMs(failures: number): number | undefined {
  if (failures >= ATTEMPTS_MAX) return undefined;
  return Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_MOST_MS);
}
