import type { WavRecording } from './wav.js';

/** Channels cancel each other when their mean has less than this share of their power (-40 dB). */
const CANCELLED = 1e-4;

/** Counts what happened to recordings when they became spectrograms, and which of them look wrong. */
export class RecordingChanges {
  private mixed = 0;
  private silent = 0;
  private cancelled = 0;
  private loud = 0;
  private peak = 1;
  private cut = 0;
  private padded = 0;

  /** @param samples used from the beginning of each recording */
  constructor(private readonly samples: number) {}

  /** @param spectrogram bytes, 0 for silence */
  add({ samples, channels, peak, power }: WavRecording, spectrogram: Uint8Array): void {
    if (channels > 1) this.mixed += 1;
    if (peak > 1) this.loud += 1;
    this.peak = Math.max(this.peak, peak);
    const left = samples.reduce((sum, sample) => sum + sample * sample, 0);
    if (power > 0 && left < CANCELLED * power) this.cancelled += 1;
    else if (spectrogram.every((level) => level === 0)) this.silent += 1;
    if (samples.length > this.samples) this.cut += 1;
    if (samples.length < this.samples) this.padded += 1;
  }

  /** How many are longer than what is used, and how many are shorter. */
  lengths(): string {
    return `${this.cut} are longer and cut, ${this.padded} are shorter and padded with silence`;
  }

  /** One line for each kind that occurred. */
  notes(): string[] {
    const note = (what: string, count: number) => (count === 0 ? [] : [`${what}: ${count}`]);
    return [
      ...note('mixed to the mean of their channels', this.mixed),
      ...note(
        'with channels that cancel each other in their mean, so that hardly anything is heard (keep one channel: sox IN OUT remix 1)',
        this.cancelled,
      ),
      ...note('silent in the part that is used', this.silent),
      ...note(
        `beyond full scale, with values up to ${Number(this.peak.toPrecision(4))} instead of 1 (the level does not matter, as ` +
          'spectrograms are relative to their loudest band)',
        this.loud,
      ),
    ];
  }
}
