/* What those who watch a run are told about its members. */
import * as v from 'valibot';
import { count, identifier, name, reason, step } from './fields.js';

/** Most members in a list of them, and most ranges of leaves. */
export const MEMBERS_SHOWN_MAX = 64;
export const SHARES_SHOWN_MAX = 128;
/** A member, as the page shows it. */
export interface MemberRow {
  readonly id: string;
  readonly name: string;
  /** Where it comes from: told to operators only. */
  readonly address?: string;
  readonly backend: string;
  readonly threads: number;
  /** `here`: it is a part of the run's own process. */
  readonly state: 'here' | 'active' | 'standby' | 'preparing';
  /** Why it is active or on standby, where that is a choice. */
  readonly reason?: string;
  /** Samples of it that count. */
  readonly samples: number;
  /** Samples per second that its threads compute. */
  readonly speed?: number;
  /** Milliseconds from a ping to its pong, and those of an exchange without the time on its threads. */
  readonly roundTripMs?: number;
  readonly exchangeMs?: number;
  /** Megabits per second, both ways together, if the exchange takes nothing but sending. */
  readonly megabits?: number;
  /** Milliseconds since it was heard. */
  readonly silentMs?: number;
  /** Answers of its machine that others have confirmed, and how often it was expelled. */
  readonly confirmed: number;
  readonly expelled: number;
  /** Seconds since it connected. */
  readonly seconds: number;
}

/** A range of leaves, and who computes it. */
export interface ShareRow {
  /** The id of a member. */
  readonly member: string;
  /** Leaves from..to-1. */
  readonly from: number;
  readonly to: number;
  /** Its sums have arrived. */
  readonly isDone: boolean;
}

/** The members of the run as they are now, and who computes which leaves of the latest step. */
export interface MembersNews {
  readonly kind: 'members';
  readonly step: number;
  readonly members: readonly MemberRow[];
  /** Members that are left out of the list. */
  readonly leftOut: number;
  /** Leaves of the step, and their shares. */
  readonly leaves: number;
  readonly shares: readonly ShareRow[];
}

const amount = v.pipe(v.number(), v.minValue(0), v.finite());
const memberRow = v.strictObject({
  ...{ id: identifier, name, address: v.exactOptional(name), backend: name, threads: count },
  ...{ state: v.picklist(['here', 'active', 'standby', 'preparing']), reason: v.exactOptional(reason) },
  ...{ samples: count, speed: v.exactOptional(amount), roundTripMs: v.exactOptional(amount) },
  ...{ exchangeMs: v.exactOptional(amount), megabits: v.exactOptional(amount) },
  ...{ silentMs: v.exactOptional(amount), confirmed: count, expelled: count, seconds: amount },
});
const shareRow = v.strictObject({ member: identifier, from: count, to: count, isDone: v.boolean() });

/** Schema of the message. */
export const MembersSchema = v.strictObject({
  ...{ kind: v.literal('members'), step, leftOut: count, leaves: count },
  members: v.pipe(v.array(memberRow), v.maxLength(MEMBERS_SHOWN_MAX)),
  shares: v.pipe(v.array(shareRow), v.maxLength(SHARES_SHOWN_MAX)),
});
