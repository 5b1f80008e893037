/* What workers exchange with the coordinator in a run with a codec. */
import type { RunPlan } from './run-plan.js';

/** What a codec saves on links, in a line for people; none without a codec. */
export function compressionLines({ plan, codec, compression }: RunPlan): string[] {
  if (codec === undefined || compression === undefined) return [];
  const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`;
  const up = `a worker sends ${kilobytes(codec.sumBytes)} for a partial sum`;
  const down = `receives ${kilobytes(codec.updateBytes)} a step`;
  const plain = kilobytes(plan.parameterFloats * 4);
  return [`gradients are rounded to ${compression.codec}: ${up} and ${down}, instead of ${plain} each`];
}
