import { UserError } from '../errors.js';
import { sha256Hex } from '../files/sha256.js';
import { labelColumn } from './class-folders.js';
import { type Column, type Dataset, packDataset } from './dataset.js';

/** Largest data set in memory. */
const BYTES_MAX = 2 ** 31;

/** Samples of one size with their class numbers, in reading order. */
export class LabelledSamples {
  private readonly parts: Uint8Array[] = [];
  private readonly labels: number[] = [];
  bytes = 0;

  /**
   * @param what the samples are called, such as `images`
   * @param remedy for a data set that is too large
   */
  constructor(
    private readonly what: string,
    private readonly remedy: string,
  ) {}

  get samples(): number {
    return this.parts.length;
  }

  /**
   * @param before bytes of all samples in memory
   * @throws UserError when they no longer fit into memory
   */
  add(path: string, sample: Uint8Array, label: number, before: number): void {
    if (before + sample.length > BYTES_MAX)
      throw new UserError(`the ${this.what} up to ${path} take more than ${BYTES_MAX} bytes; ${this.remedy}`);
    this.bytes += sample.length;
    this.parts.push(sample);
    this.labels.push(label);
  }

  /** @returns a data set with the field of the samples, described by `column`, and `label` (i32 []) */
  pack(name: string, field: string, column: Omit<Column, 'bytes'>): Dataset {
    const bytes = new Uint8Array(this.bytes);
    let at = 0;
    for (const part of this.parts) {
      bytes.set(part, at);
      at += part.length;
    }
    const columns = { [field]: { ...column, bytes }, label: labelColumn(this.labels) };
    return packDataset(name, this.samples, columns, sha256Hex);
  }
}
