// @ts-check
/** Files of which browsers have another, by their path. A test of the architecture follows these too. */
export const BROWSER_STAND_INS = {
  'shared/command-line.ts': 'web/library/web-command-line.ts',
  'shared/files/sha256.ts': 'web/worker/web-sha256.ts',
};
