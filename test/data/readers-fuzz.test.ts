import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audioFolder } from '../../shared/data/audio/audio-folder.js';
import { fieldValues } from '../../shared/data/field-values.js';
import { idxImages } from '../../shared/data/images/idx-images.js';
import { imageFolder } from '../../shared/data/images/image-folder.js';
import { readImageHeader } from '../../shared/data/images/read-image.js';
import { jsonRows, readJsonFile } from '../../shared/data/json-rows.js';
import { rawFolder } from '../../shared/data/raw-folder.js';
import { csv } from '../../shared/data/tables/csv.js';
import { tableOfJson } from '../../shared/data/tables/json-table.js';
import { applyPreprocessing } from '../../shared/data/tables/table-apply.js';
import { loadSummaries } from '../../shared/data/texts/descriptions.js';
import { readLines } from '../../shared/data/texts/parallel-text.js';
import { loadText } from '../../shared/data/texts/text.js';
import { UserError } from '../../shared/errors.js';
import { loadSafetensors, saveSafetensors } from '../../shared/files/safetensors.js';
import { FUZZ_TIMEOUT_MS, fuzzRuns, mutated } from '../support/mutation.js';
import { pngBytes } from '../support/png.js';
import { temporaryFolder } from '../support/process.js';
import { wavOf } from './audio/wav-bytes.js';
import { idxBytes } from './images/idx-bytes.js';
import { CMYK, COLOURED, GREY } from './images/jpeg-bytes.js';

/*
 * Whatever the bytes of a file: its reader returns data or a UserError of bounded length, in bounded memory. Delimited text,
 * Parquet, PNG, JPEG and WAV have tests of their own, which know the format: robustness.test.ts and *-faults.test.ts.
 */

/** Largest growth of memory, in bytes; of images, whose headers may claim 2 ** 26 pixels, more. */
const MEMORY_MAX = 2 ** 29;
const IMAGE_MEMORY_MAX = 2 ** 31;
const MESSAGE_LENGTH_MAX = 20_000;
const RUNS = 60;
const START = process.memoryUsage().rss;

interface Reader {
  /** The file that is changed. */
  readonly file: string;
  readonly good: readonly Uint8Array[];
  /** Other files that the reader needs. */
  readonly others?: Readonly<Record<string, Uint8Array>>;
  readonly memoryMax?: number;
  read(folder: string): Promise<unknown>;
}

const text = (content: string, encoding: 'utf8' | 'utf16le' = 'utf8') => Buffer.from(content, encoding);
const PICTURE = pngBytes({ width: 3, height: 2, kind: 2, bits: 8, numbers: Array(18).fill(9) });
const SOUND = wavOf(Float64Array.from({ length: 600 }, (_, i) => Math.sin(i / 3)));
const PROSE = 'The quick brown fox,\r\njumps over\nçà et là 冬 😀. '.repeat(5);
const RAW = {
  name: 'waves',
  fields: { wave: { dtype: 'f32', shape: [2] }, label: { dtype: 'i32', shape: [] } },
  splits: { train: { wave: 'w', label: 'l' }, test: { wave: 'w', label: 'l' } },
  classes: ['a', 'b'],
};
const ROWS = [
  { rooms: 3, place: 'town' },
  { rooms: null, place: 'coast' },
];
/** Of another source each, so that some are held out. */
const SUMMARIES = Array.from({ length: 120 }, (_, i) => {
  const word = String.fromCharCode(97 + (i % 26), 97 + Math.floor(i / 26));
  return JSON.stringify({
    long: `Text ${word} about words. More of it.`,
    short: `words ${word}`,
    source: word,
  });
}).join('\n');

const weights = join(temporaryFolder(), 'w.safetensors');
await saveSafetensors(weights, [{ name: 'w', shape: [2, 3], values: Float32Array.from([1, 2, 3, 4, 5, 6]) }]);

const houses = join(temporaryFolder(), 'houses.csv');
writeFileSync(
  houses,
  `rooms,place,y\n${Array.from({ length: 20 }, (_, i) => `${i},${i % 2 ? 'town' : 'coast'},${i}`).join('\n')}`,
);
const { preprocessing } = await csv(houses, { target: 'y', missing: 'mean' });

const READERS: Readonly<Record<string, Reader>> = {
  'a text': {
    file: 'a.txt',
    good: [text(PROSE), text(`\ufeff${PROSE}`), text(`\ufeff${PROSE}`, 'utf16le')],
    read: (folder) => loadText(join(folder, 'a.txt'), 4, 0.8),
  },
  'sentences and their translations': {
    file: 'target.txt',
    good: [text('ein\nzwei\r\ndrei\n')],
    others: { 'source.txt': text('one\ntwo\nthree\n') },
    read: readLines,
  },
  'texts and their summaries': {
    file: 'a.jsonl',
    good: [text(SUMMARIES)],
    read: (folder) => loadSummaries(join(folder, 'a.jsonl')),
  },
  'images in IDX': {
    file: 't10k-images-idx3-ubyte',
    good: [
      idxBytes(
        [3, 2, 2],
        Uint8Array.from({ length: 12 }, (_, i) => i),
      ),
    ],
    others: {
      'train-images-idx3-ubyte': idxBytes([3, 2, 2], new Uint8Array(12)),
      'train-labels-idx1-ubyte': idxBytes([3], Uint8Array.of(0, 1, 2)),
      't10k-labels-idx1-ubyte': idxBytes([3], Uint8Array.of(0, 1, 2)),
    },
    read: idxImages,
  },
  'the description of raw samples': {
    file: 'dataset.json',
    good: [text(JSON.stringify(RAW)), text(JSON.stringify(RAW, null, 2))],
    others: { w: new Uint8Array(16), l: new Uint8Array(8) },
    async read(folder) {
      const { train } = await rawFolder(folder);
      for (const name of Object.keys(train.manifest.fields)) fieldValues(train, name);
    },
  },
  'rows in JSON for a table': {
    file: 'a.json',
    good: [
      text(JSON.stringify(ROWS)),
      text(
        JSON.stringify({
          features: [
            [3, 'town'],
            [4, 0, 1],
          ],
        }),
      ),
    ],
    async read(folder) {
      const path = join(folder, 'a.json');
      await applyPreprocessing(preprocessing, tableOfJson(path, await readJsonFile(path), preprocessing));
    },
  },
  'fields in JSON': {
    file: 'a.json',
    good: [
      text(
        JSON.stringify({
          x: [
            [1, 2.5e3],
            [-3, 4],
          ],
          y: [0, 1],
        }),
      ),
    ],
    async read(folder) {
      const path = join(folder, 'a.json');
      jsonRows(path, await readJsonFile(path), ['x', 'y']);
    },
  },
  'weights in safetensors': {
    file: 'a.safetensors',
    good: [readFileSync(weights)],
    read: (folder) => loadSafetensors(join(folder, 'a.safetensors')),
  },
  'images in folders': {
    file: 'pictures/train/b/1.jpg',
    good: [PICTURE, GREY, CMYK, ...Object.values(COLOURED)],
    others: { 'pictures/train/a/1.png': PICTURE, 'pictures/val/a/2.png': PICTURE },
    memoryMax: IMAGE_MEMORY_MAX,
    read: (folder) => imageFolder(join(folder, 'pictures'), { size: [4, 4] }),
  },
  'recordings in folders': {
    file: 'sounds/train/b/1.wav',
    good: [SOUND],
    others: { 'sounds/train/a/1.wav': SOUND, 'sounds/val/a/2.wav': SOUND },
    read: (folder) => audioFolder(join(folder, 'sounds'), { seconds: 0.1, bands: 8 }),
  },
};

describe('data or an error with a remedy, of any bytes', () => {
  it.each(Object.entries(READERS))(
    '%s',
    async (_, { file, good, others = {}, memoryMax = MEMORY_MAX, read }) => {
      const folder = temporaryFolder();
      const path = (name: string) => join(folder, name);
      for (const [name, bytes] of Object.entries({ ...others, [file]: good[0] as Uint8Array })) {
        mkdirSync(join(path(name), '..'), { recursive: true });
        writeFileSync(path(name), bytes);
      }
      const answer = async (bytes: Uint8Array): Promise<void> => {
        writeFileSync(path(file), bytes);
        await read(folder).catch((error: unknown) => {
          if (!(error instanceof UserError)) throw error;
          expect(error.message.length).toBeLessThan(MESSAGE_LENGTH_MAX);
        });
        expect(process.memoryUsage().rss).toBeLessThan(START + memoryMax);
      };
      for (const bytes of good) {
        writeFileSync(path(file), bytes);
        await read(folder);
        for (let i = 0; i < 20; i++) await answer(bytes.subarray(0, Math.floor((bytes.length * i) / 20)));
      }
      const any = fc.oneof({ weight: 4, arbitrary: mutated(good) }, fc.uint8Array({ maxLength: 500 }));
      await fc.assert(fc.asyncProperty(any, answer), { numRuns: fuzzRuns(RUNS) });
    },
    FUZZ_TIMEOUT_MS,
  );

  it('nested as deep as a file allows', async () => {
    const path = join(temporaryFolder(), 'a.json');
    for (const depth of [2000, 200_000]) {
      writeFileSync(path, `{"x":${'['.repeat(depth)}1${']'.repeat(depth)}}`);
      await readJsonFile(path).then(
        (value) => expect(() => jsonRows(path, value, ['x'])).toSatisfy(isToldOrRead),
        (error) => expect(error).toBeInstanceOf(UserError),
      );
    }
  });

  it('the header of an image', () => {
    const property = fc.property(mutated([PICTURE, GREY, CMYK, ...Object.values(COLOURED)]), (bytes) => {
      try {
        const { width, height } = readImageHeader(bytes, 'a.png');
        expect(Math.min(width, height)).toBeGreaterThan(0);
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    });
    fc.assert(property, { numRuns: fuzzRuns(RUNS) });
  });
});

function isToldOrRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    return error instanceof UserError;
  }
}
