/*
 * Actors: a mailbox and a pure transition. Whatever touches the world (a socket, a timer, a thread, a file) is asked
 * for as an effect, which is data, and answers with a message. So the same state machine runs in production, under a
 * seeded simulator in virtual time, and in a test that compares lists of effects.
 */

/** What a transition answers: the state from now on, and what is to be done, in this order. */
export interface Step<State, Effect> {
  readonly state: State;
  readonly effects: readonly Effect[];
}

/**
 * One message in, the state after it and its effects out. Never performs I/O, never reads a clock, draws no random
 * number. It may change `state` in place and return it: the state belongs to one actor alone.
 */
export type Transition<State, Message, Effect> = (state: State, message: Message) => Step<State, Effect>;
