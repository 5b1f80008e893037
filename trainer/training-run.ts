import { UserError } from '../shared/errors.js';
import { checkedRecipe } from './checked-recipe.js';
import { EventQueue } from './event-queue.js';
import { availableCores } from './options/available-cores.js';
import { parseTrainOptions } from './options/train-options.js';
import { type TypedOptions, textsOf } from './options/typed-options.js';
import type { Recipe } from './recipe.js';
import type { TrainResult } from './result.js';
import { keptOptions, resumedRun } from './resume.js';
import type {
  CheckpointEvent,
  EpochEvent,
  EvaluationEvent,
  StepEvent,
  TrainingEvent,
  WorkerEvent,
} from './training-events.js';
import { trainSession } from './training-session.js';

/** Options of `train` that are not the command line's. */
interface ProgramOptions {
  /**
   * How the run's files call the recipe. With the path of a recipe file, `unisum verify` and `unisum train --resume` find the
   * recipe again. Default: 'program'.
   */
  readonly name?: string;
  /** Saves a checkpoint and ends the run when it is aborted; the run then rejects with the reason. */
  readonly signal?: AbortSignal;
}

/**
 * Trains a network on this machine, and on every machine that joins. Starts at once, and prints nothing.
 * @returns the run, which is awaited for its result, iterated over for its events, or both
 */
export function train(recipe: Recipe, options: TypedOptions & ProgramOptions = {}): TrainingRun {
  return new TrainingRun(recipe, options);
}

/** A run in this process. */
export class TrainingRun implements Promise<TrainResult>, AsyncIterable<TrainingEvent> {
  readonly [Symbol.toStringTag] = 'TrainingRun';
  private readonly result: Promise<TrainResult>;
  private readonly opened: Promise<{ readonly joinUrl: string; readonly directory: string }>;
  private readonly ending = new AbortController();
  private readonly listeners = new Set<(event: TrainingEvent) => void>();
  private failure: { readonly error: unknown } | undefined;

  constructor(unchecked: Recipe, { name = 'program', signal, ...options }: TypedOptions & ProgramOptions) {
    let open: (run: { joinUrl: string; directory: string }) => void = () => {};
    this.opened = new Promise((resolve) => {
      open = resolve;
    });
    const abort = (): void => this.end({ error: signal?.reason });
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted) abort();
    this.result = (async () => {
      // Listeners that are set in the same task as the call of train miss nothing.
      await Promise.resolve();
      this.throwFailure();
      const recipe = checkedRecipe(unchecked, '');
      const { given, all } = textsOf(options);
      const { resume, ...others } = given;
      const path = resume === undefined ? undefined : await resumedRun(resume, undefined, others);
      const texts = path === undefined ? all : { ...all, ...path.options };
      const settings = parseTrainOptions(path?.recipe ?? name, recipe, texts, availableCores());
      const request = { recipe, settings, options: keptOptions(texts), resume: path?.path };
      const result = await trainSession(request, {
        progress: {
          update() {},
          begin() {},
          paused() {},
          stop() {},
          say: (text) => this.tell({ kind: 'notice', text }),
        },
        reading: async (work) => {
          const data = await work();
          this.throwFailure();
          return data;
        },
        interrupted: this.ending.signal,
        hold: () => () => {},
        onEvent: (event) => this.tell(event),
        onOpen: (joinUrl, directory) => open({ joinUrl, directory }),
      });
      this.throwFailure();
      return result;
    })().finally(() => signal?.removeEventListener('abort', abort));
  }

  /** The result, for `await`. @throws the error of the run */
  // biome-ignore lint/suspicious/noThenProperty: a run is awaited
  then<A = TrainResult, B = never>(
    onResult?: ((result: TrainResult) => A | PromiseLike<A>) | null,
    onError?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result.then(onResult, onError);
  }

  /** Calls `onError` when the run fails, as for a promise. */
  catch<B = never>(onError?: ((error: unknown) => B | PromiseLike<B>) | null): Promise<TrainResult | B> {
    return this.result.catch(onError);
  }

  /** Calls `onEnd` when the run has ended, as for a promise. */
  finally(onEnd?: (() => void) | null): Promise<TrainResult> {
    return this.result.finally(onEnd);
  }

  /**
   * The events from now on. Leaving the loop does not end the run. If the reader is slower than the run, steps may be missing;
   * every event says which step it is of.
   * @throws the error of the run, after its last event
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<TrainingEvent, void, void> {
    const queue = new EventQueue<TrainingEvent>(({ kind }) => kind === 'step');
    const remove = this.on((event) => queue.push(event));
    this.result.then(
      () => queue.close(),
      (error: unknown) => queue.close({ error }),
    );
    try {
      yield* queue.read();
    } finally {
      remove();
    }
  }

  /** Calls `listener` after every step. @returns a function that ends it. */
  onStep(listener: (event: StepEvent) => void): () => void {
    return this.on((event) => event.kind === 'step' && listener(event));
  }

  /** Calls `listener` after every evaluation. @returns a function that ends it. */
  onEvaluation(listener: (event: EvaluationEvent) => void): () => void {
    return this.on((event) => event.kind === 'evaluation' && listener(event));
  }

  /** Calls `listener` after every epoch. @returns a function that ends it. */
  onEpoch(listener: (event: EpochEvent) => void): () => void {
    return this.on((event) => event.kind === 'epoch' && listener(event));
  }

  /** Calls `listener` when a worker joins or leaves. @returns a function that ends it. */
  onWorker(listener: (event: WorkerEvent) => void): () => void {
    return this.on((event) => event.kind === 'worker' && listener(event));
  }

  /** Calls `listener` when a checkpoint is on disk. @returns a function that ends it. */
  onCheckpoint(listener: (event: CheckpointEvent) => void): () => void {
    return this.on((event) => event.kind === 'checkpoint' && listener(event));
  }

  /**
   * The join line of the run, once it can be joined. It listens at `options.listen`.
   * @throws the error of a run that ends before
   */
  async listen(): Promise<string> {
    return (await this.open()).joinUrl;
  }

  /** The directory of the run, once it has one. @throws the error of a run that ends before */
  async directory(): Promise<string> {
    return (await this.open()).directory;
  }

  /** Saves a checkpoint and ends the run after the step under way. @returns the result, with exitReason 'interrupted' */
  stop(): Promise<TrainResult> {
    this.ending.abort();
    return this.result;
  }

  private open(): Promise<{ readonly joinUrl: string; readonly directory: string }> {
    const ended = this.result.then(() => {
      throw new UserError('the run has ended');
    });
    return Promise.race([this.opened, ended]);
  }

  private on(listener: (event: TrainingEvent) => unknown): () => void {
    const own = (event: TrainingEvent): void => void listener(event);
    this.listeners.add(own);
    return () => void this.listeners.delete(own);
  }

  /** Nobody can change what others are told. An error of a listener ends the run, as nobody would see it otherwise. */
  private tell(event: TrainingEvent): void {
    Object.freeze(event);
    for (const listener of this.listeners) {
      try {
        listener(event);
      } catch (error) {
        this.end({ error });
      }
    }
  }

  private end(failure: { readonly error: unknown }): void {
    this.failure ??= failure;
    this.ending.abort();
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}
