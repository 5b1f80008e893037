import { Mailbox } from './mailbox.js';
import type { Transition } from './transition.js';

/**
 * Default of the most messages that may wait for one actor. An actor handles a message at once, so only messages that its
 * own effects send can accumulate: thousands mean an endless chain.
 */
const MAILBOX_MESSAGES_MAX = 65_536;

/** What an actor is created with. */
export interface ActorSpec<State, Message, Effect> {
  /** For people and error messages: "coordinator", "worker 3". */
  readonly name: string;
  readonly state: State;
  readonly transition: Transition<State, Message, Effect>;
  /** Performs an effect. The result of asynchronous work comes back through `self.tell`. */
  readonly perform: (effect: Effect, self: ActorRef<Message>) => void;
  /**
   * Called once when a transition or an effect throws, or the mailbox overflows. The actor has then stopped, because its
   * state can no longer be trusted. Must not throw.
   */
  readonly onFailure: (failure: ActorFailure<Message>) => void;
  /** Default: MAILBOX_MESSAGES_MAX. */
  readonly mailboxMessagesMax?: number;
}

/** An actor as others see it. */
export interface ActorRef<Message> {
  /** Sends a message to the actor. A stopped actor ignores it. */
  tell(message: Message): void;
  /** Stops the actor after the current effect. Messages that wait are dropped. */
  stop(): void;
}

/** Why an actor stopped. */
export interface ActorFailure<Message> {
  readonly name: string;
  /** What was thrown. */
  readonly error: unknown;
  /** The message that was being handled, or that did not fit into the mailbox. */
  readonly message: Message;
}

/**
 * Runs a transition, one message at a time and in order of arrival, and performs the effects of each before the next.
 *
 * `tell` handles the message at once, unless the actor is busy (one of its own effects called `tell`): then the message
 * waits. So no message is delayed by the event loop, and two runs with the same messages are the same.
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

  /** The state after the last transition. It must only be read. */
  get state(): State {
    return this.#state;
  }

  /** Whether the actor has stopped and ignores messages. */
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
    while (this.#mailbox.length > 0) this.#handle(this.#mailbox.take());
    this.#running = false;
  }

  #handle(message: Message): void {
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
    // An effect may stop the actor and then throw: that is reported too.
    this.stop();
    this.#spec.onFailure({ name: this.name, error, message });
  }
}
