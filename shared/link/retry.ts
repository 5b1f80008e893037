/** First wait before a coordinator is looked for again; each further one doubles it. */
const RETRY_FIRST_MS = 250;
const RETRY_MOST_MS = 5000;
/** After so many failures in a row, about a minute, one gives up. */
const ATTEMPTS_MAX = 16;

/** How long to wait after so many attempts that failed in a row, at least 1; undefined: it is of no use any more. */
export function retryDelayMs(failures: number): number | undefined {
  if (failures >= ATTEMPTS_MAX) return undefined;
  return Math.min(RETRY_FIRST_MS * 2 ** (failures - 1), RETRY_MOST_MS);
}
