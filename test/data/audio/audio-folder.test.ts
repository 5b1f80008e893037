import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AudioFolderOptions, audioFolder } from '../../../shared/data/audio/audio-folder.js';
import { LogMel } from '../../../shared/data/audio/log-mel.js';
import { readWav } from '../../../shared/data/audio/wav.js';
import { fieldValues } from '../../../shared/data/field-values.js';
import { temporaryFolder } from '../../support/process.js';
import { writeFiles } from '../../support/process-data.js';
import { wavOf } from './wav-bytes.js';

const tone = (pitch: number, length: number, rate = 8000): Uint8Array =>
  wavOf(
    Float64Array.from({ length }, (_, i) => Math.sin((2 * Math.PI * pitch * i) / rate)),
    rate,
  );

/** A folder `sounds` with files by folder. */
function folderOf(classes: Readonly<Record<string, Record<string, Uint8Array | string>>>): string {
  const folder = join(temporaryFolder(), 'sounds');
  mkdirSync(folder);
  for (const [name, files] of Object.entries(classes)) writeFiles(join(folder, name), files);
  return folder;
}

describe('a folder of recordings', () => {
  it('becomes spectrograms of so many seconds, silent where nothing is left', async () => {
    const [short, long] = [tone(500, 1000), tone(900, 9000)];
    const folder = folderOf({
      'train/low': { '1.wav': short },
      'test/low': { '2.wav': long },
      'train/high': {},
    });
    const { train, test, classes } = await audioFolder(folder, { seconds: 0.5, bands: 16 });
    expect(classes).toEqual(['high', 'low']);
    expect([...fieldValues(test, 'label')]).toEqual([1]);
    // Half a second in steps of 128 samples, bytes for what logMel says.
    expect(train.manifest.fields.spectrogram).toMatchObject({ dtype: 'u8', shape: [32, 16] });
    const settings = { window: 256, hop: 128, bands: 16, lowest: 60, range: 10 };
    const logMel = new LogMel(settings, 8000);
    const heard = logMel.of(readWav(short, 'short').samples);
    const seen = fieldValues(train, 'spectrogram');
    expect(heard).toHaveLength(8 * 16);
    heard.forEach((level, i) => {
      expect(Math.abs((seen[i] as number) - (2 * level - 1))).toBeLessThan(0.005);
    });
    expect(new Set(seen.subarray(heard.length))).toEqual(new Set([-1]));
    const all = logMel.of(readWav(long, 'long').samples);
    const first = fieldValues(test, 'spectrogram');
    expect(Math.abs((first[20 * 16 + 3] as number) - (2 * (all[20 * 16 + 3] as number) - 1))).toBeLessThan(
      0.02,
    );
  });

  it('has longer windows at higher rates', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, i) => [`${i}.wav`, tone(400 + i, 4410, 44_100)]),
    );
    const { train, test } = await audioFolder(folderOf({ a: files }), {
      seconds: 0.1,
      split: { share: 0.5 },
    });
    expect(train.manifest.fields.spectrogram?.shape).toEqual([9, 32]);
    expect(train.manifest.samples + test.manifest.samples).toBe(20);
  });
});

it('a single recording is heard as those of the folder', async () => {
  const folder = folderOf({ 'train/a': { '1.wav': tone(500, 900) }, 'test/a': { '2.wav': tone(700, 5000) } });
  const { inputs, test } = await audioFolder(folder, { seconds: 0.25 });
  const { spectrogram } = await inputs(join(folder, 'test/a/2.wav'));
  expect(spectrogram).toEqual(fieldValues(test, 'spectrogram'));
  const other = join(writeFiles(temporaryFolder(), { 'x.wav': tone(500, 900, 16_000) }), 'x.wav');
  await expect(inputs(other)).rejects.toThrow('x.wav has 16000 samples a second, and');
});

describe('what is wrong is told with the file and the mend', () => {
  const sound = tone(400, 800);
  it.each<[string, Record<string, Record<string, Uint8Array | string>>, AudioFolderOptions, RegExp]>([
    [
      'another rate',
      { a: { '1.wav': sound, '2.wav': tone(400, 800, 16_000) } },
      {},
      /a\/2\.wav has 16000 samples a second, and .*a\/1\.wav has 8000; bring all to one rate: sox IN -r 8000 OUT/,
    ],
    ['no WAV', { a: { '1.wav': 'text' } }, {}, /a\/1\.wav is no WAV file/],
    [
      'another kind',
      { a: { '1.mp3': 'text' } },
      {},
      /a\/1\.mp3 cannot be read, only \.wav can; convert such files: for f in .*\*\.mp3; do sox /,
    ],
    ['no time', { a: { '1.wav': sound } }, { seconds: 0 }, /recordings of 0 seconds cannot be learned/],
    [
      'nothing held out',
      { a: { '1.wav': sound } },
      { split: { share: 0.001 } },
      /of 1 samples none is held out/,
    ],
    [
      'no classes',
      {},
      {},
      /has no folders; make one for each class, with its recordings, such as .*bells\/1\.wav/,
    ],
  ])('%s', async (_, classes, options, line) => {
    const answer = audioFolder(folderOf(classes), options);
    await expect(answer).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(line) });
  });
});
