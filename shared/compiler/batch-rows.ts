/*
 * The input of a plan when it writes a command buffer: the rows to compute, and the offsets of all data. All offsets are
 * bytes in the memory of the kernels, and multiples of 64 unless stated otherwise.
 */
import type { Shape } from '../graph/shape.js';

/** A field of the data in a record. */
export interface FieldPlacement {
  readonly dtype: 'u8' | 'f32' | 'i32';
  /** Shape in one sample. */
  readonly shape: Shape;
  /** Byte of the record at which the field starts. */
  readonly offset: number;
  /** A byte is read as fma(byte, scale, shift). */
  readonly scale: number;
  readonly shift: number;
}

/** The offsets of the samples, and their order. */
export interface DataPlacement {
  /** u32[] byte offset of each data chunk. */
  readonly chunkTable: number;
  /**
   * u32[3] {byte offset of the order of sample ids in the epoch (u32[]), position in it of the first sample of the batch,
   * step}. Only training reads the step.
   */
  readonly cursor: number;
  /** The seed of the run, an integer in [0, 2^53), for random numbers in training. */
  readonly seed: number;
  readonly chunkSamples: number;
  readonly recordBytes: number;
  readonly fields: Readonly<Record<string, FieldPlacement>>;
}

/** A range of rows of a batch. */
export interface BatchRows {
  readonly rows: number;
  /** Position of the first row in the batch. */
  readonly first: number;
  /** The parameters, `parameterFloats` floats. */
  readonly weights: number;
  /** `scratchBytes(rows)` bytes or more, which are overwritten. */
  readonly scratch: number;
  readonly data: DataPlacement;
}

/** One maximal aligned subtree of the canonical sum, and the vector for its sums. */
export interface Subtree {
  /** First row, counted from the first row of the range. */
  readonly row: number;
  readonly rows: number;
  /** `vectorFloats` floats: gradients with the layout of the parameters, then the metric sums. */
  readonly out: number;
}

/** A range of rows to train or evaluate on. */
export interface TrainingRows extends BatchRows {
  /** Samples of the global batch: gradients are scaled by 1 / batch. */
  readonly batch: number;
  /** Samples of a leaf; each subtree starts at a multiple of it, counted from the first row of the batch. */
  readonly leafSize: number;
  readonly subtrees: readonly Subtree[];
}

/** A range of rows to predict. */
export interface PredictionRows extends BatchRows {
  /** Where the output goes, [rows, ...output shape]. */
  readonly out: number;
}
