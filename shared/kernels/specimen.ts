import type { KERNEL_TABLE } from './table.js';
import type { KernelName } from './tape.js';

/** The sizes that a specimen is made of; vectors have rows * cols elements. */
export interface Size {
  readonly rows: number;
  readonly inner: number;
  readonly cols: number;
}

/**
 * What a buffer of words is filled with. 'value': floats of the kind that is tried. 'positive': their magnitudes.
 * 'probability': floats in [0, 1). 'digit': 0, 1, 2 or 3. 'label': integers from 0 to cols, so that the last is no column. 'byte': four
 * random bytes. Lists stand for themselves; a buffer in a list of words stands for its offset.
 */
export type Content =
  | 'value'
  | 'positive'
  | 'probability'
  | 'digit'
  | 'label'
  | 'byte'
  | { readonly floats: readonly number[] }
  | { readonly words: readonly (number | Buffer)[] };

export interface Buffer {
  readonly words: number;
  /** Nothing: the kernel writes it before it reads it. */
  readonly content?: Content;
  readonly isOutput: boolean;
}

/** One call of a kernel: a buffer, or 0 for "none", for each offset and a number for each other argument. */
export type Specimen<K extends KernelName> = {
  readonly [A in keyof Arguments<K>]: Arguments<K>[A] extends 'ptr' ? Buffer | 0 : number;
};
type Arguments<K extends KernelName> = (typeof KERNEL_TABLE)[K]['arguments'];

export const input = (words: number, content: Content = 'value'): Buffer => ({
  words,
  content,
  isOutput: false,
});
export const output = (words: number): Buffer => ({ words, isOutput: true });
export const updated = (words: number, content: Content = 'value'): Buffer => ({
  words,
  content,
  isOutput: true,
});
