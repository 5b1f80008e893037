import type { Predictor } from '../../shared/engine/prediction.js';
import { argMax } from '../../shared/metrics/arg-max.js';

/** How a decoder is asked for what comes next. */
export interface GreedyRequest {
  readonly predictor: Pick<Predictor, 'predict'>;
  /** The model's other inputs, rows * elements numbers each. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
  /** The input that holds what stands before each position: [length]. */
  readonly before: string;
  readonly rows: number;
  /** Positions to be written. */
  readonly length: number;
  /** What stands before the first position. */
  readonly start: number;
}

/**
 * Writes one symbol after the other, each time the likeliest after those before it; of equals, the first.
 * @returns for each row, `length` symbols
 */
export async function decodeGreedily(request: GreedyRequest): Promise<Uint32Array[]> {
  const { predictor, inputs, before, rows, length, start } = request;
  const written = Array.from({ length: rows }, () => new Uint32Array(length));
  // What stands behind a position is not seen by a causal decoder: it may be anything.
  const prefix = new Float32Array(rows * length).fill(start);
  for (let position = 0; position < length; position++) {
    const outputs = await predictor.predict({ ...inputs, [before]: prefix });
    const classes = outputs.length / (rows * length);
    written.forEach((symbols, row) => {
      const at = (row * length + position) * classes;
      const symbol = argMax(outputs.subarray(at, at + classes));
      symbols[position] = symbol;
      if (position + 1 < length) prefix[row * length + position + 1] = symbol;
    });
  }
  return written;
}
