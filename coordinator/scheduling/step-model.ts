/*
 * How long a step takes with so many members that are alike, straight at one machine or through relays. All exchanges of a machine share
 * its link and its processor; what members do beside each other takes the same time for any number of them. The costs are fitted to
 * steps with different numbers of members: by the coordinator while it trains (exchange-log.ts), and to the points of a benchmark.
 */

/** What decides how long a step takes. */
export interface StepCosts {
  /** Time in which one member computes all leaves of a step. */
  readonly computeMs: number;
  /** What the exchange with one member takes beside it, from weights to partial sums. */
  readonly exchangeMs: number;
  /** What each further exchange adds, as all share this machine's link and processor. */
  readonly sharedMs: number;
}

/** A step with relays below the coordinator, which have the same number of workers each. */
export interface Layout {
  readonly relays: number;
  readonly below: number;
  readonly stepMs: number;
}

/** Relays are proposed where a step is expected to take so much less. */
const WORTHWHILE = 0.25;

/** A step with so many members, which have equal shares. */
export function starMs(costs: StepCosts, members: number): number {
  return costs.computeMs / members + machineMs(costs, members);
}

/** The number of members with which a step is fastest, at most so many: each further one would take longer than it saves. */
export function usefulMembers({ computeMs, sharedMs }: StepCosts, members: number): number {
  if (sharedMs * members ** 2 <= computeMs) return members;
  return Math.max(1, Math.min(members, Math.round(Math.sqrt(computeMs / sharedMs))));
}

/** A step of so many workers through so many relays, on machines with links like the coordinator's. */
export function relayedMs(costs: StepCosts, workers: number, relays: number): number {
  const below = Math.ceil(workers / relays);
  return costs.computeMs / workers + machineMs(costs, relays) + machineMs(costs, below);
}

/** The fastest layout of one level of relays; undefined: so few workers have none. */
export function bestLayout(costs: StepCosts, workers: number): Layout | undefined {
  let best: Layout | undefined;
  for (let relays = 2; 2 * relays <= workers; relays++) {
    const layout = {
      ...{ relays, below: Math.ceil(workers / relays) },
      stepMs: relayedMs(costs, workers, relays),
    };
    if (best === undefined || layout.stepMs < best.stepMs) best = layout;
  }
  return best;
}

/** The fastest layout, where it is clearly faster than the best choice among all workers as members; undefined where it is not. */
export function worthwhileLayout(costs: StepCosts, workers: number): Layout | undefined {
  const straightMs = starMs(costs, usefulMembers(costs, workers));
  const layout = bestLayout(costs, workers);
  return layout !== undefined && layout.stepMs <= (1 - WORTHWHILE) * straightMs ? layout : undefined;
}

/** A measured step: what it took beside computing. */
export interface ExchangeSample {
  readonly members: number;
  readonly restMs: number;
}

/** Numbers of members that must differ so many times, in so many samples, before what they share is known. */
const SPREAD_LEAST = 2;
const SAMPLES_LEAST = 3;

/** The costs of exchanges that fit best, by least squares; undefined: the numbers of members are too much alike. */
export function fitExchanges(
  samples: readonly ExchangeSample[],
): Pick<StepCosts, 'exchangeMs' | 'sharedMs'> | undefined {
  const counts = samples.map(({ members }) => members);
  const least = Math.min(...counts);
  if (samples.length < SAMPLES_LEAST || Math.max(...counts) < SPREAD_LEAST * least) return undefined;
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanCount = mean(counts);
  const meanMs = mean(samples.map(({ restMs }) => restMs));
  const slope =
    samples.reduce((sum, { members, restMs }) => sum + (members - meanCount) * (restMs - meanMs), 0) /
    counts.reduce((sum, count) => sum + (count - meanCount) ** 2, 0);
  const sharedMs = Math.max(0, slope);
  return { sharedMs, exchangeMs: Math.max(0, meanMs - sharedMs * (meanCount - 1)) };
}

/** What the exchanges of one machine take. */
function machineMs({ exchangeMs, sharedMs }: StepCosts, members: number): number {
  return exchangeMs + sharedMs * (members - 1);
}
