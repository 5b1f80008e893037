/* What a bisection found, and how it is said. */

import type { FlippedBit } from './flipped-bit.js';
import type { LeafDifference } from './part-in-step.js';
import type { TensorDifference } from './value-difference.js';

/** A run whose record is not what its own settings compute. */
export interface FaultyRecord {
  /** 0 or 1: the first or the second run. */
  readonly run: 0 | 1;
  /** The first step whose recorded numbers differ from the computed ones. */
  readonly step: number;
  /** Such as "loss" or "weightsSha256". */
  readonly what: string;
  readonly recorded: string;
  readonly computed: string;
  /** The latest step before whose recorded weights are the computed ones; the fault is behind it. */
  readonly rightUntil: number;
  /** What differs in the kept state of that step, where there is one. */
  readonly parameters: readonly TensorDifference[];
  /** The single flipped bit that explains it, or the flips between which nothing decides. */
  readonly flip?: {
    readonly name: string;
    readonly op: string;
    readonly at: readonly number[];
    readonly flips: readonly FlippedBit[];
  };
}

/** How two runs compare. */
export interface Bisection {
  readonly parts: boolean;
  /** The directories. */
  readonly runs: readonly [string, string];
  /** Recorded steps of each. */
  readonly steps: readonly [number, number];
  /** Settings, data and the like that are not the same. */
  readonly differences: readonly string[];
  /** The first step whose result differs, counted from 1; 0: the weights that they begin with; null: they never part. */
  readonly step: number | null;
  /** What the step was computed again from: the checkpoint of this step, or 0: the first weights. */
  readonly recomputedFrom: number | null;
  /**
   * What parts them: the weights before the first step; a leaf of the sum; the update, where the sums of all leaves are
   * equal; the evaluation alone; a fault: one was not computed as its settings say; the settings, where what
   * they compute cannot be laid side by side.
   */
  readonly cause: 'none' | 'begin' | 'leaf' | 'update' | 'evaluation' | 'fault' | 'settings';
  readonly leaf?: LeafDifference;
  /** The weight, or the number of the optimizer, that differs first after the step. */
  readonly parameter?: TensorDifference;
  readonly faults?: readonly FaultyRecord[];
}

/** The same in lines for people; the first is the answer. */
export function bisectionLines(found: Bisection): string[] {
  const { runs, differences, parameter, leaf, faults = [] } = found;
  return [
    answer(found),
    ...differences.map((text) => `  they were asked for different things: ${text}`),
    ...(leaf === undefined ? [] : leafLines(leaf)),
    ...(parameter === undefined
      ? []
      : [`  ${elementText(parameter.name, parameter.at)} after it: ${pairText(parameter)}`]),
    ...faults.flatMap((fault) => faultLines(fault, runs[fault.run])),
    ...(found.recomputedFrom === null
      ? []
      : [
          found.recomputedFrom === 0
            ? '  computed again from the first weights'
            : `  computed again from the checkpoint of step ${found.recomputedFrom}`,
        ]),
  ];
}

function answer({ cause, step, steps, runs: [a, b], leaf, faults = [] }: Bisection): string {
  const [x, y] = steps;
  switch (cause) {
    case 'none':
      return x === y
        ? `the runs never part: all recorded numbers of ${x} steps are the same`
        : `the runs never part as far as both go: ${Math.min(x, y)} steps; ${x < y ? b : a} goes on to step ${Math.max(x, y)}`;
    case 'begin':
      return 'the runs part before the first step: their first weights differ';
    case 'leaf':
      return `the runs part at step ${step}, leaf ${leaf?.leaf}, op ${leaf?.op}`;
    case 'update':
      return `the runs part at step ${step}, in the update: the sums of all leaves are equal`;
    case 'evaluation':
      return `the runs part at step ${step}, in the evaluation alone: the weights are equal`;
    case 'settings':
      return `the runs part at step ${step}: network, batch, leaf size or number of samples differ, so no leaf can be compared with another`;
    case 'fault': {
      const flip = faults.find((fault) => fault.flip !== undefined)?.flip;
      const place = flip === undefined ? '' : `, leaf ${leavesText(flip.flips)}, op ${flip.op}`;
      return `the runs part at step ${step}${place}: not both were computed as their settings say`;
    }
  }
}

function leafLines({ pass, name, op, sample, at, samples, values, bits }: LeafDifference): string[] {
  const what = {
    data: `the data ${name}`,
    forward: `y of ${name} (${op})`,
    loss: `the sum of ${name}`,
    backward: `delta of ${name} (${op})`,
    gradient: `dL/dw of ${name} (${op})`,
  }[pass];
  const whose = sample === undefined ? '' : ` of sample ${sample}`;
  return [
    `  ${elementText(what, at)}${whose}: ${pairText({ values, bits })}`,
    `  samples of the leaf: ${samples.join(', ')}`,
  ];
}

function faultLines(
  { step, what, recorded, computed, rightUntil, parameters, flip }: FaultyRecord,
  path: string,
): string[] {
  const lines = [
    `  ${path} records the ${what} of step ${step} as ${recorded}; its settings compute ${computed}`,
  ];
  const [first] = parameters;
  if (flip === undefined && rightUntil < step - 1)
    lines.push(
      `  it went wrong between step ${rightUntil + 1} and step ${step}: no state between them was kept (--checkpoint-every 1 --keep-checkpoints all keeps each)`,
    );
  if (flip !== undefined) {
    const [one] = flip.flips;
    const others = flip.flips.length - 1;
    lines.push(
      `  a flipped bit explains it, to the bit: bit ${one?.bit} of ${elementText(flip.name, flip.at)} in the sum of leaf ${one?.leaf}, ${one?.values[0]} became ${one?.values[1]}`,
      ...(others === 0
        ? []
        : [`  ${others} other ${others === 1 ? 'flip' : 'flips'} in its sums would explain it as well`]),
    );
  } else if (first !== undefined) {
    const elements = parameters.reduce((sum, { count }) => sum + count, 0);
    lines.push(
      `  the state kept there differs in ${elements} numbers of ${parameters.map(({ name }) => name).join(', ')}, first in ${elementText(first.name, first.at)}: ${first.values[0]} computed, ${first.values[1]} kept`,
      '  no single flipped bit in the sum of a leaf explains it',
    );
  }
  return lines;
}

/** Distinct leaves of flips, such as "3" or "3 or 5". */
function leavesText(flips: readonly FlippedBit[]): string {
  return [...new Set(flips.map(({ leaf }) => leaf))].join(' or ');
}

function elementText(name: string, at: readonly number[]): string {
  return at.length === 0 ? name : `${name}[${at.join(', ')}]`;
}

function pairText({ values: [a, b], bits: [x, y] }: Pick<LeafDifference, 'values' | 'bits'>): string {
  return `${a} (${x}) in the first run, ${b} (${y}) in the second`;
}
