import { framesOf, LogMel, type MelSettings } from './log-mel.js';
import type { Recording } from './wav.js';

/** How speech is seen: at 8 kHz windows of 32 ms, 62 a second, with 32 bands. */
const SETTINGS: MelSettings = { window: 256, hop: 128, bands: 32, lowest: 60, range: 10 };
export const SPEECH_RATE = 8000;
export const BANDS = SETTINGS.bands;
const HIGHEST = 255;

/** Frames that speech of so many samples has. */
export function speechFrames(samples: number): number {
  return framesOf(samples, SETTINGS);
}

/**
 * The field of a data set that holds spectrograms: 0 to 255 for silence to loudest become -1 to 1.
 * @param frames of each; what is shorter ends in silence
 */
export function spectrogramColumn(recordings: readonly Recording[], frames: number, settings = SETTINGS) {
  const { bands } = settings;
  const bytes = new Uint8Array(recordings.length * frames * bands);
  const ears = new Map<number, LogMel>();
  recordings.forEach(({ sampleRate, samples }, i) => {
    const logMel = ears.get(sampleRate) ?? new LogMel(settings, sampleRate);
    ears.set(sampleRate, logMel);
    const levels = logMel.of(samples).subarray(0, frames * bands);
    const from = i * frames * bands;
    for (let at = 0; at < levels.length; at++)
      bytes[from + at] = Math.round((levels[at] as number) * HIGHEST);
  });
  return { dtype: 'u8', shape: [frames, bands], bytes, scale: Math.fround(2 / HIGHEST), shift: -1 } as const;
}
