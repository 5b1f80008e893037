import type { CoordinatorEffect } from '../state/messages.js';
import { costsOf, type ExchangeLog } from './exchange-log.js';
import { inMs } from './placement.js';
import { activeWorkers, type SchedulingState } from './scheduling-state.js';
import type { StepAhead } from './step-ahead.js';
import { type Layout, starMs, usefulMembers, worthwhileLayout } from './step-model.js';
import { meanMsPerLeaf } from './throughput.js';

/** Relays are not proposed for fewer workers, nor before so many steps. */
const PROPOSED_LEAST = 8;
const STEPS_LEAST = 20;

/** Tells, once, that relays would make a step clearly faster. With a codec too few parts are exchanged, and with local updates too seldom. */
export function proposeLayout(
  part: SchedulingState,
  { step, leaves }: Pick<StepAhead, 'step' | 'leaves'>,
): CoordinatorEffect[] {
  const { settings, exchanges } = part;
  if (settings.hasCodec || settings.isLocal || exchanges.steps < STEPS_LEAST) return [];
  const remotes = activeWorkers(part).filter(({ member }) => !member.sharesMemory);
  const computeMs = leaves * meanMsPerLeaf(remotes);
  const proposal = relayProposal(
    exchanges,
    computeMs,
    remotes.map(({ member }) => member.address),
  );
  if (proposal === undefined) return [];
  const { relays, below, stepMs, presentMs } = proposal;
  const reason = describeProposal(proposal);
  return [
    { kind: 'notice', text: reason },
    { kind: 'report', event: { event: 'layout', step, relays, below, stepMs, presentMs, reason } },
  ];
}

/** Relays that would make a step clearly faster. */
export interface RelayProposal extends Layout {
  readonly workers: number;
  /** A step as it is. */
  readonly presentMs: number;
  /** Where the most of the workers are, if a relay there would have several. */
  readonly site?: { readonly address: string; readonly workers: number };
}

/**
 * Whether relays are worth proposing now. They are proposed once, and again when there are twice as many workers.
 * @param computeMs time in which one member computes all leaves
 * @param addresses of the members that would be below relays, one each
 */
export function relayProposal(
  log: ExchangeLog,
  computeMs: number,
  addresses: readonly string[],
): RelayProposal | undefined {
  const workers = addresses.length;
  if (workers < PROPOSED_LEAST || workers < 2 * log.proposedFor) return undefined;
  const costs = costsOf(log, computeMs);
  const layout = costs && worthwhileLayout(costs, workers);
  if (costs === undefined || layout === undefined) return undefined;
  log.proposedFor = workers;
  const site = largestSite(addresses);
  return {
    ...layout,
    ...{ workers, presentMs: starMs(costs, usefulMembers(costs, workers)) },
    ...(site.workers >= layout.below && site.workers < workers && { site }),
  };
}

/** The proposal in words. */
export function describeProposal({ workers, presentMs, relays, below, stepMs, site }: RelayProposal): string {
  const at = site === undefined ? '' : `; ${site.workers} workers are at ${site.address}: begin there`;
  return (
    `relays: a step takes ${inMs(presentMs)} with ${workers} workers at this coordinator; ${relays} relays of ${below} workers each ` +
    `would take about ${inMs(stepMs)} (unisum relay JOIN-LINE)${at}`
  );
}

function largestSite(addresses: readonly string[]): { address: string; workers: number } {
  const counts = new Map<string, number>();
  for (const address of addresses) counts.set(address, (counts.get(address) ?? 0) + 1);
  let most = { address: '', workers: 0 };
  for (const [address, workers] of counts) if (workers > most.workers) most = { address, workers };
  return most;
}
