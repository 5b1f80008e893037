import type { SeededRandom } from '../../shared/actor/seeded-random.js';
import { stepPlace } from '../../shared/data/order.js';
import { ProtocolError } from '../../shared/protocol/checked.js';
import { leafCount } from '../../shared/reduction/tree.js';
import { runSettings } from '../coordinator/settings.js';

/** Messages of each session. */
export const SESSION_MESSAGES = 50;
const FIRST_SEED = Number(process.env.UNISUM_SEED ?? 0);

const NUMBERS = [
  0,
  1,
  2,
  3,
  4,
  5,
  7,
  8,
  9,
  48,
  255,
  2 ** 24,
  2 ** 31,
  2 ** 32,
  2 ** 40,
  2 ** 53,
  -1,
  0.5,
  Number.NaN,
];
const OTHERS = [null, undefined, true, '', 'x', [], {}, '0'.repeat(64), Number.POSITIVE_INFINITY];

/** Changes some values of plain data, mostly numbers. The result is often still a valid message. */
export function mutated(value: unknown, random: SeededRandom, chance = 0.12): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => mutated(item, random, chance));
    if (random.chance(chance / 3))
      items.splice(random.below(items.length + 1), random.below(2), ...items.slice(0, 1));
    return items;
  }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([name, item]) => [name, mutated(item, random, chance)] as const,
    );
    if (random.chance(chance / 10)) entries.splice(random.below(entries.length), 1);
    return Object.fromEntries(entries);
  }
  if (!random.chance(chance)) return value;
  const isUsual = typeof value === 'number' && random.chance(0.9);
  const others: readonly unknown[] = isUsual ? NUMBERS : OTHERS;
  return others[random.below(others.length)];
}

/** The message as an effect runner parses it; undefined when it is malformed. Any other error is thrown. */
export function parsed<T>(parse: (value: unknown) => T, value: unknown): T | undefined {
  try {
    return parse(value);
  } catch (error) {
    if (error instanceof ProtocolError) return undefined;
    throw error;
  }
}

const { batch, leafSize, samples } = runSettings();

/** Leaves of a step in the run of these tests. */
export function leavesOf(step: number): number {
  return leafCount(stepPlace(step, samples, batch).size, leafSize);
}

/** One of the items. */
export function pick<T>(random: SeededRandom, items: readonly T[]): T {
  return items[random.below(items.length)] as T;
}

/**
 * Plays sessions, each with its own seed from UNISUM_SEED on, until so many messages have been sent. A failure names the
 * seed, and the command that repeats it.
 */
export function playSessions(messages: number, session: (seed: number) => void): void {
  for (let i = 0; i * SESSION_MESSAGES < messages; i++) {
    const seed = FIRST_SEED + i;
    try {
      session(seed);
    } catch (error) {
      const again = `UNISUM_SEED=${seed} UNISUM_FUZZ=1 npx vitest run test/protocol/fuzz-members.test.ts`;
      throw new Error(`seed ${seed} (${again}): ${(error as Error).message}`, { cause: error });
    }
  }
}
