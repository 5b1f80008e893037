import { logMel, type MelSettings } from '../audio/log-mel.js';
import type { Recording } from '../audio/wav.js';

/** How speech is seen: at 8 kHz windows of 32 ms, 62 a second, with 32 bands. */
const SETTINGS: MelSettings = { window: 256, hop: 128, bands: 32, lowest: 60, range: 10 };
export const SPEECH_RATE = 8000;
export const BANDS = SETTINGS.bands;
const HIGHEST = 255;

/** Frames that a recording of so many samples has. */
export function framesOf(samples: number): number {
  return Math.max(1, Math.ceil(samples / SETTINGS.hop));
}

/**
 * The field of a data set that holds spectrograms: 0 to 255 for silence to loudest become -1 to 1.
 * @param frames of each; what is shorter ends in silence
 */
export function spectrogramColumn(recordings: readonly Recording[], frames: number, settings = SETTINGS) {
  const { bands } = settings;
  const bytes = new Uint8Array(recordings.length * frames * bands);
  recordings.forEach((recording, i) => {
    const mel = logMel(recording, settings).subarray(0, frames * bands);
    mel.forEach((level, at) => {
      bytes[i * frames * bands + at] = Math.round(level * HIGHEST);
    });
  });
  return { dtype: 'u8', shape: [frames, bands], bytes, scale: Math.fround(2 / HIGHEST), shift: -1 } as const;
}
