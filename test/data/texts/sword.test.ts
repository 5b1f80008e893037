import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { readSwordBible } from '../../../shared/data/texts/sword.js';
import { temporaryFolder } from '../../support/process.js';

/** A testament of one book as its three files. */
function writeTestament(folder: string, name: string, entries: readonly string[]): void {
  const texts = entries.map((entry) => Buffer.from(entry));
  const packed = deflateSync(Buffer.concat(texts));
  const block = Buffer.alloc(12);
  block.writeUInt32LE(3, 0);
  block.writeUInt32LE(packed.length, 4);
  const verses = Buffer.alloc(10 * texts.length);
  let at = 0;
  texts.forEach((text, i) => {
    verses.writeUInt32LE(at, 10 * i + 4);
    verses.writeUInt16LE(text.length, 10 * i + 8);
    at += text.length;
  });
  writeFileSync(join(folder, `${name}.bzs`), block);
  writeFileSync(join(folder, `${name}.bzv`), verses);
  writeFileSync(join(folder, `${name}.bzz`), Buffer.concat([Buffer.from('...'), packed]));
}

const OLD = [
  '',
  '<milestone type="x-importer"/>',
  '<div canonical="true" osisID="Gen" type="book"/><title>Génesis</title>',
  '<chapter n="1" osisID="Gen.1" sID="Gen.1"/>',
  'In the <w lemma="strong:H7225">beginning</w>, &amp;\n so <note n="1">a <hi>note</hi></note>on.<chapter eID="Gen.1"/>',
  '<chapter n="2" osisID="Gen.2" sID="Gen.2"/>',
  '',
  '¶ Y fué así.',
];

it('reads verses with their chapters, without markup, notes and headings', async () => {
  const folder = temporaryFolder();
  writeTestament(folder, 'ot', OLD);
  writeTestament(folder, 'nt', ['', '', '<chapter osisID="Matt.1" sID="Matt.1"/>', 'The book']);
  expect(await readSwordBible(folder)).toEqual([
    { chapter: 'Gen.1', text: 'In the beginning, & so on.' },
    // A verse that one Bible leaves out keeps its place.
    { chapter: 'Gen.2', text: '' },
    { chapter: 'Gen.2', text: 'Y fué así.' },
    { chapter: 'Matt.1', text: 'The book' },
  ]);
});

it('names inconsistent files, and those that are missing', async () => {
  const folder = temporaryFolder();
  writeTestament(folder, 'ot', OLD);
  await expect(readSwordBible(folder)).rejects.toThrow(/nt\.bz. *.*|cannot read/);
  writeTestament(folder, 'nt', OLD);
  writeFileSync(join(folder, 'nt.bzz'), 'something else');
  await expect(readSwordBible(folder)).rejects.toThrow(/nt\.bzs, \.bzv and \.bzz are inconsistent/);
});
