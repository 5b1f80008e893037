import { cosineOfPi } from '../../arithmetic/cosine.js';
import { naturalLogarithm } from '../../arithmetic/logarithm.js';
import { PowerSpectrum } from './fourier.js';

/** Settings of a log-mel spectrogram. */
export interface MelSettings {
  /** Samples of one spectrum, a power of two. */
  readonly window: number;
  /** Samples from one spectrum to the next. */
  readonly hop: number;
  /** Frequency bands, evenly spaced on the mel scale. */
  readonly bands: number;
  /** Lowest frequency, in Hz; the highest is half of the sample rate. */
  readonly lowest: number;
  /** Dynamic range in nats of power: what is further below the loudest band counts as silence. */
  readonly range: number;
}

/**
 * Log-mel spectrograms of recordings of one sample rate, relative to their loudest band: 1 for that, 0 for silence.
 *
 * Spectra of Hann windows are summed in overlapping triangular bands whose corners are evenly spaced on the mel scale,
 * mel(f) = ln(1 + f / 700 Hz) up to a factor (Stevens, Volkmann, Newman 1937; O'Shaughnessy 1987).
 */
export class LogMel {
  private readonly hann: Float64Array;
  private readonly filters: readonly Triangle[];
  private readonly spectrum: PowerSpectrum;

  /** @param sampleRate of the recordings, in Hz */
  constructor(
    private readonly settings: MelSettings,
    sampleRate: number,
  ) {
    const { window } = settings;
    this.hann = Float64Array.from({ length: window }, (_, i) => {
      const angle = (2 * i) / window;
      return 0.5 - 0.5 * cosineOfPi(angle <= 1 ? angle : 2 - angle);
    });
    this.filters = triangles(settings, sampleRate);
    this.spectrum = new PowerSpectrum(window);
  }

  /** @returns [frames, bands], with a frame for every `hop` samples, and one for the rest */
  of(samples: Float64Array): Float64Array {
    const { window, hop, bands, range } = this.settings;
    const { hann } = this;
    const frames = framesOf(samples.length, this.settings);
    const piece = new Float64Array(window);
    const powers = new Float64Array(frames * bands);
    let loudest = 0;
    for (let frame = 0; frame < frames; frame++) {
      const from = frame * hop - window / 2;
      // Zeros outside of the recording. Reading a typed array out of bounds is slow.
      const [first, end] = [Math.max(0, -from), Math.min(window, samples.length - from)];
      piece.fill(0);
      for (let i = first; i < end; i++) piece[i] = (samples[from + i] as number) * (hann[i] as number);
      loudest = Math.max(loudest, this.sumUp(piece, powers.subarray(frame * bands, (frame + 1) * bands)));
    }
    return powers.map((power) => {
      // Silence, and powers outside of the logarithm's domain.
      if (!(power > loudest * 1e-30) || power < 1e-200) return 0;
      return Math.max(0, 1 + naturalLogarithm(power / loudest) / range);
    });
  }

  /** Writes the power of each band of one window. @returns the greatest */
  private sumUp(piece: Float64Array, bands: Float64Array): number {
    const powers = this.spectrum.of(piece);
    let loudest = 0;
    this.filters.forEach(({ first, weights }, band) => {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += (weights[k] as number) * (powers[first + k] as number);
      bands[band] = sum;
      if (sum > loudest) loudest = sum;
    });
    return loudest;
  }
}

/** Frames of a recording with this many samples. */
export function framesOf(samples: number, { hop }: MelSettings): number {
  return Math.max(1, Math.ceil(samples / hop));
}

/** A band: the weights of its frequencies, starting with `first`. */
interface Triangle {
  readonly first: number;
  readonly weights: Float64Array;
}

function triangles({ window, bands, lowest }: MelSettings, sampleRate: number): Triangle[] {
  const mel = (frequency: number): number => naturalLogarithm(1 + frequency / 700);
  const [low, high] = [mel(lowest), mel(sampleRate / 2)];
  const corners = Array.from({ length: bands + 2 }, (_, i) =>
    frequencyOf(low + ((high - low) * i) / (bands + 1), mel, sampleRate / 2),
  );
  return Array.from({ length: bands }, (_, band) => {
    const [from, top, to] = corners.slice(band, band + 3) as [number, number, number];
    const [first, last] = [Math.ceil((from * window) / sampleRate), Math.floor((to * window) / sampleRate)];
    const weights = Float64Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => {
      const frequency = ((first + i) * sampleRate) / window;
      const slope = frequency < top ? (frequency - from) / (top - from) : (to - frequency) / (to - top);
      return Math.max(0, slope);
    });
    return { first, weights };
  });
}

/** The frequency of a mel value by bisection: there is no deterministic exponential to invert the logarithm with. */
function frequencyOf(value: number, mel: (frequency: number) => number, highest: number): number {
  let [below, above] = [0, 2 * highest];
  for (let i = 0; i < 60; i++) {
    const middle = (below + above) / 2;
    if (mel(middle) < value) below = middle;
    else above = middle;
  }
  return above;
}
