/*
 * What can be known about the values of a raw file, whose element type is only claimed. A wrong type whose sizes fit gives values
 * that nobody has stored: refused where they cannot be meant, and shown otherwise.
 */
import type { Field } from './manifest.js';

type Dtype = Field['dtype'];

/** Integers up to here are exact as float32. */
const EXACT_MAX = 2 ** 24;
/** The smallest float32 with all its bits. Small integers, read as float32, are below it. */
const NORMAL_MIN = 2 ** -126;
/** Values beyond are hardly meant; a part of what are no float32 has such exponents. */
const HUGE = 1e30;
/** Share of the values that decides. */
const MOST = 0.5;
const SOME = 0.02;

/** Counts the values of a field, as they are stored. */
export class RawSurvey {
  private values = 0;
  private sum = 0;
  private least = Number.POSITIVE_INFINITY;
  private most = Number.NEGATIVE_INFINITY;
  private zeros = 0;
  private subnormal = 0;
  private huge = 0;
  private notFinite = 0;
  private inexact = 0;
  private firstNotFinite: string | undefined;
  private firstInexact: string | undefined;
  /** Values that look right as another type. */
  private readonly likely = { swapped: 0, float: 0 };

  constructor(
    private readonly dtype: Dtype,
    /** Values of a sample. */
    private readonly elements: number,
  ) {}

  /** @param bytes of whole samples, after those that were added before */
  add(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const size = this.dtype === 'u8' ? 1 : 4;
    for (let at = 0; at < bytes.length; at += size) {
      if (this.dtype === 'u8') this.count(bytes[at] as number);
      else if (this.dtype === 'i32') this.countInteger(view, at);
      else this.countFloat(view, at);
      this.values += 1;
    }
  }

  /** Why the values cannot be meant, and the remedy; undefined: they may be. */
  problem(): string | undefined {
    const share = (count: number): string => `${count} of ${this.values} values`;
    const { swapped, float } = this.likely;
    const filled = this.values - this.zeros;
    const fix = 'check dtype, shape and the program that has written the file';
    if (this.dtype === 'i32' && this.inexact > 0) {
      const what = `has ${this.firstInexact}, beyond the ${EXACT_MAX} up to which a network sees integers exactly`;
      if (float > MOST * filled) return `${what}; its bytes look like f32: write "dtype": "f32"`;
      if (swapped > MOST * filled)
        return `${what}; its bytes look big-endian: write them little-endian, with array.astype('<i4')`;
      return `${what} (${share(this.inexact)}); ${fix}`;
    }
    if (this.dtype !== 'f32') return undefined;
    const isSmall = this.subnormal > MOST * filled;
    const isLarge = this.notFinite + this.huge > SOME * filled;
    if ((isSmall || isLarge) && swapped > MOST * filled)
      return `has values that f32 hardly has; its bytes look big-endian: write them little-endian, with array.astype('<f4')`;
    if (isSmall)
      return `has ${share(this.subnormal)} below 1e-37, as integers read as f32 have; write "dtype": "i32" if it holds integers`;
    if (isLarge)
      return `has ${share(this.notFinite)} that are not finite and ${share(this.huge)} beyond ${HUGE}, as other types read as f32 have; ${fix}`;
    if (this.notFinite > 0)
      return `has ${this.firstNotFinite} (${share(this.notFinite)} are not finite); fill it in, or leave such samples out`;
    return undefined;
  }

  /** The range and the mean of the values, for people. */
  description(): string {
    const text = (value: number): string => String(Number(value.toPrecision(4)));
    return `${text(this.least)} to ${text(this.most)}, mean ${text(this.sum / this.values)}`;
  }

  private place(value: number): string {
    return `${value} in sample ${Math.floor(this.values / this.elements)}`;
  }

  private count(value: number): void {
    this.sum += value;
    if (value < this.least) this.least = value;
    if (value > this.most) this.most = value;
    if (value === 0) this.zeros += 1;
  }

  private countInteger(view: DataView, at: number): void {
    const value = view.getInt32(at, true);
    this.count(value);
    if (Math.abs(value) <= EXACT_MAX) return;
    this.inexact += 1;
    this.firstInexact ??= this.place(value);
    if (isUsual(view.getFloat32(at, true))) this.likely.float += 1;
    if (Math.abs(view.getInt32(at, false)) <= EXACT_MAX) this.likely.swapped += 1;
  }

  private countFloat(view: DataView, at: number): void {
    const value = view.getFloat32(at, true);
    if (isUsual(view.getFloat32(at, false))) this.likely.swapped += 1;
    if (!Number.isFinite(value)) {
      this.notFinite += 1;
      this.firstNotFinite ??= this.place(value);
      return;
    }
    this.count(value);
    const size = Math.abs(value);
    if (size === 0) return;
    if (size < NORMAL_MIN) this.subnormal += 1;
    if (size > HUGE) this.huge += 1;
  }
}

/** Whether a float32 is of a size that data have. */
function isUsual(value: number): boolean {
  const size = Math.abs(value);
  return size > 1e-10 && size < 1e10;
}
