/* The only file that draws random numbers. None of them reaches weights: those are drawn from counters and a seed. */

/** Random bits of an identifier: nobody guesses one, and no two are ever equal. */
const IDENTIFIER_BITS = 128;

/**
 * A secret or a name nobody else has, from the system's cryptographic generator: join tokens, nonces, run ids.
 * @returns 22 characters of the base64url alphabet (A-Z a-z 0-9 - _), 128 random bits
 */
export function randomIdentifier(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(IDENTIFIER_BITS / 8));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}

/** A seed for SeededRandom that nobody can guess. */
export function randomSeed(): number {
  const [seed] = crypto.getRandomValues(new Uint32Array(1));
  return seed as number;
}
