import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { describe, expect, it } from 'vitest';
import { decodeText } from '../../shared/data/text-encoding.js';
import { pythonWith } from '../support/python.js';

const TEXT = 'name,größe\ncafé,1\nnaïve,2\n';
const decoded = (bytes: Uint8Array, encoding?: string) => {
  const { utf8, ...rest } = decodeText(bytes, encoding);
  return { text: utf8.toString(), ...rest };
};
const utf16 = (text: string, isLittle: boolean): Buffer => {
  const bytes = Buffer.from(text, 'utf16le');
  return isLittle ? bytes : bytes.swap16();
};

describe('a text file', () => {
  it.each<[string, Buffer, string]>([
    ['UTF-8', Buffer.from(TEXT), 'utf-8'],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${TEXT}`), 'utf-8'],
    ['UTF-16, little-endian, with a mark', utf16(`\ufeff${TEXT}`, true), 'utf-16le'],
    ['UTF-16, big-endian, with a mark', utf16(`\ufeff${TEXT}`, false), 'utf-16be'],
    ['ASCII', Buffer.from('a,b\n'), 'utf-8'],
    ['nothing', Buffer.alloc(0), 'utf-8'],
  ])('in %s needs no option', (_, bytes, encoding) => {
    const text = bytes.length < 10 ? bytes.toString() : TEXT;
    expect(decoded(bytes)).toEqual({ text, encoding, notes: [] });
  });

  it.each<[string, Buffer, 'utf-16le' | 'utf-16be']>([
    ['little', utf16(TEXT, true), 'utf-16le'],
    ['big', utf16(TEXT, false), 'utf-16be'],
  ])('in UTF-16, %s-endian, without a byte order mark is recognised', (_, bytes, likely) => {
    expect(decoded(bytes)).toMatchObject({ text: TEXT, likely });
    expect(decoded(bytes, likely)).toEqual({ text: TEXT, encoding: likely, notes: [] });
  });

  it('that is not UTF-8 is reported with the first such line', () => {
    const bytes = Buffer.from(TEXT, 'latin1');
    expect(decoded(bytes).invalid).toEqual({
      line: 1,
      lines: 3,
      what: 'byte 0xF6 after 7 bytes of the line is not UTF-8',
    });
    const later = Buffer.concat([Buffer.from('a\r\nb\rc\nd'), Buffer.from([0xe9]), Buffer.from('\n')]);
    expect(decoded(later).invalid).toMatchObject({ line: 4, lines: 1 });
  });

  it.each<[string, number[]]>([
    ['a cut-off character', [0x61, 0xe2, 0x82]],
    ['a byte that never occurs', [0x61, 0xff, 0x62]],
    ['a lone byte of a character', [0x61, 0x80]],
    ['more bytes than needed', [0xc0, 0xaf]],
    ['half of a pair', [0xed, 0xa0, 0x80]],
    ['a number beyond Unicode', [0xf4, 0x90, 0x80, 0x80]],
  ])('with %s is not UTF-8', (_, bytes) => {
    expect(decoded(Buffer.from(bytes)).invalid).toMatchObject({ line: 1, lines: 1 });
  });

  it.each(['utf-16le', 'utf-16be', 'utf-32le', 'utf-32be', 'ucs2'])(
    'in %s that ends within a character is reported',
    (encoding) => {
      const bytes = iconv.encode(TEXT, encoding, { addBOM: false });
      expect(decodeText(bytes, encoding).invalid).toBeUndefined();
      for (let cut = 1; cut < (/32/.test(encoding) ? 4 : 2); cut++)
        expect(decodeText(bytes.subarray(0, -cut), encoding).invalid).toMatchObject({
          line: 3,
          lines: 1,
          what: expect.stringMatching(/^(ends within a character|contains bytes that are not utf-32)/),
        });
      const marked = Buffer.concat([utf16(`\ufeff${TEXT}`, true), Buffer.of(0x41)]);
      expect(decodeText(marked).invalid).toMatchObject({ line: 4, lines: 1 });
    },
  );

  it('with bytes that its encoding does not have is reported', () => {
    const bytes = Buffer.concat([Buffer.from('a\nb\n'), Buffer.from([0x81, 0x20]), Buffer.from('\nc')]);
    expect(decoded(bytes, 'shift_jis').invalid).toMatchObject({
      line: 3,
      what: 'contains bytes that are not shift_jis',
    });
    const half = Buffer.concat([utf16('a\nb', true), Buffer.from([0x00, 0xd8]), utf16('c\n', true)]);
    expect(decoded(half, 'utf-16le').invalid).toMatchObject({ line: 2, lines: 1 });
  });

  it('with a byte order mark is read by it, and a contradicting option gets a note', () => {
    expect(decoded(Buffer.from(`\ufeff${TEXT}`), 'latin1')).toMatchObject({
      text: TEXT,
      notes: ["the byte order mark says utf-8, which takes precedence over encoding: 'latin1'"],
    });
  });

  it('is decoded in pieces', () => {
    const line = 'ä漢🙂,1\r\n';
    const text = line.repeat(Math.ceil((3 * 2 ** 20) / line.length));
    expect(decoded(utf16(text, false), 'utf-16be').text === text).toBe(true);
  });

  it('of zero bytes is binary', () => {
    expect(decoded(Buffer.from([1, 0, 0, 0, 2, 0, 0, 0, 5, 6, 7, 8])).likely).toBe('binary');
  });
});

const PYTHON = pythonWith(['codecs'], 'python3');

describe.skipIf(PYTHON === undefined)('Python decodes the same', () => {
  const SCRIPT = `
import json, sys
out = []
for case in json.load(sys.stdin):
    try: out.append(bytes(case['bytes']).decode(case['encoding']))
    except UnicodeDecodeError: out.append(None)
json.dump(out, sys.stdout)
`;
  /** Our name, and Python's. */
  const ENCODINGS = [
    ...[['utf-8'], ['windows-1250', 'cp1250'], ['windows-1251', 'cp1251'], ['windows-1252', 'cp1252']],
    ...[['iso-8859-1'], ['iso-8859-2'], ['iso-8859-15'], ['koi8-r'], ['cp437'], ['cp850']],
  ].map(([ours = '', python = ours]) => ({ ours, python }));

  it.each(ENCODINGS)('$ours, to the last byte, and refuses the same', ({ ours, python }) => {
    const random = fc.sample(fc.uint8Array({ minLength: 1, maxLength: 20 }), { numRuns: 300, seed: 1 });
    const single = Array.from({ length: 255 }, (_, byte) => Uint8Array.of(0x61, byte + 1, 0x62));
    // Zero bytes and byte order marks are handled before any encoding.
    const cases = [...random, ...single].filter(
      (bytes) =>
        !bytes.includes(0) &&
        !(bytes[0] === 0xff && bytes[1] === 0xfe) &&
        !(bytes[0] === 0xfe && bytes[1] === 0xff),
    );
    const input = JSON.stringify(cases.map((bytes) => ({ bytes: [...bytes], encoding: python })));
    const expected = JSON.parse(
      execFileSync(PYTHON as string, ['-c', SCRIPT], { input, encoding: 'utf8' }),
    ) as (string | null)[];
    for (const [i, bytes] of cases.entries()) {
      const { text, invalid } = decoded(bytes, ours);
      const label = JSON.stringify([...bytes]);
      if (expected[i] === null) expect(invalid, label).toBeDefined();
      else expect({ text, invalid }, label).toEqual({ text: expected[i], invalid: undefined });
    }
  });

  it.each([
    ['shift_jis', 'cp932'],
    ['euc-kr', 'cp949'],
    ['gbk', 'gbk'],
    ['big5', 'big5hkscs'],
    ['gb18030', 'gb18030'],
  ])('%s, of text in it', (ours, python) => {
    const texts = ['a,b\n1,2\n', 'データ,表\n', '한국어,값\n', '数据,表格\n', '資料,表格\n'];
    const script = `
import json, sys
print(json.dumps([[list(t.encode('${python}')), t] for t in json.load(sys.stdin) if not any(True for c in t if not c.encode('${python}', 'ignore'))]))
`;
    const cases = JSON.parse(
      execFileSync(PYTHON as string, ['-c', script], { input: JSON.stringify(texts), encoding: 'utf8' }),
    ) as [number[], string][];
    expect(cases.length).toBeGreaterThan(1);
    for (const [bytes, text] of cases) expect(decoded(Buffer.from(bytes), ours)).toMatchObject({ text });
  });
});
