import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readWav } from '../../../shared/data/audio/wav.js';
import { changedAt, parts, wavBytes } from './wav-bytes.js';

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
    expect(() => readWav(new Uint8Array(40), 'a.mp3')).toThrow(/^a.mp3 is not a WAV file; convert it/);
    for (let length = 0; length < whole.length; length++)
      expect(() => readWav(whole.subarray(0, length), 'a.wav'), String(length)).toThrow(
        /^a.wav (is empty|is not a WAV|ends in|has no sound)/,
      );
    expect(() =>
      readWav(
        wavBytes({ kind: 2, bits: 8 }, 4, () => {}),
        'a.wav',
      ),
    ).toThrow('a.wav is not PCM, float, A-law or mu-law (Microsoft ADPCM, 8 bits, 1 channels); convert it');
    expect(() =>
      readWav(
        wavBytes({ channels: 0 }, 0, () => {}),
        'a.wav',
      ),
    ).toThrow('a.wav is not PCM, float, A-law or mu-law');
  });
});

describe('the sound of a file written to a pipe', () => {
  const wanted = [100, -200, 300, -400].map((level) => level / 32768);
  const plain = wavBytes({}, 4, (view, at, i) => view.setInt16(at, [100, -200, 300, -400][i]!, true));
  const sized = (riff: number, size: number, ...more: (string | number)[]) => {
    const bytes = Buffer.concat([plain, parts(...more)]);
    bytes.writeUInt32LE(riff, 4);
    bytes.writeUInt32LE(size, 40);
    return bytes;
  };

  it('extends to the end of the file', () => {
    const name = 'wav-size-zero.wav';
    const { sampleRate, samples } = readWav(
      readFileSync(join(import.meta.dirname, '..', 'cases', name)),
      name,
    );
    expect([sampleRate, samples.length]).toEqual([8000, 4000]);
    expect(Math.max(...samples)).toBeGreaterThan(0.4);
  });

  it.each<[string, Uint8Array]>([
    ['of 0', sized(0, 0)],
    ['of 0, and the header alone counted', sized(36, 0)],
    ['of the largest number (ffmpeg)', sized(0xffffffff, 0xffffffff)],
    ['that sox writes', sized(0x7ffff024, 0x7ffff000)],
    ['of 2 GiB (arecord)', sized(0x80000024, 0x80000000)],
    ['of 0, and half a frame too much', Buffer.concat([sized(0, 0), Uint8Array.of(9)])],
    ['that is right, where the one of the file is too small', sized(4, 8)],
    ['that is right, and other parts behind it', sized(0, 8, 'LIST', 4, 'INFO')],
  ])('with a size %s', (_, bytes) => {
    expect([...readWav(bytes, 'a.wav').samples]).toEqual(wanted);
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'of a file that ends early',
      sized(0, 9),
      /^a\.wav ends in the middle of its data chunk \(8 of 9 bytes\); download or save it again$/,
    ],
    [
      'of 0 with nothing behind it',
      sized(0, 0).subarray(0, -8),
      /^a\.wav has no sound; download or record it again$/,
    ],
    [
      'of 0 with other parts behind it',
      Buffer.concat([sized(0, 0).subarray(0, -8), parts('LIST', 4, 'INFO', 'id3 ', 4, 'abcd')]),
      /^a\.wav has no sound/,
    ],
    ['of less than a frame', sized(0, 1), /^a\.wav has no sound/],
  ])('is not invented: a size %s', (_, bytes, message) => {
    expect(() => readWav(bytes, 'a.wav')).toThrow(message);
  });
});

describe('a file is refused whose', () => {
  const format = (rate: number) => {
    const bytes = Buffer.alloc(16);
    for (const [at, value] of [1, 1, rate, 0, 2 * rate, 0, 2, 16].entries())
      bytes.writeUInt16LE(value, 2 * at);
    return parts('fmt ', 16, bytes.toString('latin1'));
  };
  const riff = (...chunks: Buffer[]) => Buffer.concat([parts('RIFF', 999, 'WAVE'), ...chunks]);
  const sound = parts('data', 4, 'abcd');

  it.each<[string, Buffer, RegExp]>([
    [
      'sound is in several chunks',
      riff(format(8000), sound, parts('LIST', 4, 'INFO'), sound),
      /^a\.wav has its sound in several chunks, which is not supported; convert it/,
    ],
    ['end is a begin', riff(format(8000), sound, riff(sound)), /^a\.wav is several WAV files in one; split/],
    [
      'sound of odd length is followed by another',
      riff(format(8000), parts('data', 3, 'abc\0'), sound),
      /several chunks/,
    ],
    [
      'format is given twice, and differently',
      riff(format(8000), format(16000), sound),
      /^a\.wav has two different format chunks; convert it/,
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => readWav(bytes, 'a.wav')).toThrow(message);
  });

  it('only if it is so', () => {
    const wanted = readWav(riff(format(8000), sound), 'a.wav');
    expect(readWav(riff(format(8000), format(8000), sound), 'a.wav')).toEqual(wanted);
    expect(readWav(riff(format(8000), sound, Buffer.from('\x01\x02 data or not')), 'a.wav')).toEqual(wanted);
  });
});

describe('other kinds', () => {
  it('A-law and mu-law, as ITU-T G.711 decodes them', () => {
    const of = (kind: number, codes: readonly number[]) => {
      const bytes = wavBytes({ kind, bits: 8 }, codes.length, (view, at, i) => view.setUint8(at, codes[i]!));
      return [...readWav(bytes, 'a.wav').samples].map((sample) => sample * 32768);
    };
    expect(of(6, [0xd5, 0x55, 0xaa, 0x2a, 0x80, 0x00])).toEqual([8, -8, 32256, -32256, 5504, -5504]);
    expect(of(7, [0xff, 0x7f, 0x80, 0x00, 0xf0, 0x70])).toEqual([0, 0, 32124, -32124, 120, -120]);
  });

  it('numbers of 12 and 20 bits fill their bytes from above', () => {
    for (const [bits, level] of [
      [12, 0x1230],
      [20, 0x1230],
    ] as const) {
      const bytes = wavBytes({ bits: bits === 12 ? 16 : 24 }, 1, (view, at) =>
        view.setUint16(at + (bits === 12 ? 0 : 1), level, true),
      );
      new DataView(bytes.buffer).setUint16(34, bits, true);
      expect([...readWav(bytes, 'a.wav').samples]).toEqual([level / 32768]);
    }
  });

  it('64-bit sizes', () => {
    const plain = wavBytes({}, 3, (view, at, i) => view.setInt16(at, i, true));
    for (const form of ['RF64', 'BW64']) {
      const long = Buffer.concat([
        parts(form, 0xffffffff, 'WAVE', 'ds64', 28, 0, 0, 6, 0, 3, 0, 0),
        plain.subarray(12),
      ]);
      const size = Buffer.from(long).indexOf('data') + 4;
      long.writeUInt32LE(0xffffffff, size);
      expect([...readWav(Buffer.concat([long, parts('LIST', 4, 'INFO')]), 'a.wav').samples]).toEqual([
        0,
        1 / 32768,
        2 / 32768,
      ]);
    }
  });

  it('parts of odd length, with a byte behind them and without', () => {
    const odd = parts('LIST', 3, 'abc');
    for (const before of [odd, Buffer.concat([odd, Uint8Array.of(0)])])
      expect([
        ...readWav(
          wavBytes({}, 1, (view, at) => view.setInt16(at, 16384, true), { before }),
          'a.wav',
        ).samples,
      ]).toEqual([0.5]);
  });

  it('Ambisonics', () => {
    const extra = { extensible: true, identifier: '00002107d3118644c8c1ca000000' };
    const bytes = wavBytes(
      { channels: 4 },
      1,
      (view, at, i) => view.setInt16(at, i === 0 ? 16384 : 0, true),
      extra,
    );
    expect(readWav(bytes, 'a.wav')).toEqual({
      sampleRate: 8000,
      channels: 4,
      samples: Float64Array.of(0.125),
      peak: 0.5,
      power: 0.0625,
    });
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      'big-endian',
      Buffer.concat([parts('RIFX'), wavBytes({}, 1, () => {}).subarray(4)]),
      /^a\.wav is a big-endian WAV file \(RIFX\), which is not supported; convert it/,
    ],
    [
      'an unknown extensible format',
      wavBytes({}, 1, () => {}, { extensible: true, identifier: '00'.repeat(14) }),
      /\(an extensible format, 16 bits, 1 channels\)/,
    ],
    ['floats of 16 bits', wavBytes({ kind: 3 }, 1, () => {}), /\(format 3, 16 bits, 1 channels\)/],
    ['no bits', wavBytes({ bits: 0 }, 1, () => {}), /\(format 1, 0 bits, 1 channels\)/],
    [
      'infinite samples',
      wavBytes({ kind: 3, bits: 32 }, 2, (view, at, i) => view.setFloat32(at, i / 0 || 0, true)),
      /^a\.wav has a sample that is not finite \(Infinity at 1\)/,
    ],
    [
      'no rate',
      wavBytes({ rate: 0 }, 1, () => {}),
      /^a\.wav has a sample rate of 0 Hz, and 1000 to 768000 are supported/,
    ],
    [
      'an impossible rate',
      wavBytes({ rate: 4e9 }, 1, () => {}),
      /^a\.wav has a sample rate of 4000000000 Hz/,
    ],
    [
      'an inconsistent frame size',
      changedAt(
        wavBytes({}, 2, () => {}),
        32,
        4,
      ),
      /1 samples of 16 bits do not take 4 bytes/,
    ],
    [
      'no format before the sound',
      parts('RIFF', 0, 'WAVE', 'data', 4, 'abcd'),
      /^a\.wav has no format chunk before its data; convert it/,
    ],
  ])('are named and refused: %s', (_, bytes, message) => {
    expect(() => readWav(bytes, 'a.wav')).toThrow(message);
  });
});

describe('a WAV file of unknown size', () => {
  const sound = () =>
    Buffer.from(wavBytes({ rate: 8000 }, 40, (view, at, i) => view.setInt16(at, 300 * i - 6000, true)));
  const texts = Buffer.concat([parts('LIST', 24, 'INFO', 'INAM', 12), Buffer.from('a title here')]);

  it.each([0, 0xffffffff, 0x7ffff000])('written as %d ends before the texts behind the sound', (size) => {
    const bytes = Buffer.concat([sound(), texts]);
    bytes.writeUInt32LE(size, bytes.indexOf('data') + 4);
    const { samples } = readWav(bytes, 'a.wav');
    expect([...samples]).toEqual([...readWav(sound(), 'a.wav').samples]);
  });

  it.each([
    ['another size', Buffer.concat([texts, Buffer.alloc(2)])],
    ['another kind', Buffer.from(texts.toString('latin1').replace('INFO', 'INFX'), 'latin1')],
  ])('keeps what only looks like texts: %s', (_, behind) => {
    const bytes = Buffer.concat([sound(), behind]);
    bytes.writeUInt32LE(0, bytes.indexOf('data') + 4);
    expect(readWav(bytes, 'a.wav').samples.length).toBe(40 + behind.length / 2);
  });
});
