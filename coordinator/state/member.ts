/** How far a peer has come on its way into the run. A watcher never computes anything. */
export type MemberPhase = 'challenged' | 'preparing' | 'ready' | 'watching';

/** What is known of a machine, whichever connection it comes by; see membership/standings.ts. */
export interface Standing {
  /** Identifies it: its key, or its address and name. */
  readonly machine: string;
  /** How often it was expelled for wrong sums, and because it did not answer. */
  wrong: number;
  silent: number;
  /** Answers of it that others have confirmed since. */
  confirmed: number;
  /** Of a relay, how often its sums were wrong and were traced to those below it. */
  doubts: number;
  /** It may not return before. */
  barredUntilMs: number;
  /** It has been a member before: a run that is closed to newcomers is open to it. */
  wasMember: boolean;
  /** How often in a row it has joined and left soon, without any answer; and when it may join again because of that. */
  visits: number;
  visitsAgainMs: number;
}

/** Answers that others must confirm before an unknown machine is believed without. */
const PROBATION_ANSWERS = 8;

/**
 * How far a member is believed. `trusted`: it is this machine. `proven`: others have confirmed several of its answers.
 * `unproven`: not yet; a relay below which somebody was wrong has to prove itself anew, for longer. `convicted`: its machine was
 * wrong before, and is never again believed without confirmation.
 */
export type Trust = 'trusted' | 'proven' | 'unproven' | 'convicted';

/** How far a member is believed. */
export function trustIn({ sharesMemory, standing }: Pick<Member, 'sharesMemory' | 'standing'>): Trust {
  if (sharesMemory) return 'trusted';
  const { wrong, doubts, confirmed } = standing;
  if (wrong > 0) return 'convicted';
  return confirmed < PROBATION_ANSWERS * 2 ** doubts ? 'unproven' : 'proven';
}

/** A peer as the coordinator knows it. The membership room changes it; other rooms only read it. */
export interface Member {
  readonly id: string;
  /** Lives in this process on this memory: weights and partial sums are not sent, only named. */
  readonly sharesMemory: boolean;
  readonly nonce: string;
  /** Where it comes from, without the port. */
  readonly address: string;
  /** What is known of its machine. */
  standing: Standing;
  phase: MemberPhase;
  /** It can compute sums that count. One that is ready and lacks data can be rehearsed. */
  hasData: boolean;
  name: string;
  backend: string;
  threads: number;
  readonly joinedAtMs: number;
  heardAtMs: number;
  /** How long it has prepared by itself, without waiting for data. */
  preparedMs: number;
  /** The shortest time from a ping to its pong; undefined before the first pong. */
  roundTripMs: number | undefined;
  /** Samples that it has computed and that count, for the report at the end. */
  samples: number;
  /** May operate the run; only watchers do. */
  isOperator: boolean;
  /** Pings that it has not answered; the oldest first. */
  readonly openPings: OpenPing[];
  /** What it may still send: pongs that answer no open ping, and requests of chunks. A member that sends more floods the run. */
  readonly due: { unasked: number; chunks: number; controls: number };
}

/** What is known of a machine that is unknown. @param machine what identifies it */
export function unknownStanding(machine: string): Standing {
  return {
    ...{ machine, wrong: 0, silent: 0, confirmed: 0, doubts: 0, barredUntilMs: Number.NEGATIVE_INFINITY },
    wasMember: false,
    ...{ visits: 0, visitsAgainMs: Number.NEGATIVE_INFINITY },
  };
}

/** A ping without its pong. */
export interface OpenPing {
  readonly id: number;
  readonly sentAtMs: number;
}

/** Requests of one operator between two ticks: more than people make. */
export const CONTROLS_PER_TICK_MAX = 16;

/**
 * Answers beyond those asked for that are accepted from a member: what it sent over an earlier connection may still
 * arrive.
 */
export const UNASKED_MAX = 16;
