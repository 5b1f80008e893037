/**
 * SHA-256 (FIPS 180-4) of the little-endian bytes of the words, as lower-case hexadecimal. Synchronous, and without
 * platform APIs: browsers have only an asynchronous one. For a few kilobytes; Node's own is faster (shared/files/sha256.ts).
 */
export function sha256OfWords(words: Uint32Array): string {
  const state = Uint32Array.from(FIRST);
  const schedule = new Uint32Array(64);
  const message = padded(words);
  for (let at = 0; at < message.length; at += 16) {
    for (let i = 0; i < 16; i++) schedule[i] = message[at + i]!;
    mix(state, schedule);
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}

/** The words' little-endian bytes as big-endian words, then a one bit, zeros, and the number of bits in 64 bits. */
function padded(words: Uint32Array): Uint32Array {
  const message = new Uint32Array(Math.ceil((words.length + 3) / 16) * 16);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    message[i] = (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
  }
  message[words.length] = 0x80000000;
  message[message.length - 2] = words.length >>> 27;
  message[message.length - 1] = words.length << 5;
  return message;
}

const rotate = (x: number, by: number) => (x >>> by) | (x << (32 - by));

/** One block: extends its 16 words to 64 and mixes them into the state. */
function mix(state: Uint32Array, w: Uint32Array): void {
  for (let i = 16; i < 64; i++) {
    const early = w[i - 15]!;
    const late = w[i - 2]!;
    const low = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const high = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    w[i] = w[i - 16]! + low + w[i - 7]! + high;
  }
  // The eight variables of the standard, most of which each round renames: `v` is a ring that advances by one element.
  const v = Int32Array.from(state);
  for (let i = 0; i < 64; i++) {
    const a = v[-i & 7]!;
    const e = v[(4 - i) & 7]!;
    const last = (7 - i) & 7;
    const choice = (e & v[(5 - i) & 7]!) ^ (~e & v[(6 - i) & 7]!);
    const b = v[(1 - i) & 7]!;
    const c = v[(2 - i) & 7]!;
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const first = v[last]! + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + choice + ROUND[i]! + w[i]!;
    v[(3 - i) & 7] = v[(3 - i) & 7]! + first;
    v[last] = first + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + majority;
  }
  for (let i = 0; i < 8; i++) state[i] = state[i]! + v[i]!;
}

/** First 32 bits of the fractions of the square roots of the first 8 primes. */
const FIRST = [
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/** First 32 bits of the fractions of the cube roots of the first 64 primes. */
const ROUND = [
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2,
];
