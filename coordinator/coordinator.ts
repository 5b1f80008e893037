import type { Step } from '../shared/actor/transition.js';
import { welcomeStranger } from './admission.js';
import { compared } from './audit.js';
import { memberLeft } from './dismissal.js';
import { garbled, receive, sweep } from './membership.js';
import type { CoordinatorEffect, CoordinatorMessage } from './messages.js';
import { advance, evaluated, finished, interrupt, strided } from './progress.js';
import { saved } from './saving.js';
import type { CoordinatorState } from './state.js';

/**
 * The coordinator: one message in, the state after it and what is to be done out. No clock, no socket, no arithmetic
 * on tensors, and the time is handed in: that is what lets the same code run in production and under a simulated network.
 *
 * Each case changes what it is about; `advance` then looks whether anything can be started, and is the only place
 * that starts it.
 */
export function coordinate(
  state: CoordinatorState,
  message: CoordinatorMessage,
  nowMs: number,
): Step<CoordinatorState, CoordinatorEffect> {
  state.nowMs = nowMs;
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
      evaluated(state, message, effects);
      break;
    case 'saved':
      saved(state, message, effects);
      break;
    case 'watched':
      state.activity = 'waiting';
      break;
    case 'tick':
      sweep(state, effects);
      break;
    case 'compared':
      compared(state, message, effects);
      break;
    case 'woken':
      state.wakeAtMs = Number.POSITIVE_INFINITY;
      break;
    case 'interrupt':
      interrupt(state, effects);
      break;
    default:
      message satisfies never;
  }
  advance(state, effects);
  return { state, effects };
}
