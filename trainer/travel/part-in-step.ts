import type { Plan } from '../../shared/compiler/plan.js';
import type { LeafTrace, StepTracer, TracedValues } from './step-tracer.js';
import { coordinates, type ValueDifference, valueDifference } from './value-difference.js';

/** Which part of a step computed a number. */
export type Pass = 'data' | 'forward' | 'loss' | 'backward' | 'gradient';

/** The first number of a step that two runs do not have in common. */
export interface LeafDifference {
  readonly leaf: number;
  /** Ids of its samples in the training data. */
  readonly samples: readonly number[];
  readonly pass: Pass;
  /** The input, layer or parameter that it belongs to. */
  readonly name: string;
  /** The op that computed it, such as "dense"; "input" for data, "loss" for the loss. */
  readonly op: string;
  /** The sample whose number it is, where it belongs to one. */
  readonly sample?: number;
  /** Coordinates in the tensor of one sample, or in the parameter. */
  readonly at: readonly number[];
  readonly values: ValueDifference['values'];
  readonly bits: ValueDifference['bits'];
}

/**
 * Finds where two runs part within a step: leaf by leaf their sums are compared, then op by op what the leaf computed.
 * @param tracers of both, with the state before the step in place
 * @param step steps done
 * @returns undefined when the sums of all leaves are equal
 */
export async function partInStep(
  [a, b]: readonly [StepTracer, StepTracer],
  step: number,
): Promise<LeafDifference | undefined> {
  const leaves = a.leaves(step);
  for (let leaf = 0; leaf < leaves; ) {
    const traces = [await a.trace(step, leaf), await b.trace(step, leaf)] as const;
    const [x, y] = traces;
    const found = x.sums.findIndex((sum, i) => valueDifference(sum, y.sums[i] as Float32Array) !== undefined);
    if (found < 0) {
      leaf = x.leaves.to;
      continue;
    }
    const batch = a.samples(step);
    const place = { leaf: x.leaves.from + found, samples: [...batch.slice(x.first, x.first + x.rows)] };
    return { ...place, ...partInLeaf(a.plan, traces, found, place.samples) };
  }
  return undefined;
}

function partInLeaf(
  plan: Plan,
  [a, b]: readonly [LeafTrace, LeafTrace],
  leaf: number,
  samples: readonly number[],
): Omit<LeafDifference, 'leaf' | 'samples'> {
  const opOf = (name: string): string => plan.model.nodes.find((node) => node.name === name)?.op ?? 'input';
  const shapeOf = ({ elements, units }: TracedValues): number[] =>
    elements === units ? [units] : [elements / units, units];
  const inRows = (
    pass: Pass,
    name: string,
    x: TracedValues | undefined,
    y: TracedValues | undefined,
  ): Omit<LeafDifference, 'leaf' | 'samples'> | undefined => {
    if (x === undefined || y === undefined) return undefined;
    const difference = valueDifference(x.values, y.values);
    if (difference === undefined) return undefined;
    const [row, ...at] = coordinates(difference.index, [x.rows, ...shapeOf(x)]);
    const { values, bits } = difference;
    return { pass, name, op: opOf(name), sample: samples[row as number] as number, at, values, bits };
  };
  const isInput = (name: string): boolean => opOf(name) === 'input';
  const target = (): ReturnType<typeof inRows> => inRows('data', 'the target', a.target(), b.target());
  for (const name of a.names.filter(isInput)) {
    const found = inRows('data', name, a.value(name), b.value(name));
    if (found !== undefined) return found;
  }
  const ofTarget = target();
  if (ofTarget !== undefined) return ofTarget;
  for (const name of a.names.filter((one) => !isInput(one))) {
    const found = inRows('forward', name, a.value(name), b.value(name));
    if (found !== undefined) return found;
  }
  for (const name of [...a.names].reverse()) {
    const found = inRows('backward', name, a.error(name), b.error(name));
    if (found !== undefined) return found;
  }
  return partInSum(plan, a.sums[leaf] as Float32Array, b.sums[leaf] as Float32Array);
}

/** What the first differing element of a leaf's sum is. */
function partInSum(plan: Plan, a: Float32Array, b: Float32Array): Omit<LeafDifference, 'leaf' | 'samples'> {
  const { index, values, bits } = valueDifference(a, b) as ValueDifference;
  const parameter = plan.parameters.find(
    ({ offset, size, isFrozen }) => !isFrozen && offset <= index && index < offset + size,
  );
  if (parameter === undefined) {
    const name = plan.metrics[index - plan.gradientFloats] ?? 'padding';
    return { pass: 'loss', name, op: 'loss', at: [], values, bits };
  }
  const { name, shape, offset } = parameter;
  return {
    pass: 'gradient',
    name,
    op: opOfParameter(plan, name),
    at: coordinates(index - offset, shape),
    values,
    bits,
  };
}

/** The op that has a parameter. */
export function opOfParameter({ model }: Plan, name: string): string {
  return model.nodes.find(({ parameters }) => Object.values(parameters).includes(name))?.op ?? 'none';
}
