import type { MemberRooms } from '../coordinator/member-work.js';
import { initialMembership } from '../coordinator/membership/membership.js';
import { initialScheduling } from '../coordinator/scheduling/scheduling-state.js';
import type { CoordinatorEffect, MemberMessage } from '../coordinator/state/messages.js';
import type { RunSettings } from '../coordinator/state/run-settings.js';
import type { PartialSum } from '../shared/engine/step/partial-sum-addition.js';
import type { Expel, SumPart } from '../shared/protocol/messages.js';
import type { LeafRange } from '../shared/reduction/tree.js';
import type { Arriving } from '../worker/executor.js';

/** What a relay knows of its run, as the rooms of a coordinator need it. */
export type RelaySettings = Parameters<typeof initialMembership>[0] &
  Parameters<typeof initialScheduling>[0] &
  Pick<RunSettings, 'samples'>;

/** Leaves that a relay was given. */
export interface RelayTask {
  readonly step: number;
  readonly range: LeafRange;
  /** What came with them; undefined: nothing, so weights are as they were. */
  readonly brings: Arriving | undefined;
}

/** The state of a relay towards those below it: the rooms of a coordinator that know members, and what it owes upwards. */
export interface RelayState extends MemberRooms {
  readonly settings: RelaySettings;
  /** What is to be computed, or is being computed: one range of leaves, or several replicas of one round of local updates. */
  tasks: readonly RelayTask[];
}

/** What reaches a relay's mailbox from below, as at a coordinator, and from above. */
export type RelayMessage =
  | MemberMessage
  /** Leaves to compute. One task at a time, unless it is a replica of the round that is being computed. */
  | ({ kind: 'compute' } & RelayTask)
  /** Somebody below was wrong, and is to be expelled. */
  | Expel
  /** Nobody needs any of them any more. */
  | { kind: 'abandon' };

/** What somebody below has computed of a task. */
export interface ComputedPart {
  readonly memberId: string;
  readonly name: string;
  readonly range: LeafRange;
  readonly partialSums: readonly PartialSum[];
  /** Of a relay: what those below it have computed. */
  readonly parts: readonly SumPart[];
}

/** What a relay wants done. */
export type RelayEffect =
  | CoordinatorEffect
  /** The task is done: these are its partial sums, to be added as far as the tree adds them. */
  | {
      kind: 'computed';
      task: RelayTask;
      parts: readonly ComputedPart[];
      /** The time that it has taken those below; see `computeMs` in transition.ts. */
      computeMs: number;
      /** Of local updates: how many replicas those below compute at a time. */
      concurrency?: number;
    };

/** A relay that nobody has joined. */
export function initialRelayState(settings: RelaySettings, nowMs: number): RelayState {
  return {
    settings,
    membership: initialMembership(settings, nowMs),
    scheduling: initialScheduling(settings),
    tasks: [],
  };
}
