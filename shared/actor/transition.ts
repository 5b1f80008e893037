/*
 * An actor is a mailbox and a transition. Everything outside (a socket, a timer, a thread, a file) is requested by an
 * effect, which is data, and its result comes back as a message. So the same state machine runs in production, under a
 * seeded simulator in virtual time, and in a test that compares lists of effects.
 */

/** What a transition answers: the state from now on, and what is to be done, in this order. */
export interface TransitionResult<State, Effect> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/**
 * Handles one message: returns the new state and the effects. It is deterministic: it performs no I/O, reads no clock and
 * draws no random numbers. It may change `state` in place and return it, since the state belongs to one actor.
 */
export type Transition<State, Message, Effect> = (
  state: State,
  message: Message,
) => TransitionResult<State, Effect>;
