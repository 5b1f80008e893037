import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSummaries } from '../../../shared/data/texts/descriptions.js';
import { loadPairs } from '../../../shared/data/texts/parallel-text.js';
import { loadText } from '../../../shared/data/texts/text.js';
import { textOf } from '../../../shared/data/texts/text-file.js';
import { UserError } from '../../../shared/errors.js';
import { temporaryFolder } from '../../support/process.js';

const TEXT = 'Ärger, çà et là\nзима 冬 😀\r\nend';

const bytesOf = (
  text: string,
  encoding: 'utf8' | 'utf16le' | 'latin1',
  mark: readonly number[] = [],
): Buffer => Buffer.concat([Uint8Array.from(mark), Buffer.from(text, encoding)]);
const bigEndian = (bytes: Buffer): Buffer => Buffer.from(bytes).swap16();

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(temporaryFolder(), name);
  writeFileSync(path, bytes);
  return path;
}

describe('a text is decoded', () => {
  it.each<[string, Buffer, readonly string[]]>([
    ['as UTF-8', bytesOf(TEXT, 'utf8'), []],
    ['without the mark of UTF-8', bytesOf(TEXT, 'utf8', [0xef, 0xbb, 0xbf]), []],
    [
      'as UTF-16 by its mark',
      bytesOf(TEXT, 'utf16le', [0xff, 0xfe]),
      ['a.txt: decoded as utf-16le by its byte order mark'],
    ],
    [
      'as big-endian UTF-16 by its mark',
      bigEndian(bytesOf(TEXT, 'utf16le', [0xff, 0xfe])),
      ['a.txt: decoded as utf-16be by its byte order mark'],
    ],
    [
      'as UTF-32 by its mark',
      Buffer.concat([
        Uint8Array.of(0xff, 0xfe, 0, 0),
        ...Array.from(TEXT, (letter) => Buffer.from(Uint32Array.of(letter.codePointAt(0)!).buffer)),
      ]),
      ['a.txt: decoded as utf-32le by its byte order mark'],
    ],
  ])('%s', (_, bytes, notes) => {
    expect(textOf(bytes, 'a.txt')).toEqual({ text: TEXT, notes });
  });

  it('with a note when an earlier conversion has lost characters', () => {
    expect(textOf(Buffer.from('a\ufffdb\ufffd'), 'a.txt').notes).toEqual([
      'a.txt contains U+FFFD 2 times: an earlier conversion has lost characters',
    ]);
  });
});

describe('an invalid text is refused with file and line', () => {
  it.each<[string, Uint8Array, RegExp]>([
    [
      'Latin-1',
      bytesOf('plain\nalso plain\nÄrger\n', 'latin1'),
      /^a\.txt, line 3: byte 0xC4 after 0 bytes of the line is not UTF-8; convert it: iconv -f WINDOWS-1252 -t UTF-8 a\.txt > utf8\.txt, or from the encoding that it has$/,
    ],
    [
      'Latin-1 in many lines',
      bytesOf('à\nb\r\nç\rd\nè', 'latin1'),
      /^a\.txt, line 1: .* \(and 2 more lines\); convert it/,
    ],
    [
      'a character that is cut',
      bytesOf('abc\nde€', 'utf8').subarray(0, -1),
      /^a\.txt, line 2: byte 0xE2 after 2 bytes/,
    ],
    ['a surrogate in UTF-8', Uint8Array.of(0x61, 0xed, 0xa0, 0x80), /^a\.txt, line 1: byte 0xED/],
    ['a character spelt too long', Uint8Array.of(0xc0, 0xaf), /^a\.txt, line 1: byte 0xC0/],
    [
      'UTF-16 without a mark',
      bytesOf(TEXT, 'utf16le'),
      /^a\.txt looks like UTF-16LE without a byte order mark; convert it: iconv -f UTF-16LE/,
    ],
    [
      'big-endian UTF-16 without a mark',
      bigEndian(bytesOf('plain text', 'utf16le')),
      /^a\.txt looks like UTF-16BE without/,
    ],
    [
      'half a character of UTF-16',
      bytesOf('a', 'utf16le', [0xff, 0xfe]).subarray(0, 3),
      /^a\.txt, line 1: ends within a character, of whose two bytes one is there \(utf-16le\); download it again$/,
    ],
    [
      'half a pair of UTF-16',
      bytesOf('a\n\ud83d', 'utf16le', [0xff, 0xfe]),
      /^a\.txt, line 2: contains bytes that are not utf-16le/,
    ],
    [
      'a program',
      Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0),
      /^a\.txt contains zero bytes, so it is not a text; check that it is the right file$/,
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => textOf(bytes, 'a.txt')).toThrow(message);
  });

  it('any bytes give a text or an error of one line', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom([], [0xff, 0xfe], [0xfe, 0xff], [0xef, 0xbb, 0xbf]),
        (rest, mark) => {
          try {
            const { text } = textOf(Uint8Array.of(...mark, ...rest), 'a.txt');
            // Nothing is lost: what was read is what was written.
            if (mark.length !== 2) expect(Buffer.from(text)).toEqual(Buffer.from(rest));
          } catch (error) {
            expect(error).toBeInstanceOf(UserError);
            expect((error as Error).message).not.toContain('\n');
          }
        },
      ),
    );
  });
});

it('every reader of texts refuses what is not UTF-8', async () => {
  const latin = bytesOf('one line\nétat\n'.repeat(60), 'latin1');
  await expect(loadText(fileOf('text.txt', latin), 8, 0.5)).rejects.toThrow(/text\.txt, line 2: byte 0xE9/);
  await expect(loadSummaries(fileOf('texts.jsonl', latin))).rejects.toThrow(
    /texts\.jsonl, line 2: byte 0xE9/,
  );
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'source.txt'), 'one line\n'.repeat(120));
  writeFileSync(join(folder, 'target.txt'), latin);
  await expect(loadPairs(folder)).rejects.toThrow(/target\.txt, line 2: byte 0xE9/);
});

it('notes tell length and characters', async () => {
  const path = fileOf('text.txt', bytesOf('abcdefghij0123456789', 'utf16le', [0xff, 0xfe]));
  const { notes, alphabet } = await loadText(path, 3, 0.5);
  expect(alphabet.join('')).toBe('0123456789abcdefghij');
  expect(notes).toEqual([
    `${path}: 20 characters, 20 different ones; the first 10 for training, the others for evaluation`,
    `${path}: decoded as utf-16le by its byte order mark`,
  ]);
});
