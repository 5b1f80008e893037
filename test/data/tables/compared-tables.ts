/*
 * Tables to compare with other readers: some whose structure is in question, and many of random shape.
 */
import iconv from 'iconv-lite';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { MISSING_VALUES } from '../../../shared/data/tables/missing-values.js';
import type { CellFormat } from '../../../shared/data/tables/preprocessing.js';

/** A file, and how both sides are told to read it. */
export interface TableCase {
  readonly name: string;
  readonly bytes: Buffer;
  readonly delimiter: string;
  /** Our name of the encoding, where it is not declared by the file itself; Python's. */
  readonly encoding?: string;
  readonly codec: string;
  readonly decimal: '.' | ',';
  readonly thousands?: NonNullable<CellFormat['thousands']>;
  readonly isPercent: boolean;
  /** Whether headings begin with n (number), t (text) or y (the numeric target). */
  readonly hasFeatures: boolean;
}

const USUAL = { delimiter: ',', codec: 'utf-8', decimal: '.', isPercent: false, hasFeatures: false } as const;

/** Files whose structure is in question. */
const WRITTEN: readonly TableCase[] = (
  [
    ['line ends of all kinds', 'a,b\r\n1,2\n3,4\r5,6'],
    ['line ends of all kinds within quotes', 'a,b\r"x\r\ny","z\rw"\n"1\n2",3\r\n'],
    ['a byte order mark', '\ufeffa,b\n1,2\n', { codec: 'utf-8-sig' }],
    ['a byte order mark before a quote', '\ufeff"a,1",b\n1,2\n', { codec: 'utf-8-sig' }],
    ['quotes doubled, tripled and alone', 'a,b\n"""",""""""\n"x""","""x"\n"a""b","""a"""\n'],
    ['empty quotes', 'a,b,c\n"",x,""\n"","",y\n'],
    ['quotes within a value', 'a,b\n6" pipe,5\'4"\nx"y"z,w""\n'],
    ['delimiters and blanks within quotes', 'a,b\n"1, 2","x ; y"\n'],
    ['blanks before and behind quotes', 'a,b\n 1 , "x, y" \n2,\t"z"\n'.replace('\t', ' ')],
    ['blank lines', '\n\r\na,b\n\n1,2\n\r\n\r3,4\n\n'],
    ['rows of delimiters', 'a,b,c\n,,\n1,,3\n,,,,\n,2,\n'],
    ['commas behind all rows and the header', 'a,b,\n1,2,\n3,4,\n'],
    ['commas behind some rows', 'a,b\n1,2,,\n3,4\n5,6,\n'],
    ['commas behind the header alone', 'a,b,,\n1,2\n3,4\n'],
    ['rows that are too short', 'a,b,c\n1,2,3\n4,5\n6\n7,8,9\n'],
    ['rows that are too long', 'a,b\n1,2\n3,4,5\n6,7,,8\n9,10\n'],
    ['ragged rows below values of several lines', 'a,b\n"x\ny\r\nz",1\n2\r\n"u\n",3\n4,5,6\n'],
    ['no line end at the end', 'a,b\n1,2'],
    ['a quoted line end at the end', 'a,b\n1,"x\n"'],
    ['an empty last cell without a line end', 'a,b\n1,2\n3,'],
    ['a heading of several lines', '"a\nb",c\n1,2\n'],
    ['letters of many bytes', 'größe,β\n漢,🙂\ne\u0301,\u200d\n'],
    ['no-break spaces within values', 'a,b\n1\u00a0000,x\u00a0y\n'],
    ['a vertical bar', 'a|b\n1,5|"x|y"\n', { delimiter: '|' }],
    ['two characters between cells', 'a~b\n1~2\n', { delimiter: '~' }],
    ['zero-width characters', 'a,b\nx\u200by,x\ufeffy\n'],
  ] as [string, string, Partial<TableCase>?][]
).map(([name, text, more]) => ({ ...USUAL, ...more, name, bytes: Buffer.from(text) }));

const ENCODINGS: readonly (Pick<TableCase, 'encoding' | 'codec'> & {
  readonly write: string;
  readonly mark: boolean;
  readonly letters: string;
})[] = [
  { codec: 'utf-8', write: 'utf-8', mark: false, letters: 'éß漢🙂' },
  { codec: 'utf-8-sig', write: 'utf-8', mark: true, letters: 'éß漢🙂' },
  { codec: 'utf-16', write: 'utf-16le', mark: true, letters: 'éß漢' },
  { codec: 'utf-16', write: 'utf-16be', mark: true, letters: 'éß漢' },
  { codec: 'utf-32', write: 'utf-32le', mark: true, letters: 'éß漢' },
  { codec: 'utf-16-le', encoding: 'utf-16le', write: 'utf-16le', mark: false, letters: 'éß' },
  { codec: 'cp1252', encoding: 'windows-1252', write: 'windows-1252', mark: false, letters: 'éß™' },
  { codec: 'iso8859-1', encoding: 'latin1', write: 'latin1', mark: false, letters: 'éß' },
  { codec: 'cp1251', encoding: 'windows-1251', write: 'windows-1251', mark: false, letters: 'жщЯ' },
  { codec: 'cp932', encoding: 'shift_jis', write: 'shift_jis', mark: false, letters: '表ソデ' },
  { codec: 'gb18030', encoding: 'gb18030', write: 'gb18030', mark: false, letters: '数据表' },
  { codec: 'cp437', encoding: 'cp437', write: 'cp437', mark: false, letters: 'éÇñ' },
];
const DELIMITERS = [',', ';', '\t', '|'];
const THOUSANDS = { '.': [undefined, ',', "'", ' ', '_'], ',': [undefined, '.', "'", ' ', '_'] } as const;
const ENDS = [['\n'], ['\r\n'], ['\r'], ['\n', '\r\n', '\r']];
const TABLES = 96;

/** All tables, the same ones every time. */
export function comparedTables(): readonly TableCase[] {
  return [...WRITTEN, ...generated()];
}

/** Tables of random shape: each combines an encoding, a delimiter, a number format, line ends and quoting. */
function generated(): TableCase[] {
  const random = new SeededRandom(16);
  const pick = <T>(values: readonly T[]): T => values[random.below(values.length)] as T;
  return Array.from({ length: TABLES }, (_, index) => {
    const encoding = ENCODINGS[index % ENCODINGS.length] as (typeof ENCODINGS)[number];
    const delimiter = pick(DELIMITERS);
    const decimal = pick(['.', ','] as const);
    const thousands = pick(THOUSANDS[decimal]);
    const isPercent = random.chance(0.15);
    const ends = pick(ENDS);
    const texts = textsFor(encoding.letters, delimiter, random);
    const isQuoted = random.chance(0.2);
    const padding = random.chance(0.2) ? ' ' : '';
    const trailing = random.chance(0.2) ? delimiter : '';
    const cell = (text: string): string => {
      const needs = /["\r\n]/.test(text) || text.includes(delimiter);
      const written = needs || isQuoted ? `"${text.replaceAll('"', '""')}"` : text;
      return `${padding}${written}${padding}`;
    };
    const headings = [
      ...Array.from({ length: 1 + random.below(4) }, (_, i) => `n${i}`),
      ...Array.from({ length: random.below(3) }, (_, i) => `t${i}, "${pick(texts)}"`),
      'y',
    ];
    const rows = Array.from({ length: 6 + random.below(20) }, (_, row) =>
      headings.map((heading) => {
        const isMissing = heading !== 'y' && row > 1 && random.chance(0.15);
        if (isMissing) return pick(['', ...MISSING_VALUES.filter((value) => /^[ -~]+$/.test(value))]);
        if (heading.startsWith('t')) return pick(texts);
        return dressed(numberText(random), { decimal, thousands, isPercent }, random);
      }),
    );
    const lines = [headings, ...rows].flatMap((row) => {
      const line = `${row.map(cell).join(delimiter)}${trailing}${pick(ends)}`;
      return random.chance(0.1) ? [line, pick(ends) === '\r\n' ? '\r\n' : '\n'] : [line];
    });
    // A line feed behind a carriage return would be one line end.
    const text = lines.join('').replace(/\r\n(?=\n)/g, '\r\n');
    const bytes = iconv.encode(text, encoding.write, { addBOM: encoding.mark });
    const name = [encoding.codec, JSON.stringify(delimiter), `${decimal}${thousands ?? ''}`, index].join(' ');
    const { encoding: declared, codec } = encoding;
    return {
      ...{ name, bytes, delimiter, codec, decimal, isPercent, hasFeatures: true },
      ...(declared !== undefined && { encoding: declared }),
      ...(thousands !== undefined && { thousands }),
    };
  });
}

/** A few values of a category, none of which is a number or stands for a missing value. */
function textsFor(letters: string, delimiter: string, random: SeededRandom): string[] {
  const parts = [...letters, 'a', 'Z', ' b', '"', '""', delimiter, '\n', '\r\n', "'", ',', ';', '#', '\\'];
  return Array.from({ length: 2 + random.below(4) }, (_, i) => {
    const inner = Array.from({ length: random.below(5) }, () => parts[random.below(parts.length)]);
    return `x${i}${inner.join('')}x`;
  });
}

/** A number with a point, as programs and people write it. All fit into a float32. */
function numberText(random: SeededRandom): string {
  const view = new DataView(new ArrayBuffer(8));
  switch (random.below(9)) {
    case 0: {
      // Any double that is not too large for a float32, also a subnormal one.
      view.setUint32(0, random.next());
      view.setUint32(4, random.next());
      const number = view.getFloat64(0);
      return Math.abs(number) < 3e38 ? String(number) : String(random.next() / 7);
    }
    case 1: {
      // Half-way between two floats, or a little beside it.
      view.setUint32(0, (random.next() & 0x1fffffff) + 0x20000000);
      const low = view.getFloat32(0);
      view.setUint32(0, view.getUint32(0) + 1);
      return ((low + view.getFloat32(0)) / 2).toPrecision(15 + random.below(6));
    }
    case 2: // Half-way between two doubles, in full.
      return `${2n ** 53n + BigInt(random.below(1000)) * 2n + 1n}${random.chance(0.5) ? '.000000000001' : ''}`;
    case 3: // More digits than a double has.
      return `${random.below(1000)}.${Array.from({ length: 30 }, () => random.below(10)).join('')}`;
    case 4:
      return `${random.chance(0.5) ? '-' : '+'}${random.next()}e-${random.below(60)}`;
    case 5:
      return `${random.below(10)}e${random.below(38)}`;
    case 6:
      return ['0', '-0', '0.0', '.5', '5.', '-.25', '007', '+1', '1E3', '1e-400', '5e-324', '1.5E+3'][
        random.below(12)
      ] as string;
    case 7:
      return (random.next() / 1000).toFixed(random.below(4));
    default:
      return String(random.next() - 2 ** 31);
  }
}

/** Writes a number in another format. */
function dressed(
  text: string,
  { decimal, thousands, isPercent }: { decimal: string; thousands: string | undefined; isPercent: boolean },
  random: SeededRandom,
): string {
  const [, sign = '', whole = '', rest = ''] = /^([+-]?)(\d*)(.*)$/.exec(text) ?? [];
  const grouped =
    thousands !== undefined && random.chance(0.7) ? whole.replace(/\B(?=(\d{3})+$)/g, thousands) : whole;
  const percent = isPercent ? (random.chance(0.5) ? '%' : ' %') : '';
  return `${sign}${grouped}${rest.replace('.', decimal)}${percent}`;
}
