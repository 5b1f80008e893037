import type { Challenge, CoordinatorToNode, Run } from '../shared/protocol/messages.js';
import { coordinatorProof, nodeProof, proofsEqual } from '../shared/protocol/proof.js';
import { PROTOCOL_VERSION } from '../shared/protocol/version.js';
import type { NodeEffect } from './messages.js';
import { end, type NodeState } from './state.js';
import { enqueue } from './work.js';

/** What the coordinator says, and what the node does about it. A message out of its turn ends the node. */
export function receive(
  state: NodeState,
  message: CoordinatorToNode,
  payload: Uint8Array,
  effects: NodeEffect[],
): void {
  switch (message.kind) {
    case 'challenge':
      return answer(state, message, effects);
    case 'run':
      return join(state, message, effects);
    case 'chunk':
      if (state.phase !== 'fetching' || !state.onTheirWay.has(message.index))
        return outOfTurn(state, message.kind, effects);
      effects.push({ kind: 'store', index: message.index, bytes: payload });
      return;
    case 'work':
      if (state.phase !== 'working') return outOfTurn(state, message.kind, effects);
      return enqueue(
        state,
        { step: message.step, range: message.range, weights: message.weights ? payload : undefined },
        effects,
      );
    case 'ping':
      effects.push({ kind: 'send', message: { kind: 'pong', id: message.id } });
      return;
    case 'refuse':
      return end(state, 'refused', message.reason, effects);
    case 'stop':
      return end(state, 'finished', message.reason, effects);
    default:
      message satisfies never;
  }
}

function answer(state: NodeState, { run, nonce }: Challenge, effects: NodeEffect[]): void {
  if (state.phase !== 'greeting') return outOfTurn(state, 'challenge', effects);
  const { token, ...identity } = state.identity;
  state.handshake = { run, coordinatorNonce: nonce, nodeNonce: state.nonce };
  const proof = nodeProof(token, state.handshake);
  const message = {
    kind: 'hello',
    version: PROTOCOL_VERSION,
    nonce: state.nonce,
    proof,
    ...identity,
  } as const;
  effects.push({ kind: 'send', message });
}

function join(state: NodeState, run: Run, effects: NodeEffect[]): void {
  if (state.phase !== 'greeting' || state.handshake === undefined) return outOfTurn(state, 'run', effects);
  const proof = coordinatorProof(state.identity.token, state.handshake);
  if (!proofsEqual(proof, run.proof)) {
    return end(state, 'refused', 'the coordinator does not know the token: check the join line', effects);
  }
  state.phase = 'preparing';
  state.run = run;
  effects.push({ kind: 'admit' }, { kind: 'prepare', run });
}

/** A message that has no place here: one of the two programs is wrong, and going on would be guesswork. */
function outOfTurn(state: NodeState, kind: string, effects: NodeEffect[]): void {
  end(state, 'failed', `the coordinator sent "${kind}" out of turn`, effects);
}
