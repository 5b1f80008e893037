import type { Partial } from '../../shared/engine/partials.js';
import type { CoordinatorToNode } from '../../shared/protocol/messages.js';
import { PROTOCOL_VERSION } from '../../shared/protocol/version.js';
import { maximalSubtrees, type Range } from '../../shared/sum/leaves.js';
import type { NodeEffect, NodeMessage } from '../../worker/messages.js';
import { node } from '../../worker/node.js';
import { initialState, type NodeState } from '../../worker/state.js';
import { NONCE, RIGHT_HASHES, RUN_ID, runMessage, TOKEN } from '../coordinator/settings.js';

export const CHALLENGE: CoordinatorToNode = {
  kind: 'challenge',
  version: PROTOCOL_VERSION,
  run: RUN_ID,
  nonce: NONCE,
};
const WEIGHTS = new Uint8Array(8);

/** A node in a play: a test speaks all other parts, and reads what the node does. */
export class Script {
  readonly state: NodeState = initialState({
    name: 'a',
    backend: 'wasm',
    detail: 'relaxed-simd',
    threads: 1,
    token: TOKEN,
    selfTest: RIGHT_HASHES,
  });

  tell(message: NodeMessage): readonly NodeEffect[] {
    return node(this.state, message).effects;
  }

  hears(message: CoordinatorToNode, payload: Uint8Array = new Uint8Array(0)): readonly NodeEffect[] {
    return this.tell({ kind: 'received', message, payload });
  }

  /** Connects and is let in; what it lacks of the data is not known yet. */
  joins(run = runMessage()): this {
    this.tell({ kind: 'retry' });
    this.tell({ kind: 'opened', nonce: NONCE });
    this.hears(CHALLENGE);
    this.hears(run);
    return this;
  }

  /** Has the run laid out, and lacks these chunks of its data. */
  isPrepared(missing: readonly number[]): readonly NodeEffect[] {
    return this.tell({ kind: 'prepared', missing, weightBytes: WEIGHTS.length });
  }

  /** The same, and has all data. */
  isReady(): this {
    this.joins();
    this.isPrepared([]);
    return this;
  }

  /** Is handed a range, with weights unless told otherwise. */
  works(step: number, range: Range, weights = true): readonly NodeEffect[] {
    return this.hears({ kind: 'work', step, range, weights }, weights ? WEIGHTS : undefined);
  }

  computed(step: number, range: Range): readonly NodeEffect[] {
    return this.tell({ kind: 'computed', step, range, partials: sums(range), computeMicros: 7 });
  }
}

function sums(range: Range): Partial[] {
  return maximalSubtrees(range, 8).map((node, slot) => ({ node, slot }));
}

/** What hands a range in. */
export function handedIn(step: number, range: Range): NodeEffect {
  const nodes = maximalSubtrees(range, 8);
  return {
    kind: 'send',
    message: { kind: 'partials', step, range, nodes, computeMicros: 7 },
    partials: sums(range),
  };
}

/** What begins a range. */
export function compute(step: number, range: Range, withWeights = true): NodeEffect {
  return { kind: 'compute', work: { step, range, weights: withWeights ? WEIGHTS : undefined } };
}
