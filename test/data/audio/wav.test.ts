import { describe, expect, it } from 'vitest';
import { readWav } from '../../../shared/data/audio/wav.js';
import { wavBytes } from './wav-bytes.js';

const LEVELS = [0, 0.5, -0.5, -1, 0.25];

describe('a WAV file', () => {
  it.each<[string, number, number, (view: DataView, at: number, level: number) => void]>([
    ['8 bits', 1, 8, (view, at, level) => view.setUint8(at, 128 + level * 128)],
    ['16 bits', 1, 16, (view, at, level) => view.setInt16(at, level * 32768, true)],
    [
      '24 bits',
      1,
      24,
      (view, at, level) => {
        const whole = level * 2 ** 23;
        view.setUint16(at, whole & 0xffff, true);
        view.setInt8(at + 2, whole >> 16);
      },
    ],
    ['32 bits', 1, 32, (view, at, level) => view.setInt32(at, level * 2 ** 31, true)],
    ['floats', 3, 32, (view, at, level) => view.setFloat32(at, level, true)],
    ['doubles', 3, 64, (view, at, level) => view.setFloat64(at, level, true)],
  ])('of %s, plain or extensible, with odd parts before', (_, kind, bits, write) => {
    for (const extra of [
      {},
      { extensible: true, before: Uint8Array.of(...Buffer.from('LIST'), 3, 0, 0, 0, 1, 2, 3, 0) },
    ]) {
      const bytes = wavBytes(
        { kind, bits, rate: 11025 },
        5,
        (view, at, i) => write(view, at, LEVELS[i]!),
        extra,
      );
      const { sampleRate, samples } = readWav(bytes, 'a.wav');
      expect([sampleRate, ...samples]).toEqual([11025, ...LEVELS]);
    }
  });

  it('of several channels becomes their mean', () => {
    const bytes = wavBytes({ channels: 2, kind: 3, bits: 32 }, 2, (view, at, i) =>
      view.setFloat32(at, [1, 0, -0.5, -0.25][i]!, true),
    );
    expect([...readWav(bytes, 'a.wav').samples]).toEqual([0.5, -0.375]);
  });

  it('that is none, is cut short or of another kind is told with what to do', () => {
    const whole = wavBytes({}, 4, () => {});
    expect(() => readWav(new Uint8Array(40), 'a.mp3')).toThrow(/^a.mp3 is no WAV file; convert it/);
    for (let length = 0; length < whole.length; length++)
      expect(() => readWav(whole.subarray(0, length), 'a.wav'), String(length)).toThrow(
        /^a.wav (is no WAV|ends in|has no sound)/,
      );
    expect(() =>
      readWav(
        wavBytes({ kind: 6, bits: 8 }, 4, () => {}),
        'a.wav',
      ),
    ).toThrow('a.wav is not PCM or float');
    expect(() =>
      readWav(
        wavBytes({ channels: 0 }, 0, () => {}),
        'a.wav',
      ),
    ).toThrow('a.wav is not PCM or float');
  });
});
