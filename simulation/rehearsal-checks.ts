import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import type { Work } from '../shared/protocol/messages.js';
import { nodeKey } from '../shared/reduction/merge-plan.js';
import { isSameRange, type LeafRange, nodeLeaves } from '../shared/reduction/tree.js';

/** After so long, another member's rehearsal may take the place of one that was not answered. */
const AWAITED_MS = 10_000;

/** A rehearsal whose answer the coordinator can check, as it was sent with weights that nobody changes. */
interface Check {
  readonly memberId: string;
  readonly step: number;
  readonly range: LeafRange;
  readonly sentMs: number;
  /** What came back; undefined before. */
  answer: { readonly by: string; readonly isWrong: boolean } | undefined;
  /** The coordinator's own machine has the sums of these leaves. */
  isDecided: boolean;
}

/** A sum that has arrived, and the worker that it is of. */
export interface ArrivedSum extends PartialSum {
  readonly by: string;
  readonly isLocal: boolean;
}

/**
 * Checks that nothing counts of a member whose checked rehearsal was wrong, once this machine has the right sums. It knows only
 * what was sent, what came back and what was added up.
 */
export class RehearsalChecks {
  private check: Check | undefined;
  /** By member id, the name of the worker and the step of its rehearsal. */
  private readonly exposed = new Map<string, { readonly by: string; readonly step: number }>();

  /** Work was sent to a member. @param isCopied its weights do not change on the way, so that the answer has known bits */
  sent(memberId: string, { step, range, rehearses }: Work, isCopied: boolean, nowMs: number): void {
    if (rehearses && isCopied) {
      const nothing = { answer: undefined, isDecided: false };
      this.check = { memberId, step, range, sentMs: nowMs, ...nothing };
    } else if (this.check?.memberId === memberId) this.drop();
  }

  /** Sums have come from a member. @param isWrong whether they are not those of their leaves and their step */
  answered(
    memberId: string,
    { step, range }: Pick<Check, 'step' | 'range'>,
    by: string,
    isWrong: () => boolean,
    nowMs: number,
  ): void {
    const { check } = this;
    if (check?.memberId !== memberId || check.answer !== undefined || nowMs - check.sentMs > AWAITED_MS)
      return;
    if (check.step !== step || !isSameRange(check.range, range)) return;
    check.answer = { by, isWrong: isWrong() };
    this.conclude();
  }

  /**
   * The sums of a step are added up.
   * @throws Error when one is of a member whose rehearsal was wrong
   */
  added(step: number, leaves: number, arrived: readonly ArrivedSum[]): void {
    for (const { by, node } of arrived)
      for (const wrong of this.exposed.values())
        if (wrong.by === by)
          throw new Error(
            `${by} was wrong in the checked rehearsal of step ${wrong.step}, and its sum ${nodeKey(node)} counts in step ${step}`,
          );
    const { check } = this;
    if (check?.step !== step) return;
    const { from, to } = check.range;
    const own = arrived.filter(({ node, isLocal }) => {
      const range = nodeLeaves(node, leaves);
      return isLocal && range.from >= from && range.to <= to;
    });
    const ownLeaves = own.reduce((sum, { node }) => {
      const range = nodeLeaves(node, leaves);
      return sum + range.to - range.from;
    }, 0);
    if (ownLeaves === to - from) {
      check.isDecided = true;
      this.conclude();
    } else this.drop();
  }

  /** A member has left, or was expelled. */
  left(memberId: string): void {
    this.exposed.delete(memberId);
    if (this.check?.memberId === memberId) this.drop();
  }

  /** A worker was expelled. */
  expelled(by: string): void {
    for (const [memberId, wrong] of this.exposed) if (wrong.by === by) this.exposed.delete(memberId);
  }

  /** Nothing can be said of the latest rehearsal any more. */
  drop(): void {
    this.check = undefined;
  }

  private conclude(): void {
    const { check } = this;
    if (check?.answer === undefined || !check.isDecided) return;
    const { memberId, step, answer } = check;
    if (answer.isWrong) this.exposed.set(memberId, { by: answer.by, step });
    this.drop();
  }
}
