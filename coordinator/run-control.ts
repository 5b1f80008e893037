/*
 * What operators do to a run: pause it, let it go on, save it, end it, close it to newcomers, remove members. None of this
 * reaches the weights, which depend on recipe and data alone. Everything that is done is told to all who watch, and on the
 * run's terminal.
 */
import { namesMember } from '../shared/protocol/watch-messages.js';
import type { CoordinatorState } from './coordinator-state.js';
import { membersMeant } from './membership/bans.js';
import type { ReceivedOutcome } from './membership/member-messages.js';
import type { CoordinatorEffect } from './state/messages.js';
import { onInterrupt, pause, resume, saveNow } from './training-loop.js';

type Asked = NonNullable<ReceivedOutcome['control']>;

/** What a request comes to: what is done and how it is told, or why nothing is done. */
type Decision =
  | { readonly effects: readonly CoordinatorEffect[]; readonly text: string }
  | { readonly refusal: string };

/** Takes members out, by their name, their id or the key of their machine. */
type Remove = (who: string, isBanned: boolean) => readonly CoordinatorEffect[];

/** An operator asks for something. @param remove what transition.ts does then */
export function onControl(
  state: CoordinatorState,
  { operator, message }: Asked,
  remove: Remove,
): readonly CoordinatorEffect[] {
  const { id } = message;
  const decision =
    state.training.activity === 'complete' ? { refusal: 'the run is over' } : decide(state, message, remove);
  const answer = (isDone: boolean, text: string): CoordinatorEffect => ({
    kind: 'answer-operator',
    id: operator.id,
    answer: { kind: 'controlled', id, isDone, text },
  });
  if ('refusal' in decision) return [answer(false, decision.refusal)];
  const { effects, text } = decision;
  return [
    answer(true, text),
    { kind: 'notice', text: `operator at ${operator.address}: ${text}` },
    { kind: 'publish', report: stateReport(state) },
    ...effects,
  ];
}

function decide(
  state: CoordinatorState,
  { action, member = '' }: Asked['message'],
  remove: Remove,
): Decision {
  const { training, membership } = state;
  const step = namesMember(action) ? '' : `; ${training.step} steps are done`;
  switch (action) {
    case 'pause':
      if (training.isPaused) return { refusal: 'the run is paused already' };
      return { effects: pause(state), text: `the run is paused after the step under way${step}` };
    case 'resume':
      if (!training.isPaused) return { refusal: 'the run is not paused' };
      resume(state);
      return { effects: [], text: `the run goes on${step}` };
    case 'save': {
      const save = saveNow(state);
      if (typeof save === 'string') return { refusal: save };
      return { effects: save, text: `a checkpoint is saved after the step under way${step}` };
    }
    case 'stop':
      if (training.isInterrupted) return { refusal: 'the run is being stopped already' };
      return { effects: onInterrupt(state), text: `the run is saved and stopped${step}` };
    case 'close':
      if (membership.isClosed) return { refusal: 'the run is closed already' };
      membership.isClosed = true;
      return { effects: [], text: 'the run is closed to machines that have not been members before' };
    case 'open':
      if (!membership.isClosed) return { refusal: 'the run is open already' };
      membership.isClosed = false;
      return { effects: [], text: 'the run is open to newcomers' };
    case 'remove': {
      const [first] = membersMeant(membership, member);
      if (first === undefined) return { refusal: `the run has no member of the name, id or key ${member}` };
      return { effects: remove(member, false), text: `${first.name} is removed; its machine may join again` };
    }
    case 'ban': {
      const name = membersMeant(membership, member)[0]?.name ?? member;
      return { effects: remove(member, true), text: `${name} is banned` };
    }
    default:
      return action satisfies never;
  }
}

function stateReport({ training, membership }: CoordinatorState) {
  return { kind: 'state', isPaused: training.isPaused, isClosed: membership.isClosed } as const;
}
