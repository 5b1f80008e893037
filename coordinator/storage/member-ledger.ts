/*
 * What a run remembers of its members when its coordinator is started anew. It is no part of a checkpoint: a checkpoint
 * follows from recipe and data alone, which `unisum verify` relies on.
 */
import * as v from 'valibot';
import { STEP_MAX } from '../../shared/protocol/limits.js';
import type { RunProgress } from './checkpoint.js';

/** Its name among the checkpoints of a run. */
export const LEDGER_FILE = 'members.json';

/** Most bytes of it that are read: what all machines take under their longest names. */
export const LEDGER_BYTES_MAX = 16 * 2 ** 20;

/** Machines that are remembered apart: a new identity costs a member that knows the token next to nothing. */
export const MACHINES_MAX = 4096;

/** Stands for all machines beyond MACHINES_MAX, or for all that there were; no machine has this name. */
export const OTHERS = '';

const step = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(STEP_MAX));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const LedgerSchema = v.strictObject({
  /** By machine, the first step that rests on sums of it which nobody has confirmed. */
  unverified: v.record(v.string(), step),
  /** Steps of the checkpoints that the run can roll back to, ascending. */
  bases: v.array(step),
  /** Rollbacks so far. */
  rollbacks: count,
  /** By machine, how often it was expelled for wrong sums or because it did not answer. */
  expulsions: v.record(v.string(), v.strictObject({ wrong: count, silent: count })),
  /** Machines that the operator keeps out; see membership/bans.ts. */
  banned: v.optional(v.array(v.string()), []),
});

/** See the head of this file. */
export type MemberLedger = v.InferOutput<typeof LedgerSchema>;

/** What a run that goes on remembers of its members, and the states that it can go back to. */
export interface AuditMemory {
  readonly ledger: MemberLedger;
  /** A snapshot of the vectors of each is kept. */
  readonly kept: readonly RunProgress[];
}

/**
 * Takes the place of a ledger that is damaged. Whatever is in the weights may be unverified: an expulsion takes the run back to its
 * first step, so that nothing of the expelled machine stays.
 */
export const LOST_LEDGER: MemberLedger = {
  unverified: { [OTHERS]: 0 },
  bases: [],
  rollbacks: 0,
  expulsions: {},
  banned: [],
};

/** The bytes of the file. */
export function encodeLedger(ledger: MemberLedger): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(ledger)}\n`);
}

/** @returns undefined when the bytes are not what a run writes */
export function decodeLedger(bytes: Uint8Array): MemberLedger | undefined {
  const result = v.safeParse(
    v.pipe(v.string(), v.parseJson(), LedgerSchema),
    new TextDecoder().decode(bytes),
  );
  return result.success ? result.output : undefined;
}
