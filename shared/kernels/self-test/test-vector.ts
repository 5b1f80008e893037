import type { KernelName } from '../command-buffer.js';
import type { KERNEL_TABLE } from '../table.js';

/** The sizes from which a test vector is built; vectors have rows * cols elements. */
export interface Size {
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
}

/**
 * The contents of a buffer of words. 'value': floats of the kind under test. 'positive': their magnitudes. 'probability':
 * floats in [0, 1). 'digit': the floats 0, 1, 2 or 3. 'label': integers from 0 to cols, the last of which is not a column.
 * 'byte': four random bytes. Lists give the contents; a buffer in a list of words means its offset.
 */
export type Content =
  | 'value'
  | 'positive'
  | 'probability'
  | 'digit'
  | 'label'
  | 'byte'
  | { readonly floats: readonly number[] }
  | { readonly words: readonly (number | TestBuffer)[] };

export interface TestBuffer {
  readonly words: number;
  /** Undefined: the kernel writes the buffer before it reads it. */
  readonly content?: Content;
  readonly isOutput: boolean;
}

/** One call of a kernel: for each offset a buffer, or 0 for "none"; for each other argument a number. */
export type TestVector<K extends KernelName> = {
  readonly [A in keyof Arguments<K>]: Arguments<K>[A] extends 'ptr' ? TestBuffer | 0 : number;
};
type Arguments<K extends KernelName> = (typeof KERNEL_TABLE)[K]['arguments'];

export const input = (words: number, content: Content = 'value'): TestBuffer => ({
  words,
  content,
  isOutput: false,
});
export const output = (words: number): TestBuffer => ({ words, isOutput: true });
export const updated = (words: number, content: Content = 'value'): TestBuffer => ({
  words,
  content,
  isOutput: true,
});
