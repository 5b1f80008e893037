import { wavOf } from '../data/audio/wav-bytes.js';

/** Synthetic recordings, named as in the Free Spoken Digit Dataset: two speakers and ten digits, each with its own tone. */
export function madeUpRecordings(rate = 8000): Record<string, Uint8Array> {
  const files: Record<string, Uint8Array> = {};
  for (const [voice, speaker] of ['george', 'theo'].entries())
    for (let digit = 0; digit < 10; digit++)
      for (const number of [0, 5, 6]) {
        const frequency = (300 + 250 * digit) * (1 + 0.1 * voice);
        const length = 2400 + 100 * digit + 50 * number;
        const samples = Float64Array.from(
          { length },
          (_, i) => 0.5 * Math.sin((2 * Math.PI * frequency * i) / rate) * Math.sin((Math.PI * i) / length),
        );
        files[`${digit}_${speaker}_${number}.wav`] = wavOf(samples, rate);
      }
  return files;
}
