import { type ExchangeSample, fitExchanges, type StepCosts, usefulMembers } from './step-model.js';
import type { DistributedStep } from './step-tasks.js';

/*
 * What exchanges have taken in steps with different numbers of members: it says what they share, and how many members are useful.
 */

/** Numbers of members are told apart by a quarter of an octave. */
const CLASSES_PER_OCTAVE = 4;
/** Weight of the newest step in a smoothed value. */
const NEWEST = 1 / 4;
/** A sample of a number of members that was not seen for so long does not count. */
const OLD_MS = 300_000;
/** Of fewer members, each is of use: the assignment alone decides. */
const CHOSEN_LEAST = 32;

/** What was measured, by class of the number of members. */
export interface ExchangeLog {
  readonly samples: Map<number, ExchangeSample & { readonly atMs: number }>;
  /** Steps that were noted. */
  steps: number;
  /** Workers for which relays were proposed last; 0: they were not. */
  proposedFor: number;
}

/** Nothing is measured yet. */
export function noExchanges(): ExchangeLog {
  return { samples: new Map(), steps: 0, proposedFor: 0 };
}

/** A step of so many exchanges is done, and took so long beside computing. */
export function noteExchanges(log: ExchangeLog, sample: ExchangeSample, nowMs: number): void {
  log.steps += 1;
  const key = classOf(sample.members);
  const before = log.samples.get(key) ?? sample;
  log.samples.set(key, {
    members: before.members + NEWEST * (sample.members - before.members),
    restMs: before.restMs + NEWEST * (sample.restMs - before.restMs),
    atMs: nowMs,
  });
  for (const [one, { atMs }] of log.samples) if (nowMs - atMs > OLD_MS) log.samples.delete(one);
}

/** What a step has taken beside computing. @param msPerLeaf of a member, where it is known */
export function exchangesOf(
  { tasks, exchanges, startedMs }: DistributedStep,
  msPerLeaf: (memberId: string) => number,
  nowMs: number,
): ExchangeSample {
  let computeMs = 0;
  for (const { range, answers } of tasks.values())
    for (const { memberId } of answers)
      computeMs = Math.max(computeMs, (range.to - range.from) * msPerLeaf(memberId));
  return { members: exchanges, restMs: Math.max(0, nowMs - startedMs - computeMs) };
}

/** How many of so many members should be given leaves. Changes by whole classes, so that the assignment stays. */
export function chosenCount(log: ExchangeLog, computeMs: number, members: number): number {
  const costs = members < CHOSEN_LEAST ? undefined : costsOf(log, computeMs);
  if (costs === undefined) return members;
  const useful = usefulMembers(costs, members);
  return useful === members
    ? members
    : Math.min(members, Math.max(CHOSEN_LEAST, Math.round(2 ** (classOf(useful) / CLASSES_PER_OCTAVE))));
}

/** The costs of a step; undefined: they are not known yet. @param computeMs time in which one member computes all leaves */
export function costsOf({ samples }: ExchangeLog, computeMs: number): StepCosts | undefined {
  const fitted = fitExchanges([...samples.values()]);
  return fitted && { computeMs, ...fitted };
}

function classOf(members: number): number {
  return Math.round(CLASSES_PER_OCTAVE * Math.log2(Math.max(1, members)));
}
