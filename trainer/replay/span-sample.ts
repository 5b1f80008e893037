import type { CheckpointStore } from '../../coordinator/storage/checkpoint-store.js';
import type { SeededRandom } from '../../shared/actor/seeded-random.js';
import { UserError } from '../../shared/errors.js';
import type { RecordedRun } from './recorded-run.js';
import type { Span } from './replay-verifier.js';

/** Which spans are computed, and what that proves. */
export interface Sample {
  readonly spans: readonly Span[];
  /** Of all in the run. */
  readonly count: number;
  /** With what probability a single altered step would have been missed, at worst. */
  readonly missProbability: number;
  /** The same of somebody who had left out half of the computation. */
  readonly halfMissProbability: number;
}

/** The span that holds a step, by its number among the steps of these spans. */
function spanAt(spans: readonly Span[], number: number): Span {
  let passed = 0;
  const found = spans.find(({ from, to }) => {
    passed += to - from;
    return number < passed;
  });
  return found as Span;
}

/**
 * All spans of a run, in order. One of no steps stands for a run without any, and for a first leg without any: the
 * state that the next leg goes on from.
 */
function spansBetweenStates(recorded: RecordedRun): Span[] {
  const { legs, saved, lastStep, end } = recorded;
  return legs.flatMap((leg, i) => {
    const legEnd = legs[i + 1]?.from ?? lastStep;
    const between = [...saved.keys()].filter((step) => leg.from < step && step < legEnd);
    const bounds = [leg.from, ...between.sort((a, b) => a - b), legEnd];
    return bounds.slice(1).map((to, n): Span => {
      const from = bounds[n] as number;
      const isDrawn = n === 0 && leg.state === null;
      const states = isDrawn ? undefined : new Set(saved.get(from)?.map(({ value }) => value.sha256));
      const isLast = i === legs.length - 1 && to === legEnd;
      return { leg, from, to, states, endsRun: isLast && end !== undefined && end.reason !== 'interrupted' };
    });
  });
}

/**
 * Draws spans to compute: always those that the final weights stand in, and of the others those around `draws`
 * steps, each step as likely as any other. So a forger who has left out a part f of the computation is missed with
 * probability (1 - f) ^ draws, however the spans were laid out.
 * @throws UserError when there are spans that cannot be drawn, for their state was not kept
 */
export async function sampleSpans(
  recorded: RecordedRun,
  store: CheckpointStore,
  draws: number,
  random: SeededRandom,
): Promise<Sample> {
  const all = spansBetweenStates(recorded);
  const kept = new Set(await store.steps());
  const lost = all.find(({ from, states }) => states !== undefined && !kept.has(from));
  if (lost !== undefined)
    throw new UserError(
      `steps ${lost.from + 1} to ${lost.to} cannot be sampled, because the checkpoint of step ${lost.from} was not kept; leave --sample out, or train with --keep-checkpoints all`,
    );
  const { restored } = recorded.end ?? {};
  const isSure = (one: Span): boolean =>
    one.to === recorded.lastStep ||
    one.from === one.to ||
    (restored !== undefined && one.from < restored && restored <= one.to);
  const others = all.filter((one) => !isSure(one));
  const lengthOf = ({ from, to }: Span): number => to - from;
  const steps = others.reduce((sum, one) => sum + lengthOf(one), 0);
  const drawn = new Set(all.filter(isSure));
  for (let left = steps === 0 ? 0 : draws; left > 0; left--) {
    drawn.add(spanAt(others, random.below(steps)));
  }
  const shortest = others.reduce((least, one) => Math.min(least, lengthOf(one)), steps);
  return {
    spans: all.filter((one) => drawn.has(one)),
    count: all.length,
    missProbability: drawn.size === all.length ? 0 : (1 - shortest / steps) ** draws,
    halfMissProbability: drawn.size === all.length ? 0 : 0.5 ** draws,
  };
}
