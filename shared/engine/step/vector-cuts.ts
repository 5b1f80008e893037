/* How the vectors of a run are cut for links: where their tensors begin. Both ends of a link must cut alike. */
import type { Plan } from '../../compiler/plan.js';
import { cutVector, type VectorCut } from '../../reduction/segments.js';
import type { SumCodec } from './sum-codec.js';
import type { SumLayout } from './sum-layout.js';

/** A partial sum. */
export function sumCut({ floats, parts }: SumLayout): VectorCut {
  const borders = parts.map(({ from }) => 4 * from).sort((a, b) => a - b);
  return cutVector(4 * floats, borders);
}

/** The weights, and each of the optimizer's vectors. */
export function weightCut({
  parameterFloats,
  parameters,
}: Pick<Plan, 'parameterFloats' | 'parameters'>): VectorCut {
  const borders = parameters.map(({ offset }) => 4 * offset).sort((a, b) => a - b);
  return cutVector(4 * parameterFloats, borders);
}

/** The encoded update of a run with a codec. */
export function updateCut({ encoding, exactAt, updateBytes }: SumCodec): VectorCut {
  return cutVector(updateBytes, [...encoding.tensors.map(({ scales }) => scales), exactAt]);
}
