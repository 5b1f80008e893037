/** Whether a change is checked, as by CI, or proven. */
export const CHECKS = Boolean(process.env.UNISUM_PROOF);
/** Whether every combination is tried, with `UNISUM_PROOF=1 npm test`; otherwise some of each kind are. */
const PROVES = process.env.UNISUM_PROOF === '1';

/** All cases in the proof; otherwise those that the predicate selects. */
export function proofOr<T>(cases: readonly T[], isUsual: (one: T) => boolean): T[] {
  return cases.filter((one) => PROVES || isUsual(one));
}

/** All cases in the checks of a change and in the proof; otherwise those that the predicate selects. */
export function checksOr<T>(cases: readonly T[], isUsual: (one: T) => boolean): T[] {
  return cases.filter((one) => CHECKS || isUsual(one));
}
