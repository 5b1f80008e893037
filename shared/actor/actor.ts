import { Mailbox } from './mailbox.js';
import type { Transition } from './transition.js';

/**
 * Most messages that may wait for one actor unless it is told otherwise. An actor deals with a message at once, so
 * only what its own effects send meanwhile can pile up: thousands mean that it feeds itself.
 */
const MAILBOX_MESSAGES_MAX = 65_536;

/** What an actor is made of. */
export interface ActorSpec<State, Message, Effect> {
  /** For people and error messages: "coordinator", "node 3". */
  readonly name: string;
  readonly state: State;
  readonly transition: Transition<State, Message, Effect>;
  /** Carries an effect out. What completes later comes back by `self.tell`. */
  readonly perform: (effect: Effect, self: ActorRef<Message>) => void;
  /**
   * The supervisor: called once when a transition or an effect throws or the mailbox overflows. The actor has stopped
   * by then, because its state can no longer be trusted. Must not throw.
   */
  readonly onFailure: (failure: ActorFailure<Message>) => void;
  /** Default: MAILBOX_MESSAGES_MAX. */
  readonly mailboxMessagesMax?: number;
}

/** What others may do with an actor. */
export interface ActorRef<Message> {
  /** Hands a message over. A stopped actor ignores it. */
  tell(message: Message): void;
  /** Stops after the effect under way; messages that still wait are dropped. */
  stop(): void;
}

/** Why an actor stopped. */
export interface ActorFailure<Message> {
  readonly name: string;
  /** What was thrown. */
  readonly error: unknown;
  /** The message that was being dealt with, or that no longer fitted into the mailbox. */
  readonly message: Message;
}

/**
 * Runs a transition, one message at a time and in order of arrival, and performs the effects of each before the next.
 *
 * A message is dealt with inside `tell`, unless the actor is already busy (an effect of its own told it something):
 * then it waits its turn. So nothing is delayed by a trip through the event loop, and two runs with the same messages
 * take the same course.
 */
export class Actor<State, Message, Effect> implements ActorRef<Message> {
  readonly name: string;
  readonly #spec: ActorSpec<State, Message, Effect>;
  readonly #mailbox: Mailbox<Message>;
  #state: State;
  #running = false;
  #stopped = false;

  constructor(spec: ActorSpec<State, Message, Effect>) {
    this.name = spec.name;
    this.#spec = spec;
    this.#state = spec.state;
    this.#mailbox = new Mailbox(spec.mailboxMessagesMax ?? MAILBOX_MESSAGES_MAX);
  }

  /** The state after the last transition: to look at, never to change. */
  get state(): State {
    return this.#state;
  }

  /** Whether the actor ignores messages from now on. */
  get stopped(): boolean {
    return this.#stopped;
  }

  tell(message: Message): void {
    if (this.#stopped) return;
    if (!this.#mailbox.put(message)) {
      const { messagesMax } = this.#mailbox;
      this.#fail(new Error(`the mailbox of ${this.name} is full: ${messagesMax} messages wait`), message);
      return;
    }
    if (!this.#running) this.#run();
  }

  stop(): void {
    this.#stopped = true;
    this.#mailbox.clear();
  }

  #run(): void {
    this.#running = true;
    while (this.#mailbox.length > 0) this.#deal(this.#mailbox.take());
    this.#running = false;
  }

  #deal(message: Message): void {
    try {
      const { state, effects } = this.#spec.transition(this.#state, message);
      this.#state = state;
      for (const effect of effects) {
        if (this.#stopped) return;
        this.#spec.perform(effect, this);
      }
    } catch (error) {
      this.#fail(error, message);
    }
  }

  #fail(error: unknown, message: Message): void {
    // An effect may stop the actor and throw after that: told all the same, but only once.
    this.stop();
    this.#spec.onFailure({ name: this.name, error, message });
  }
}
