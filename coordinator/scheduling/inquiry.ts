import type { SumPart } from '../../shared/protocol/messages.js';
import { isSameRange, type LeafRange } from '../../shared/reduction/tree.js';
import type { CoordinatorEffect } from '../state/messages.js';
import { closeChecks } from './closing.js';
import type { Culprit, Inquiry, Suspect, WrongSums } from './inquiry-state.js';
import type { SchedulingState } from './scheduling-state.js';
import { addCheck, type DistributedStep, doubtMember, result, type Task } from './step-tasks.js';

/*
 * Who below a relay was wrong, when the relay's sums are. In a run that is audited a relay says with its sums who has computed which
 * part of them, and the hash of what each has sent. The parts are computed again here, as any leaves are whose answers must be
 * confirmed, while the step is held open:
 *
 *   - a part whose hash is not that of the right sums is wrong: its member is expelled by the relay, which stays;
 *   - if it was computed by another relay, that one's parts are computed again, and so on;
 *   - if all parts are right, the relay has added them up wrongly; it answers for it, as it does when it says nothing, or when the
 *     parts are not known after a long time.
 *
 * A relay can lie about what somebody below it has sent. Then one that is right is expelled by the relay that lies, and by nobody
 * else. The relay has to prove itself anew, for longer each time: its answers are confirmed, unless nobody else could do that. And
 * its sums are traced so often only.
 */

/** How long the parts may take that are computed again. */
const INQUIRY_MS = 20_000;
/** ... or so many times the longest time that an answer has taken. */
const INQUIRY_TIMES = 10;

/** What an inquiry came to. */
export interface InquiryResult {
  readonly wrong: WrongSums;
  /** Those below the relay who were wrong; none: the relay answers for it. */
  readonly culprits: readonly Culprit[];
}

/**
 * A member's sums in the step under way are wrong. If it has said who has computed them, their parts are computed again.
 * @returns whether they are; otherwise the member answers for its sums
 */
export function beginInquiry(part: SchedulingState, wrong: WrongSums, nowMs: number): boolean {
  const { current, settings } = part;
  if (current === undefined || current.isClosed || current.step !== wrong.step) return false;
  if (part.inquiries.some((other) => other.wrong.memberId === wrong.memberId)) return true;
  const parts = partsOf(current, wrong);
  const inquiry: Inquiry = { wrong, parts, sinceMs: nowMs, open: [], culprits: [], checks: [] };
  const { range, rightHash } = wrong;
  if (!suspect(current, inquiry, { above: undefined, range, rightHash }, settings.leavesPerGroup))
    return false;
  part.inquiries = [...part.inquiries, inquiry];
  doubtMember(current, wrong.memberId);
  return true;
}

/** Inquiries of the step under way that have come to an end. What was computed for them is closed. */
export function settleInquiries(
  part: SchedulingState,
  nowMs: number,
): { readonly effects: CoordinatorEffect[]; readonly results: readonly InquiryResult[] } {
  const { current } = part;
  if (current === undefined || part.inquiries.length === 0) return { effects: [], results: [] };
  const mostMs = Math.max(INQUIRY_MS, INQUIRY_TIMES * part.slowestMs);
  const ended: Inquiry[] = [];
  for (const inquiry of part.inquiries) {
    narrow(current, inquiry, part.settings.leavesPerGroup);
    if (inquiry.open.length === 0) ended.push(inquiry);
    else if (nowMs - inquiry.sinceMs > mostMs) {
      inquiry.culprits.splice(0);
      ended.push(inquiry);
    }
  }
  part.inquiries = part.inquiries.filter((inquiry) => !ended.includes(inquiry));
  return {
    effects: ended.flatMap(({ checks }) => closeChecks(part, checks, nowMs)),
    results: ended.map(({ wrong, culprits }) => ({ wrong, culprits })),
  };
}

function partsOf({ tasks }: DistributedStep, { memberId, range, hash }: WrongSums): readonly SumPart[] {
  for (const task of tasks.values()) {
    const answer = task.answers.find((one) => one.memberId === memberId && one.hash === hash && !one.isClaim);
    if (answer !== undefined && isSameRange(task.range, range)) return answer.parts ?? [];
  }
  return [];
}

/** Draws conclusions from what is known by now. */
function narrow(current: DistributedStep, inquiry: Inquiry, leavesPerGroup: number): void {
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const group of inquiry.open) {
      const known = group.suspects.map(({ part, right }) => ({ part, rightHash: hashOf(right) }));
      if (known.some(({ rightHash }) => rightHash === undefined)) continue;
      isChanged = true;
      inquiry.open = inquiry.open.filter((other) => other !== group);
      const wrong = known.filter(({ part, rightHash }) => part.hash !== rightHash) as Culprit[];
      if (wrong.length === 0 && group.above !== undefined) inquiry.culprits.push(group.above);
      for (const culprit of wrong) {
        const { part, rightHash } = culprit;
        const { range } = part;
        if (!suspect(current, inquiry, { above: culprit, range, rightHash }, leavesPerGroup))
          inquiry.culprits.push(culprit);
      }
    }
  }
}

function hashOf(right: string | Task): string | undefined {
  return typeof right === 'string' ? right : result(right)?.hash;
}

/** The parts of somebody's sums are computed again. @returns false: they do not make up the sums, or there are none */
function suspect(
  current: DistributedStep,
  inquiry: Inquiry,
  { above, range, rightHash }: { above: Culprit | undefined; range: LeafRange; rightHash: string },
  leavesPerGroup: number,
): boolean {
  const parts = partsBelow(inquiry.parts, above?.part.path, range);
  if (!makeUp(parts, range, leavesPerGroup)) return false;
  const { memberId } = inquiry.wrong;
  const suspects = parts.map((part): Suspect => {
    if (isSameRange(part.range, range)) return { part, right: rightHash };
    const check = addCheck(current, part.range, { memberId, hash: part.hash });
    inquiry.checks.push(check);
    return { part, right: check };
  });
  inquiry.open = [...inquiry.open, { above, suspects }];
  return true;
}

/** The parts of those directly below somebody that lie in a range, in leaf order. @param path undefined: of the relay itself */
function partsBelow(parts: readonly SumPart[], path: string | undefined, { from, to }: LeafRange): SumPart[] {
  const prefix = path === undefined ? '' : `${path}/`;
  return parts
    .filter((one) => one.path.startsWith(prefix) && !one.path.slice(prefix.length).includes('/'))
    .filter(({ range }) => from <= range.from && range.to <= to)
    .sort((a, b) => a.range.from - b.range.from);
}

/** Whether parts have each leaf of a range once, and split no group. */
function makeUp(parts: readonly SumPart[], { from, to }: LeafRange, leavesPerGroup: number): boolean {
  let covered = from;
  for (const { range } of parts) {
    if (range.from !== covered || (covered !== from && covered % leavesPerGroup !== 0)) return false;
    covered = range.to;
  }
  return parts.length > 0 && covered === to;
}
