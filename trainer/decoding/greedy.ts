import type { Predictor } from '../../shared/engine/passes/prediction.js';
import { argMax } from '../../shared/metrics/arg-max.js';

/** A request to decode symbol by symbol. */
export interface GreedyRequest {
  readonly predictor: Pick<Predictor, 'predict'>;
  /** The model's other inputs, rows * elements numbers each. */
  readonly inputs: Readonly<Record<string, Float32Array>>;
  /** The input with the symbol before each position: [length]. */
  readonly before: string;
  readonly rows: number;
  /** Symbols to decode per row. */
  readonly length: number;
  /** The symbol before the first position. */
  readonly start: number;
}

/**
 * Decodes one symbol after another, each the likeliest after those before it; of equals, the first.
 * @returns for each row, `length` symbols
 */
export async function decodeGreedily(request: GreedyRequest): Promise<Uint32Array[]> {
  const { predictor, inputs, before, rows, length, start } = request;
  const written = Array.from({ length: rows }, () => new Uint32Array(length));
  // A causal decoder does not see the symbols after a position, so they may be anything.
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
