/* The only file that draws random numbers. None of them reaches weights, whose random numbers come from counters and a seed. */
import { base64url } from '../base64url.js';

/** Random bits of an identifier: it cannot be guessed, and no two are equal in practice. */
const IDENTIFIER_BITS = 128;

/**
 * A secret or a unique name from the system's cryptographic generator: join tokens, nonces, run ids.
 * @returns 22 characters of the base64url alphabet (A-Z a-z 0-9 - _), 128 random bits
 */
export function randomIdentifier(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(IDENTIFIER_BITS / 8)));
}

/** A seed for SeededRandom that cannot be guessed. */
export function randomSeed(): number {
  const [seed] = crypto.getRandomValues(new Uint32Array(1));
  return seed as number;
}
