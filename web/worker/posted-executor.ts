import { isChunk } from '../../shared/data/verify-chunk.js';
import type { PartialSum } from '../../shared/engine/step/partial-sum-addition.js';
import { assert, UserError } from '../../shared/errors.js';
import type { Run } from '../../shared/protocol/messages.js';
import type { SegmentPlace } from '../../shared/reduction/segments.js';
import { Arrivals } from '../../worker/arrivals.js';
import type { Arriving, Computation, Computed, Executor, Prepared } from '../../worker/executor.js';
import type { ComputeResults, ComputeStarted, ComputeToLink, LinkToCompute } from './messages.js';
import { sha256Hex } from './web-sha256.js';

/** A call that has not been answered. */
interface Pending {
  resolve(result: ComputeResults[keyof ComputeResults]): void;
  reject(error: Error): void;
}

/** A message that is answered. */
type Call = Extract<LinkToCompute, { call: number }>;
type WithoutCall<T> = T extends unknown ? Omit<T, 'call'> : never;

/** An executor whose memory and thread are those of a compute worker, to which everything is posted. */
export class PostedExecutor implements Executor {
  private readonly worker = new Worker(new URL('./compute-worker.js', import.meta.url), {
    type: 'module',
    name: 'compute worker',
  });
  private readonly pending = new Map<number, Pending>();
  private readonly payloads = new WeakMap<readonly PartialSum[], ReturnType<Executor['vectors']>>();
  private readonly arrivals = new Arrivals();
  private calls = 0;
  private run: Run | undefined;
  private prepared: Prepared | undefined;
  private isInterrupted = false;
  /** Why the worker cannot be used any more. */
  private failure: Error | undefined;

  constructor() {
    this.worker.addEventListener('message', ({ data }: MessageEvent<ComputeToLink>) => this.answered(data));
    this.worker.addEventListener('error', ({ message = 'it could not be loaded' }) =>
      this.fail(new Error(`the compute worker died: ${message}`)),
    );
  }

  /** Starts the worker, with what a run may use of its memory. */
  start(backend: 'wasm' | 'wasm-exact', memoryBytes: number): Promise<ComputeStarted> {
    return this.call<'start'>({ kind: 'start', backend, memoryBytes });
  }

  async prepare(run: Run): Promise<Prepared> {
    this.prepared = await this.call<'prepare'>({ kind: 'prepare', run });
    this.run = run;
    return this.prepared;
  }

  store(index: number, bytes: Uint8Array): boolean {
    assert(this.run !== undefined, 'a run is prepared before data is stored');
    if (!isChunk(this.run.data, index, bytes, sha256Hex)) return false;
    this.post({ kind: 'store', index, bytes });
    return true;
  }

  expect(what: Arriving): void {
    const vectors = this.prepared?.[what];
    assert(vectors !== undefined, 'only a run with a codec has updates');
    this.arrivals.expect(vectors);
    this.post({ kind: 'expect', what });
  }

  load(place: SegmentPlace, bytes: Uint8Array): void {
    this.post({ kind: 'load', place, bytes });
    this.arrivals.arrived(place);
  }

  stopWaiting(): void {
    this.arrivals.stopWaiting();
    this.post({ kind: 'stop-waiting' });
  }

  async compute(computation: Computation): Promise<Computed | undefined> {
    this.isInterrupted = false;
    // The compute worker handles one message after the other: it must not wait for one behind.
    await this.arrivals.here();
    // An update that is not whole must not be applied.
    if (this.isInterrupted) return undefined;
    const sums = await this.call<'compute'>({ kind: 'compute', computation });
    if (sums === undefined) return undefined;
    const { computed, cut, payload } = sums;
    const views = computed.partialSums.map((_, i) => payload.subarray(i * cut.bytes, (i + 1) * cut.bytes));
    this.payloads.set(computed.partialSums, { cut, views });
    return computed;
  }

  /** The compute worker hears nothing before it has finished. What it computes then is dropped. */
  interrupt(): void {
    this.isInterrupted = true;
    this.stopWaiting();
  }

  vectors(partialSums: readonly PartialSum[]): ReturnType<Executor['vectors']> {
    const vectors = this.payloads.get(partialSums);
    assert(vectors !== undefined, 'vectors belong to sums that were computed here');
    return vectors;
  }

  /** Ends the worker at once. */
  stop(): void {
    this.worker.terminate();
  }

  private call<K extends keyof ComputeResults>(
    message: WithoutCall<Extract<Call, { kind: K }>>,
  ): Promise<ComputeResults[K]> {
    this.calls += 1;
    const call = this.calls;
    return new Promise((resolve, reject) => {
      if (this.failure !== undefined) return reject(this.failure);
      this.pending.set(call, { resolve: (result) => resolve(result as ComputeResults[K]), reject });
      this.worker.postMessage({ ...message, call });
    });
  }

  private post(message: Exclude<LinkToCompute, Call>): void {
    this.worker.postMessage(message);
  }

  private answered(answer: ComputeToLink): void {
    if ('result' in answer) {
      this.pending.get(answer.call)?.resolve(answer.result);
      this.pending.delete(answer.call);
      return;
    }
    const error = answer.isUserError ? new UserError(answer.message) : new Error(answer.message);
    // Without its data or weights the worker would compute something else.
    if (answer.call === undefined) return this.fail(error);
    this.pending.get(answer.call)?.reject(error);
    this.pending.delete(answer.call);
  }

  private fail(error: Error): void {
    this.failure = error;
    for (const { reject } of this.pending.values()) reject(error);
    this.pending.clear();
  }
}
