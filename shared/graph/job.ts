/*
 * What a plan is told when it writes a tape: which rows, and where things lie. All places are byte offsets into the one
 * memory that kernels work on, multiples of 64 unless said otherwise.
 */
import type { Shape } from './shape.js';

/** A field of the data, as records hold it. */
export interface FieldPlacement {
  readonly dtype: 'u8' | 'f32' | 'i32';
  /** Shape in one sample. */
  readonly shape: Shape;
  /** Byte of the record at which the field begins. */
  readonly offset: number;
  /** A byte is seen as fma(byte, scale, shift). */
  readonly scale: number;
  readonly shift: number;
}

/** Where samples lie and in which order they come. */
export interface DataPlacement {
  /** u32[] byte offset of each data chunk. */
  readonly chunkTable: number;
  /**
   * u32[3] {byte offset of the epoch's order of sample ids (u32[]), position in it of the batch's first sample, step}. Only
   * training reads the step.
   */
  readonly cursor: number;
  /** The run's seed, an integer in [0, 2^53): what is drawn at random while training depends on it. */
  readonly seed: number;
  readonly chunkSamples: number;
  readonly recordBytes: number;
  readonly fields: Readonly<Record<string, FieldPlacement>>;
}

/** Rows to compute. */
export interface RowsJob {
  readonly rows: number;
  /** Position of the first row in the batch. */
  readonly first: number;
  /** The parameters, `parameterFloats` floats. */
  readonly weights: number;
  /** `scratchBytes(rows)` bytes or more; contents are lost. */
  readonly scratch: number;
  readonly data: DataPlacement;
}

/** One maximal aligned subtree of the canonical sum, and the vector that its sums go to. */
export interface Subtree {
  /** First row, counted from the job's first. */
  readonly row: number;
  readonly rows: number;
  /** `vectorFloats` floats: gradients laid out as the parameters are, then the metric sums. */
  readonly out: number;
}

/** Rows of a batch to train or evaluate on. */
export interface Job extends RowsJob {
  /** Samples of the global batch: gradients are scaled by 1 / batch. */
  readonly batch: number;
  /** Samples of a leaf; each subtree begins at a multiple of it, counted from the batch's first row. */
  readonly leafSize: number;
  readonly subtrees: readonly Subtree[];
}

/** Rows to predict. */
export interface PredictionJob extends RowsJob {
  /** Where the output goes, [rows, ...output shape]. */
  readonly out: number;
}
