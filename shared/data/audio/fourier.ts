import { cosineOfPi } from '../../arithmetic/cosine.js';
import { assert } from '../../errors.js';

/**
 * The power spectrum |X_k|^2 of real samples by the fast Fourier transform of Cooley and Tukey (1965), with the same
 * bits on every engine. An object computes any number of spectra of one size.
 */
export class PowerSpectrum {
  private readonly real: Float64Array;
  private readonly imaginary: Float64Array;
  private readonly powers: Float64Array;
  private readonly cosines: Float64Array;
  private readonly sines: Float64Array;
  private readonly reversed: Uint32Array;

  /** @param size samples, a power of two, at least 2 */
  constructor(private readonly size: number) {
    assert(size >= 2 && (size & (size - 1)) === 0, `a Fourier transform takes a power of two, not ${size}`);
    this.real = new Float64Array(size);
    this.imaginary = new Float64Array(size);
    this.powers = new Float64Array(size / 2 + 1);
    const angles = Array.from({ length: size / 2 }, (_, k) => (2 * k) / size);
    this.cosines = Float64Array.from(angles, cosineOfPi);
    // sin a = cos(a - pi/2)
    this.sines = Float64Array.from(angles, (angle) => cosineOfPi(Math.abs(angle - 0.5)));
    const bits = 31 - Math.clz32(size);
    this.reversed = Uint32Array.from({ length: size }, (_, i) => {
      let turned = 0;
      for (let bit = 0; bit < bits; bit++) turned |= ((i >>> bit) & 1) << (bits - 1 - bit);
      return turned;
    });
  }

  /** Powers of the frequencies 0 to size / 2, in units of the sample rate / size; valid until the next call. */
  of(samples: Float64Array): Float64Array {
    const { real, imaginary, powers, reversed, size } = this;
    for (let i = 0; i < size; i++) real[i] = samples[reversed[i] as number] as number;
    imaginary.fill(0);
    for (let half = 1; half < size; half *= 2) this.join(half);
    for (let k = 0; k <= size / 2; k++) {
      const re = real[k] as number;
      const im = imaginary[k] as number;
      powers[k] = re * re + im * im;
    }
    return powers;
  }

  /** Joins neighbouring transforms of `half` samples each. */
  private join(half: number): void {
    const { real, imaginary, cosines, sines, size } = this;
    const turn = size / (2 * half);
    for (let from = 0; from < size; from += 2 * half) {
      for (let k = 0; k < half; k++) {
        const cosine = cosines[k * turn] as number;
        const sine = sines[k * turn] as number;
        const a = from + k;
        const b = a + half;
        const re = real[b] as number;
        const im = imaginary[b] as number;
        const turnedRe = cosine * re + sine * im;
        const turnedIm = cosine * im - sine * re;
        real[b] = (real[a] as number) - turnedRe;
        imaginary[b] = (imaginary[a] as number) - turnedIm;
        real[a] = (real[a] as number) + turnedRe;
        imaginary[a] = (imaginary[a] as number) + turnedIm;
      }
    }
  }
}
