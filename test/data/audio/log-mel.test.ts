import { describe, expect, it } from 'vitest';
import { PowerSpectrum } from '../../../shared/data/audio/fourier.js';
import { LogMel } from '../../../shared/data/audio/log-mel.js';
import { spread } from '../../support/numbers.js';

/** |X_k|^2 by its definition. */
function slowly(samples: Float64Array): number[] {
  const n = samples.length;
  return Array.from({ length: n / 2 + 1 }, (_, k) => {
    let [re, im] = [0, 0];
    samples.forEach((x, i) => {
      re += x * Math.cos((2 * Math.PI * k * i) / n);
      im -= x * Math.sin((2 * Math.PI * k * i) / n);
    });
    return re * re + im * im;
  });
}

describe('the power spectrum', () => {
  it.each([2, 4, 16, 256])('of %i samples is what its definition says', (size) => {
    const samples = Float64Array.from(spread(size, size, -1, 1));
    const spectrum = new PowerSpectrum(size);
    spectrum.of(samples.map((x) => -3 * x));
    const [fast, slow] = [spectrum.of(samples), slowly(samples)];
    expect(fast).toHaveLength(slow.length);
    for (const [k, power] of slow.entries())
      expect(Math.abs(fast[k]! - power)).toBeLessThan(1e-12 * size * size);
  });
});

const SETTINGS = { window: 256, hop: 128, bands: 20, lowest: 60, range: 10 };
const logMel = new LogMel(SETTINGS, 8000);
const tone = (frequency: number, length = 4000): Float64Array =>
  Float64Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * frequency * i) / 8000));

describe('a log-mel spectrogram', () => {
  it('shows a tone in one place, higher tones further up, as the mel scale spaces them', () => {
    const loudest = [200, 400, 800, 1600, 3200].map((frequency) => {
      const mel = logMel.of(tone(frequency));
      expect(mel).toHaveLength(32 * 20);
      const frame = Array.from(mel.subarray(16 * 20, 17 * 20));
      expect(Math.max(...frame)).toBeCloseTo(1, 2);
      return frame.indexOf(Math.max(...frame));
    });
    const mel = (frequency: number): number => Math.log(1 + frequency / 700);
    const wanted = [200, 400, 800, 1600, 3200].map(
      (frequency) => ((mel(frequency) - mel(60)) / (mel(4000) - mel(60))) * 21 - 1,
    );
    for (const [i, band] of loudest.entries()) expect(Math.abs(band - wanted[i]!)).toBeLessThanOrEqual(1);
  });

  it('does not hear how loud a recording is as a whole, and hears silence as 0', () => {
    const samples = tone(500);
    const soft = logMel.of(samples.map((x) => x / 1024));
    expect([...soft]).toEqual([...logMel.of(samples)]);
    expect([...logMel.of(new Float64Array(300))]).toEqual(Array(60).fill(0));
    expect([...logMel.of(new Float64Array())]).toEqual(Array(20).fill(0));
  });
});
