import { answerSegmentsMax } from '../coordinator/membership/frame-limits.js';
import type { Run } from '../shared/protocol/messages.js';
import type { VectorCut } from '../shared/reduction/segments.js';
import { shardLevelOf } from '../shared/reduction/shards.js';
import { leafCount } from '../shared/reduction/tree.js';
import type { RelaySettings } from './relay-state.js';

/** What a relay adds to the run that it was told of. */
export interface OwnSettings {
  /** Identifies the run between the relay and those below it. */
  readonly runId: string;
  /** Those who know it may work below the relay. It is that of the run. */
  readonly token: string;
  /** Fraction of the work below the relay that is computed twice, and what decides which. */
  readonly audit: RelaySettings['audit'];
  /** Connections that can be open at a time; left out: as many as there can be members. */
  readonly connectionsMax?: number;
}

/** How vectors are exchanged between a relay and those below it. */
export interface RelayedVectors {
  /** How a partial sum travels. */
  readonly sums: VectorCut;
  /** Bytes that a worker needs for a step. */
  readonly weightBytes: number;
}

/** The settings of a relay for a run. */
export function relaySettings(
  run: Pick<Run, 'model' | 'settings' | 'data' | 'compression' | 'audits'>,
  own: OwnSettings,
  { sums, weightBytes }: RelayedVectors,
): RelaySettings {
  const { model, settings, data, compression, audits = false } = run;
  const { seed, batch, leafSize, leavesPerGroup, local } = settings;
  return {
    ...{ model, data, samples: data.samples, ...own, seed, batch, leafSize, leavesPerGroup },
    ...(local && { local }),
    ...(compression && { compression, shardLevel: shardLevelOf(leafCount(batch, leafSize)) }),
    accounts: audits,
    // The run goes on without it.
    whenNobody: 'nobody is at work below this relay: it leaves the run until someone joins it',
    // Who is below a relay was sent there to work.
    placement: 'all',
    exchange: { bytes: weightBytes + sums.bytes, others: [] },
    answerSegmentsMax: answerSegmentsMax(sums, { batch, leafSize, local }),
  };
}
