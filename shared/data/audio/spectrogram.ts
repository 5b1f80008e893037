import { framesOf, LogMel, type MelSettings } from './log-mel.js';
import type { Recording } from './wav.js';

/** Spectrograms of speech: at 8 kHz windows of 32 ms, 62 a second, with 32 bands. */
export const SPEECH: MelSettings = { window: 256, hop: 128, bands: 32, lowest: 60, range: 10 };
export const SPEECH_RATE = 8000;
export const BANDS = SPEECH.bands;
const HIGHEST = 255;
/** The network receives byte * scale + shift: -1 for silence to 1 for the loudest. */
export const SPECTROGRAM_SCALE = { scale: Math.fround(2 / HIGHEST), shift: -1 } as const;

/** Frames of speech with so many samples. */
export function speechFrames(samples: number): number {
  return framesOf(samples, SPEECH);
}

/** The field of a data set with spectrograms of speech. @param frames of each; shorter ones are padded with silence */
export function speechColumn(recordings: readonly Recording[], frames: number) {
  const bytes = new Uint8Array(recordings.length * frames * BANDS);
  const transforms = new Map<number, LogMel>();
  recordings.forEach(({ sampleRate, samples }, i) => {
    const logMel = transforms.get(sampleRate) ?? new LogMel(SPEECH, sampleRate);
    transforms.set(sampleRate, logMel);
    bytes.set(spectrogramBytes(logMel, samples, frames, BANDS), i * frames * BANDS);
  });
  return { dtype: 'u8', shape: [frames, BANDS], bytes, ...SPECTROGRAM_SCALE } as const;
}

/** A log-mel spectrogram in bytes, [frames, bands]. Shorter recordings are padded with silence, longer ones are cut. */
export function spectrogramBytes(
  logMel: LogMel,
  samples: Float64Array,
  frames: number,
  bands: number,
): Uint8Array {
  const bytes = new Uint8Array(frames * bands);
  const levels = logMel.of(samples).subarray(0, frames * bands);
  for (let at = 0; at < levels.length; at++) bytes[at] = Math.round((levels[at] as number) * HIGHEST);
  return bytes;
}
