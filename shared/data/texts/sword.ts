/*
 * Bibles in the format of the SWORD project (module driver zText; crosswire.org/sword): verses in the order of a versification,
 * compressed per book. Each testament has three files. `.bzz` contains zlib streams. `.bzs` contains each block's offset in `.bzz`,
 * its compressed and its decompressed length. `.bzv` contains each entry's block, offset and length in the block. Entries are
 * verses, and headings of books and chapters. Little-endian.
 */
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { UserError } from '../../errors.js';
import { readBoundedFile } from '../../files/read-file.js';

const FILE_BYTES_MAX = 2 ** 26;
/** Largest text of a block: a book. */
const BLOCK_BYTES_MAX = 2 ** 24;
const BLOCK_ENTRY_BYTES = 12;
const VERSE_ENTRY_BYTES = 10;

/** A verse, without markup and footnotes. */
export interface Verse {
  /** Such as Gen.1; from the preceding heading. */
  readonly chapter: string;
  readonly text: string;
}

/**
 * All verses of a Bible in the order of its versification. Bibles with the same versification are aligned by index.
 * @param folder with ot.bzs, ot.bzv, ot.bzz and nt.bzs, nt.bzv, nt.bzz; markup is OSIS
 * @throws UserError that names the file and the remedy
 */
export async function readSwordBible(folder: string): Promise<Verse[]> {
  return [...(await readTestament(join(folder, 'ot'))), ...(await readTestament(join(folder, 'nt')))];
}

async function readTestament(path: string): Promise<Verse[]> {
  const [blocks, entries, texts] = await Promise.all(
    ['bzs', 'bzv', 'bzz'].map((extension) => readBoundedFile(`${path}.${extension}`, FILE_BYTES_MAX)),
  );
  if (blocks === undefined || entries === undefined || texts === undefined) return [];
  const verses: Verse[] = [];
  let chapter = '';
  try {
    const block = new DataView(blocks.buffer, blocks.byteOffset, blocks.length);
    const books = Array.from({ length: Math.floor(blocks.length / BLOCK_ENTRY_BYTES) }, (_, i) => {
      const at = block.getUint32(i * BLOCK_ENTRY_BYTES, true);
      const size = block.getUint32(i * BLOCK_ENTRY_BYTES + 4, true);
      return inflateSync(texts.subarray(at, at + size), { maxOutputLength: BLOCK_BYTES_MAX });
    });
    const entry = new DataView(entries.buffer, entries.byteOffset, entries.length);
    const decoder = new TextDecoder('utf-8', { fatal: true });
    for (let at = 0; at + VERSE_ENTRY_BYTES <= entries.length; at += VERSE_ENTRY_BYTES) {
      const from = entry.getUint32(at + 4, true);
      const book = books[entry.getUint32(at, true)] ?? new Uint8Array();
      const osis = decoder.decode(book.subarray(from, from + entry.getUint16(at + 8, true)));
      const heading = /<chapter [^>]*sID="([^"]+)"/.exec(osis)?.[1];
      if (heading !== undefined) chapter = heading;
      else if (/type="book"|type="x-importer"/.test(osis)) chapter = '';
      // Before the first chapter of a book there are only headings.
      else if (chapter !== '') verses.push({ chapter, text: withoutMarkup(osis) });
    }
  } catch (error) {
    throw new UserError(
      `${path}.bzs, .bzv and .bzz are inconsistent (${(error as Error).message}); reinstall them`,
    );
  }
  return verses;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

function withoutMarkup(osis: string): string {
  return osis
    .replace(/<(note|title)\b[^>]*[^/]>[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, '')
    .replace(/&(amp|lt|gt|quot|apos);/g, (_, name: string) => NAMED[name] as string)
    .replace(/¶/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}
