import type { Transition } from '../shared/actor/transition.js';
import { receive } from './dialogue.js';
import type { NodeEffect, NodeMessage } from './messages.js';
import { end, lost, type NodeState } from './state.js';
import { computed, prepared, stored } from './work.js';

/**
 * A worker node: finds its coordinator, proves that it may join and that its arithmetic is right, fetches the data,
 * and computes the leaves it is handed. Whatever it does can be cut off at any moment without harm: the coordinator
 * hands its leaves to another.
 */
export const node: Transition<NodeState, NodeMessage, NodeEffect> = (state, message) => {
  const effects: NodeEffect[] = [];
  if (state.phase !== 'ended') handle(state, message, effects);
  return { state, effects };
};

function handle(state: NodeState, message: NodeMessage, effects: NodeEffect[]): void {
  switch (message.kind) {
    case 'opened':
      // The coordinator speaks first: nothing is said to one that does not prove to be of this protocol.
      state.phase = 'greeting';
      state.nonce = message.nonce;
      return;
    case 'closed':
      return lost(state, message.reason, effects);
    case 'received':
      return receive(state, message.message, message.payload, effects);
    case 'prepared':
      return prepared(state, message, effects);
    case 'stored':
      return stored(state, message, effects);
    case 'computed':
      return computed(state, message, effects);
    case 'failed':
      effects.push({ kind: 'send', message: { kind: 'leave', reason: message.reason } });
      return end(state, 'failed', message.reason, effects);
    case 'retry':
      state.phase = 'connecting';
      effects.push({ kind: 'connect' });
      return;
    case 'leave':
      effects.push({ kind: 'send', message: { kind: 'leave', reason: 'left by its user' } });
      return end(state, 'left', 'left by its user', effects);
    default:
      message satisfies never;
  }
}
