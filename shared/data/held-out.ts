import { UserError } from '../errors.js';
import { sha256Hex, sha256OfPieces } from '../files/sha256.js';

/** The held-out share, for data without a split of their own. */
export interface HeldOut {
  /** Approximate share of the samples, from 0, which holds out none, to less than 1. Default: 0.2. */
  readonly share?: number;
  /** Selects which samples are held out. Default: 0. */
  readonly seed?: number;
}

const HASH_BITS = 48;

/**
 * Decides for each sample independently whether it is held out, by a hash of its content, keyed by the seed. Adding or
 * removing samples does not move others, and equal samples are on the same side.
 * @returns a function of the content of a sample
 * @throws UserError (wrong usage) when the share is out of bounds
 */
export function heldOut({ share = 0.2, seed = 0 }: HeldOut = {}): (sample: string | Uint8Array) => boolean {
  const bound = boundOf(share);
  const hash = keyedHash(seed);
  return (sample) => hash(sample) < bound;
}

/** A split of samples. */
export interface HeldOutSamples {
  /** For each sample 1 if it is held out, otherwise 0. */
  readonly sides: Uint8Array;
  /** Whether a side would have been empty, and got the samples with the nearest hash. */
  readonly isForced: boolean;
}

/**
 * Splits like heldOut, but leaves neither side empty: a fifth of a few samples may be none. Equal samples stay on the same
 * side.
 * @param count number of samples
 * @param contentOf returns the content of a sample
 * @throws UserError when all samples are equal, or the share is out of bounds
 */
export function heldOutOf(
  what: string,
  count: number,
  contentOf: (sample: number) => string | Uint8Array,
  { share = 0.2, seed = 0 }: HeldOut = {},
): HeldOutSamples {
  const bound = boundOf(share);
  const hash = keyedHash(seed);
  // Memory holds the hashes, not the contents.
  const hashes = new Float64Array(count);
  for (let i = 0; i < count; i++) hashes[i] = hash(contentOf(i));
  const sides = Uint8Array.from(hashes, (value) => Number(value < bound));
  const test = sides.reduce((sum, side) => sum + side, 0);
  if (share === 0) return { sides, isForced: false };
  if (test > 0 && test < sides.length) return { sides, isForced: false };
  const extreme = hashes.reduce(
    (best, value) => (value < best === (test === 0) ? value : best),
    hashes[0] ?? 0,
  );
  const forced = Uint8Array.from(hashes, (value) => Number((value === extreme) === (test === 0)));
  const testForced = forced.reduce((sum, side) => sum + side, 0);
  if (testForced === 0 || testForced === count)
    throw new UserError(
      `${what}: ${count === 1 ? 'a single sample' : `${count} equal samples`} cannot be split into training ` +
        'samples and held-out samples; add others',
    );
  return { sides: forced, isForced: true };
}

function boundOf(share: number): number {
  if (!(share >= 0 && share < 1))
    throw new UserError(
      `the held-out share must be between 0 and 1, not ${share}; try 0.2, or 0 to hold out nothing`,
      2,
    );
  return share * 2 ** HASH_BITS;
}

/** 48 bits of a hash of the content, keyed by the seed. */
function keyedHash(seed: number): (sample: string | Uint8Array) => number {
  const text = new TextEncoder();
  const key = text.encode(`${seed}:`);
  return (sample) => {
    const hash = sha256OfPieces([key, typeof sample === 'string' ? text.encode(sample) : sample]);
    return Number.parseInt(hash.slice(0, HASH_BITS / 4), 16);
  };
}

/** Whether a hash of a text selects it, as about one of `many` texts. */
export function isOneIn(many: number, text: string): boolean {
  return hashNumber(text) % many === 0;
}

/** 32 bits of a hash of a text. */
export function hashNumber(text: string): number {
  return Number.parseInt(sha256Hex(new TextEncoder().encode(text)).slice(0, 8), 16);
}

/**
 * @param share of samples that are to be held out; 0: none
 * @throws UserError when one of the two sides has no samples
 */
export function checkSides(
  what: string,
  { train, test }: { readonly train: number; readonly test: number },
  share = 0.2,
): void {
  if (train > 0 && (test > 0 || share === 0)) return;
  if (train + test === 0)
    throw new UserError(
      `${what} has no samples (of 0 samples none can be held out); check that it is the right folder`,
    );
  throw new UserError(
    `${what}: of ${train + test} samples ${train === 0 ? 'all are' : 'none is'} held out; ` +
      'take more samples, another share or another seed',
  );
}
