/** Whether this is the proof (`npm run proof`, or `.ci/run`), which tries every combination; `npm test` tries some of each kind. */
const PROVES = Boolean(process.env.UNISUM_PROOF);

/** All cases in the proof; otherwise those that the predicate selects. */
export function proofOr<T>(cases: readonly T[], isUsual: (one: T) => boolean): T[] {
  return cases.filter((one) => PROVES || isUsual(one));
}
