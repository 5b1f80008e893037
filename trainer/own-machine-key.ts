import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { UserError } from '../shared/errors.js';
import { userSettings } from '../shared/user-folders.js';
import { loadMachineKey } from '../worker/machine-key-file.js';

/**
 * The key of this machine, which is kept among the user's settings and made at the first call.
 * @throws UserError when it cannot be kept
 */
export function ownMachineKey(): Promise<KeyObject> {
  return loadMachineKey(join(userSettings(), 'machine-key.pem'));
}

/** The same; undefined when it cannot be kept. */
export function keptMachineKey(): Promise<KeyObject | undefined> {
  return ownMachineKey().catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    return undefined;
  });
}
