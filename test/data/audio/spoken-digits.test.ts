import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createTar } from 'nanotar';
import { describe, expect, it } from 'vitest';
import { speechFrames } from '../../../shared/data/audio/spectrogram.js';
import {
  digitDataset,
  loadSpokenDigits,
  newcomerSplit,
  ownSplit,
} from '../../../shared/data/audio/spoken-digits.js';
import { stringDataset } from '../../../shared/data/audio/spoken-strings.js';
import { fieldValues } from '../../../shared/data/field-values.js';
import { temporaryFolder } from '../../support/process.js';
import { madeUpRecordings } from '../../support/recordings.js';

const files = madeUpRecordings();

function folderOf(contents: Record<string, Uint8Array>): string {
  const folder = join(temporaryFolder(), 'recordings');
  mkdirSync(folder);
  for (const [name, bytes] of Object.entries(contents)) writeFileSync(join(folder, name), bytes);
  return folder;
}

describe('spoken digits', () => {
  it('are the same from a folder and from an archive', async () => {
    const folder = folderOf({ ...files, 'README.md': Buffer.from('x') });
    const archive = join(temporaryFolder(), 'digits.tar.gz');
    const tar = createTar(
      Object.entries(files).map(([name, data]) => ({ name: `recordings/${name}`, data })),
    );
    writeFileSync(archive, gzipSync(tar));
    const digits = await loadSpokenDigits(folder);
    expect(digits).toHaveLength(Object.keys(files).length);
    expect(await loadSpokenDigits(archive)).toEqual(digits);
    expect(await loadSpokenDigits(join(folder, '..'))).toEqual(digits);
  });

  it('are held out by number or by speaker', async () => {
    const digits = await loadSpokenDigits(folderOf(files));
    const own = ownSplit(digits);
    expect(own.test.every(({ number }) => number < 5)).toBe(true);
    expect(own.train.every(({ number }) => number >= 5)).toBe(true);
    expect(own.train.length + own.test.length).toBe(digits.length);
    const { train, test } = newcomerSplit(digits, 'theo');
    expect(new Set(test.map(({ speaker }) => speaker))).toEqual(new Set(['theo']));
    expect(train.some(({ speaker }) => speaker === 'theo')).toBe(false);
    expect(() => newcomerSplit(digits, 'nobody')).toThrow('the recordings hold no recordings of nobody');
  });

  it('become spectrograms of one length, with their labels', async () => {
    const digits = await loadSpokenDigits(folderOf(files));
    const dataset = digitDataset('digits', digits);
    expect([...fieldValues(dataset, 'label')]).toEqual(digits.map(({ digit }) => digit));
    const spectrograms = fieldValues(dataset, 'spectrogram');
    expect(spectrograms).toHaveLength(digits.length * 64 * 32);
    const heard = speechFrames(digits[0]!.recording.samples.length);
    expect(Math.max(...spectrograms.subarray(0, heard * 32))).toBeCloseTo(1, 6);
    expect([...spectrograms.subarray((heard + 2) * 32, 64 * 32)].every((level) => level === -1)).toBe(true);
  });

  it('are joined to strings of one speaker, by the seed alone', async () => {
    const digits = await loadSpokenDigits(folderOf(files));
    const strings = stringDataset('strings', digits, 20, 7);
    expect(stringDataset('strings', digits, 20, 7).manifest).toEqual(strings.manifest);
    expect(stringDataset('strings', digits, 20, 8).manifest).not.toEqual(strings.manifest);
    const labels = fieldValues(strings, 'digits');
    const spectrograms = fieldValues(strings, 'spectrogram');
    for (let i = 0; i < 20; i++) {
      const padded = Array.from(labels.subarray(i * 7, (i + 1) * 7));
      const said = padded.filter((label) => label > 0);
      expect(said.length).toBeGreaterThanOrEqual(3);
      expect(padded.slice(said.length).every((label) => label === 0)).toBe(true);
      expect(Math.max(...said)).toBeLessThanOrEqual(10);
      expect(Math.max(...spectrograms.subarray(i * 320 * 32, (i + 1) * 320 * 32))).toBeCloseTo(1, 6);
    }
  });

  it('that are missing or odd are told with what to do', async () => {
    await expect(loadSpokenDigits(undefined)).rejects.toThrow(
      /download the Free Spoken Digit Dataset from https/,
    );
    await expect(loadSpokenDigits('/nowhere')).rejects.toThrow('/nowhere does not exist; download');
    await expect(loadSpokenDigits(temporaryFolder())).rejects.toThrow(
      'has no recordings such as 7_ada_12.wav',
    );
    const broken = join(temporaryFolder(), 'broken.tar.gz');
    writeFileSync(broken, gzipSync(Buffer.alloc(2048, 1)).subarray(0, 20));
    await expect(loadSpokenDigits(broken)).rejects.toThrow('is not a valid .tar.gz archive');
    const fast = folderOf({ '1_ada_0.wav': madeUpRecordings(16000)['1_george_0.wav']! });
    await expect(loadSpokenDigits(fast)).rejects.toThrow(
      '1_ada_0.wav has a sample rate of 16000 Hz, not 8000',
    );
  });
});
