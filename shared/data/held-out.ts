import { UserError } from '../errors.js';
import { sha256Hex, sha256OfPieces } from '../files/sha256.js';

/** Which part of the samples is never learned from, where nothing in the data says so. */
export interface HeldOut {
  /** Of all samples, about; between 0 and 1. Default: 0.2. */
  readonly share?: number;
  /** Another seed holds out others. Default: 0. */
  readonly seed?: number;
}

/**
 * Decides for each sample by itself whether it is held out: by a hash of what it is, keyed by the seed. So samples that
 * are added or left out later change nothing for the others, and two that are alike are on the same side.
 * @returns a function of what tells a sample from others
 * @throws UserError (wrong usage) when the share is out of bounds
 */
export function heldOut({ share = 0.2, seed = 0 }: HeldOut = {}): (sample: string | Uint8Array) => boolean {
  if (!(share > 0 && share < 1))
    throw new UserError(`the share that is held out lies between 0 and 1, and is not ${share}; try 0.2`, 2);
  const text = new TextEncoder();
  const key = text.encode(`${seed}:`);
  return (sample) => {
    const hash = sha256OfPieces([key, typeof sample === 'string' ? text.encode(sample) : sample]);
    // 48 bits of a hash are spread evenly.
    return Number.parseInt(hash.slice(0, 12), 16) < share * 2 ** 48;
  };
}

/** Whether a text is one of about so many that a hash of it picks out. */
export function isOneIn(many: number, text: string): boolean {
  return hashNumber(text) % many === 0;
}

/** 32 bits of a hash of a text. */
export function hashNumber(text: string): number {
  return Number.parseInt(sha256Hex(new TextEncoder().encode(text)).slice(0, 8), 16);
}

/** @throws UserError when one of the two sides has no samples */
export function checkSides(
  what: string,
  { train, test }: { readonly train: number; readonly test: number },
): void {
  if (train > 0 && test > 0) return;
  throw new UserError(
    `${what}: of ${train + test} samples ${train === 0 ? 'all are' : 'none is'} held out; ` +
      'take more samples, another share or another seed',
  );
}
