import type { Transition } from '../shared/actor/transition.js';
import { garbled, memberLeft, receive, sweep, welcomeStranger } from './membership.js';
import type { CoordinatorEffect, CoordinatorMessage } from './messages.js';
import { advance, evaluated, finished, interrupt, strided } from './progress.js';
import type { CoordinatorState } from './state.js';

/**
 * The coordinator: one message in, the state after it and what is to be done out. No clock, no socket, no arithmetic
 * on tensors: that is what lets the same code run in production and under a simulated network.
 *
 * Each case changes what it is about; `advance` then looks whether anything can be started, and is the only place
 * that starts it.
 */
export const coordinate: Transition<CoordinatorState, CoordinatorMessage, CoordinatorEffect> = (
  state,
  message,
) => {
  const effects: CoordinatorEffect[] = [];
  switch (message.kind) {
    case 'connected':
      welcomeStranger(state, message, effects);
      break;
    case 'received':
      receive(state, message, effects);
      break;
    case 'garbled':
      garbled(state, message, effects);
      break;
    case 'disconnected':
      memberLeft(state, message.id, message.reason, effects);
      break;
    case 'strided':
      strided(state, message, effects);
      break;
    case 'finished':
      finished(state, message, effects);
      break;
    case 'evaluated':
      evaluated(state);
      break;
    case 'tick':
      sweep(state, message.nowMs, effects);
      break;
    case 'interrupt':
      interrupt(state, effects);
      break;
    default:
      message satisfies never;
  }
  advance(state, effects);
  return { state, effects };
};
