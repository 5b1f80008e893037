import { UserError } from './errors.js';

/**
 * The candidate most like `word`, for "did you mean": at most a third of its letters may be wrong.
 * @returns undefined when nothing is near enough
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  // At least one letter must match.
  let bestDistance = Math.min(Math.ceil(word.length / 3) + 1, Math.max(1, word.length));
  for (const candidate of candidates) {
    // The distance is at least the difference in length.
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Most candidates in a list. */
const LISTED_MAX = 20;

/**
 * A hint for an unknown name: the nearest known one, or the list.
 * @param what plural of what the names are: "options"
 */
export function didYouMean(word: string, candidates: readonly string[], what: string): string {
  const near = nearest(word, candidates);
  if (near !== undefined) return `did you mean ${near}?`;
  const more = candidates.length - LISTED_MAX;
  return `the ${what} are: ${candidates.slice(0, LISTED_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/**
 * Refuses anything but an object of options: spread or searched for names, a number would be ignored silently.
 * @param what takes the options, such as "adam()"
 * @returns the options
 * @throws UserError (wrong usage) that shows how options are given
 */
export function optionsOf<T extends object>(what: string, options: T): T {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return options;
  const given = typeof options === 'string' ? JSON.stringify(options) : String(options);
  throw new UserError(
    `${what} takes options in an object, not ${given.slice(0, 40)}; write ${what.replace(/\(\)$/, '')}({ name: value })`,
    2,
  );
}

/**
 * Refuses unknown options: a misspelt one would otherwise be ignored silently.
 * @param what takes the options, such as "csv()"
 * @throws UserError (wrong usage) with the nearest known option
 */
export function checkOptionNames(what: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(optionsOf(what, options)))
    if (!known.includes(name))
      throw new UserError(
        `${what} has no option "${name.slice(0, 80)}"; ${didYouMean(name, known, 'options')}`,
        2,
      );
}

/**
 * Fewest insertions, deletions and replacements of one letter, and exchanges of two neighbours, that turn `a` into `b`
 * (optimal string alignment).
 */
function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      const isExchange =
        row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const exchanged = isExchange ? beforePrevious[column - 2]! + 1 : replaced;
      current.push(Math.min(replaced, exchanged, previous[column]! + 1, current[column - 1]! + 1));
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length]!;
}
