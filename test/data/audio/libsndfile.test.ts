/*
 * Every kind of WAV file, against libsndfile.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readWav } from '../../../shared/data/audio/wav.js';
import { temporaryFolder } from '../../support/process.js';
import { pythonWith } from '../../support/python.js';
import { wavBytes } from './wav-bytes.js';

const PYTHON = pythonWith(['soundfile', 'numpy'], 'python3-soundfile python3-numpy');
const SCRIPT = join(import.meta.dirname, 'libsndfile-recordings.py');

/** As programs write into pipes, whatever they put in place of a size, and with parts before and behind the sound. */
function unusual(): Record<string, Uint8Array> {
  const sound = (rate: number, extra = {}) =>
    wavBytes({ rate, channels: 2 }, 50, (view, at, i) => view.setInt16(at, 300 * i - 9000, true), extra);
  const plain = sound(8000);
  const data = Buffer.from(plain).indexOf('data');
  const resized = (riff: number, size: number, more: Uint8Array = new Uint8Array()) => {
    const bytes = Buffer.concat([plain, more]);
    bytes.writeUInt32LE(riff, 4);
    bytes.writeUInt32LE(size, data + 4);
    return bytes;
  };
  const list = Uint8Array.of(...Buffer.from('LIST'), 5, 0, 0, 0, 1, 2, 3, 4, 5, 0);
  return {
    'size-0': resized(8, 0),
    'size-all-ones': resized(0xffffffff, 0xffffffff),
    'size-sox': resized(0x7ffff024, 0x7ffff000),
    'riff-too-small': resized(4, 200),
    'riff-too-large': resized(1e9, 200),
    'parts-behind': resized(200 + 36 + 14, 200, list),
    'parts-before': sound(44_100, { before: list }),
  };
}

it.skipIf(PYTHON === undefined)('libsndfile reads the same samples', () => {
  const folder = temporaryFolder();
  execFileSync(PYTHON as string, [SCRIPT, 'write', folder]);
  for (const [name, bytes] of Object.entries(unusual())) writeFileSync(join(folder, `${name}.wav`), bytes);
  execFileSync(PYTHON as string, [SCRIPT, 'read', folder]);
  const files = readdirSync(folder).filter((name) => name.endsWith('.wav'));
  expect(files.length).toBeGreaterThan(200);
  for (const file of files) {
    const { sampleRate, samples } = readWav(readFileSync(join(folder, file)), file);
    const kept = readFileSync(join(folder, `${file}.f64`));
    const [rate, ...wanted] = new Float64Array(new Uint8Array(kept).buffer);
    expect([sampleRate, samples.length], file).toEqual([rate, wanted.length]);
    // The mean of channels is a sum that each side rounds in its own order.
    const far = wanted.map((value, i) => Math.abs(value - (samples[i] as number)));
    expect(Math.max(...far), file).toBeLessThanOrEqual(1e-15);
  }
});
