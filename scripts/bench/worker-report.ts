/** What a worker process tells at its end. */
export interface WorkerReport {
  readonly ending: string;
  readonly reason: string;
  /** Bytes of weights that came and of partial sums that went. */
  readonly payloadBytes: number;
  /** Milliseconds of computation in each step. */
  readonly computeMs: readonly number[];
}
