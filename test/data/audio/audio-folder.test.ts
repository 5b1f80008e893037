import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  type AudioFolderOptions,
  audioFolder,
  recordingsToMeasure,
} from '../../../shared/data/audio/audio-folder.js';
import {
  parseAudioPreprocessing,
  preprocessRecording,
} from '../../../shared/data/audio/audio-preprocessing.js';
import { LogMel } from '../../../shared/data/audio/log-mel.js';
import { readWav } from '../../../shared/data/audio/wav.js';
import { fieldValues } from '../../../shared/data/field-values.js';
import { temporaryFolder } from '../../support/process.js';
import { writeFiles } from '../../support/process-data.js';
import { wavBytes, wavOf } from './wav-bytes.js';

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
    expect([...fieldValues(test!, 'label')]).toEqual([1]);
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
    const first = fieldValues(test!, 'spectrogram');
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
    expect(train.manifest.samples + test!.manifest.samples).toBe(20);
  });
});

it('a single recording gets the same input as those of the folder', async () => {
  const folder = folderOf({ 'train/a': { '1.wav': tone(500, 900) }, 'test/a': { '2.wav': tone(700, 5000) } });
  const { inputs, test } = await audioFolder(folder, { seconds: 0.25 });
  const { spectrogram } = await inputs(join(folder, 'test/a/2.wav'));
  expect(spectrogram).toEqual(fieldValues(test!, 'spectrogram'));
  const other = join(writeFiles(temporaryFolder(), { 'x.wav': tone(500, 900, 16_000) }), 'x.wav');
  await expect(inputs(other)).rejects.toThrow(
    'x.wav has a sample rate of 16000 Hz, and the model expects 8000; resample it',
  );
});

describe('errors name the file and the remedy', () => {
  const sound = tone(400, 800);
  it.each<[string, Record<string, Record<string, Uint8Array | string>>, AudioFolderOptions, RegExp]>([
    [
      'another rate',
      { a: { '1.wav': sound, '2.wav': tone(400, 800, 16_000) } },
      {},
      /a\/2\.wav has a sample rate of 16000 Hz, and .*a\/1\.wav has 8000; resample all to one rate: sox IN -r 8000 OUT/,
    ],
    ['no WAV', { a: { '1.wav': 'text' } }, {}, /a\/1\.wav is not a WAV file/],
    [
      'another kind',
      { a: { '1.mp3': 'text' } },
      {},
      /a\/1\.mp3 cannot be read, only \.wav can; convert such files: for f in .*\*\.mp3; do sox /,
    ],
    [
      'no time',
      { a: { '1.wav': sound } },
      { seconds: 0 },
      /seconds must be more than 0 and at most 60, not 0/,
    ],
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
      /has no folders; create one for each class with its recordings, such as .*bells\/1\.wav/,
    ],
  ])('%s', async (_, classes, options, line) => {
    const answer = audioFolder(folderOf(classes), options);
    await expect(answer).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(line) });
  });
});

describe('notes tell what was found', () => {
  it('and how many recordings are cut, mixed and silent', async () => {
    const stereo = (level: number) =>
      wavBytes({ channels: 2 }, 900, (view, at, i) => view.setInt16(at, i * level, true));
    const files = { '1.wav': tone(500, 3000), '2.wav': stereo(1), '3.wav': wavOf(new Float64Array(2000)) };
    const { notes } = await audioFolder(folderOf({ 'train/a': files, 'Val/a': { '4.wav': stereo(2) } }), {
      seconds: 0.25,
    });
    expect(notes[0]).toMatch(
      /sounds: 4 recordings in 1 class \(a 4\); 3 in train for training, 1 in Val for evaluation$/,
    );
    expect(notes.slice(2)).toEqual([
      'recordings: 8000 Hz, the first 0.25 s as spectrograms of 16 frames and 32 bands ' +
        '(1 are longer and cut, 2 are shorter and padded with silence)',
      'mixed to the mean of their channels: 2',
      'silent in the part that is used: 1',
    ]);
  });

  it('and an error how many have another sample rate', async () => {
    const fast = tone(400, 800, 16_000);
    const folder = folderOf({ a: { '1.wav': tone(400, 800), '2.wav': fast, '3.wav': fast, '4.wav': fast } });
    await expect(audioFolder(folder)).rejects.toThrow(
      /resample all to one rate: sox IN -r 8000 OUT \(2 more recordings have another rate\)$/,
    );
  });
});

describe('a trained model', () => {
  const files = {
    'train/b': { '1.wav': tone(500, 900) },
    'train/a': { '1.wav': tone(900, 900) },
    'test/b': { '2.wav': tone(700, 5000) },
  };

  it('gets the same input as in training, without the folder', async () => {
    const { test, preprocessing } = await audioFolder(folderOf(files), { seconds: 0.2, bands: 12 });
    const kept = parseAudioPreprocessing(JSON.parse(JSON.stringify(preprocessing)), 'config.json');
    expect(kept).toMatchObject({
      sampleRate: 8000,
      samples: 1600,
      frames: 13,
      bands: 12,
      classes: ['a', 'b'],
    });
    expect(preprocessRecording(files['test/b']['2.wav'], 'a.wav', kept)).toEqual(
      fieldValues(test!, 'spectrogram'),
    );
    expect(() => parseAudioPreprocessing({ ...kept, window: 100 }, 'config.json')).toThrow(
      'config.json has invalid audio preprocessing: window: is no power of two; use an undamaged run',
    );
  });

  it('is evaluated on every file, with the class numbers from training', async () => {
    const { test, preprocessing } = await audioFolder(folderOf(files), { seconds: 0.2 });
    const measured = await recordingsToMeasure(folderOf({ b: files['test/b'] }), preprocessing);
    expect(fieldValues(measured.test, 'spectrogram')).toEqual(fieldValues(test!, 'spectrogram'));
    expect([...fieldValues(measured.test, 'label')]).toEqual([1]);
    await expect(recordingsToMeasure(folderOf({ c: files['test/b'] }), preprocessing)).rejects.toThrow(
      'has classes that the model was not trained on: c; its classes are a, b',
    );
    await expect(
      recordingsToMeasure(folderOf({ a: { '1.wav': tone(400, 80, 9000) } }), preprocessing),
    ).rejects.toThrow('has a sample rate of 9000 Hz, and the model expects 8000; resample all to one rate');
    await expect(recordingsToMeasure(folderOf({ a: {} }), preprocessing)).rejects.toThrow(
      'has no recordings to evaluate',
    );
  });
});

it.each<[string, object, string]>([
  ['a name', { second: 1 }, 'audioFolder has no option "second"; did you mean seconds?'],
  ['half a band', { bands: 1.5 }, 'audioFolder: bands must be an integer from 1 to 256, not 1.5'],
  ['too many bands', { bands: 257 }, 'audioFolder: bands must be an integer from 1 to 256, not 257'],
  ['too long', { seconds: 61 }, 'seconds must be more than 0 and at most 60, not 61'],
  ['no number', { seconds: '1s' }, 'seconds must be more than 0 and at most 60, not 1s'],
])('an invalid option is refused: %s', async (_, options, message) => {
  await expect(audioFolder('nowhere', options as AudioFolderOptions)).rejects.toMatchObject({
    ...{ name: 'UserError', exitCode: 2, message: expect.stringContaining(message) },
  });
});
