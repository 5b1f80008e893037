import { crc32, deflateSync } from 'node:zlib';

/** The content of a PNG, number by number. */
export interface PngPlan {
  readonly width: number;
  readonly height: number;
  /** The format's colour type: 0 grey, 2 colour, 3 palette, 4 grey and alpha, 6 colour and alpha. */
  readonly kind: 0 | 2 | 3 | 4 | 6;
  readonly bits: 1 | 2 | 4 | 8 | 16;
  /** Row by row; the numbers of a pixel are next to each other. */
  readonly numbers: readonly number[];
  readonly palette?: readonly (readonly [number, number, number])[];
  /** In seven passes (Adam7). */
  readonly isInterlaced?: boolean;
  /** Further chunks, before the pixels. */
  readonly chunks?: readonly PngChunk[];
}

/** A chunk; `isDamaged`: with a wrong checksum. */
export interface PngChunk {
  readonly name: string;
  readonly data: readonly number[];
  readonly isDamaged?: boolean;
}

/** All colour types with all numbers of bits that they may have. */
export const PNG_KINDS: readonly [PngPlan['kind'], PngPlan['bits']][] = [
  ...([1, 2, 4, 8, 16] as const).map((bits) => [0, bits] as [0, typeof bits]),
  ...([8, 16] as const).flatMap((bits) =>
    ([2, 4, 6] as const).map((kind) => [kind, bits] as [2 | 4 | 6, 8 | 16]),
  ),
  ...([1, 2, 4, 8] as const).map((bits) => [3, bits] as [3, typeof bits]),
];

const NUMBERS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
/** First column and row, and steps, of each pass. */
const PASSES = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const;

/** Writes a PNG whose rows use the format's five filters in turn. */
export function pngBytes(plan: PngPlan): Uint8Array {
  const { width, height, kind, bits, numbers, palette, isInterlaced, chunks = [] } = plan;
  const step = NUMBERS[kind];
  const passes = isInterlaced ? PASSES : ([[0, 0, 1, 1]] as const);
  const filtered: number[] = [];
  for (const [left, top, right, down] of passes) {
    let before: number[] = [];
    let filter = 0;
    for (let y = top; y < height && left < width; y += down) {
      const row: number[] = [];
      for (let x = left; x < width; x += right)
        row.push(...numbers.slice((y * width + x) * step, (y * width + x + 1) * step));
      const bytes = packBits(row, bits);
      const far = Math.max(1, (step * bits) / 8);
      filtered.push(filter, ...filterRow(bytes, before, far, filter));
      before = bytes;
      filter = (filter + 1) % 5;
    }
  }
  const header = [...big(width), ...big(height), bits, kind, 0, 0, isInterlaced ? 1 : 0];
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...chunk('IHDR', header),
    ...(palette === undefined ? [] : chunk('PLTE', palette.flat())),
    ...chunks.flatMap(({ name, data, isDamaged }) => chunk(name, data, isDamaged)),
    ...chunk('IDAT', [...deflateSync(Uint8Array.from(filtered))]),
    ...chunk('IEND', []),
  ]);
}

function packBits(row: readonly number[], bits: number): number[] {
  if (bits === 16) return row.flatMap((number) => [number >> 8, number & 255]);
  const bytes = new Array<number>(Math.ceil((row.length * bits) / 8)).fill(0);
  row.forEach((number, i) => {
    bytes[(i * bits) >> 3]! |= number << (8 - bits - ((i * bits) & 7));
  });
  return bytes;
}

function filterRow(row: readonly number[], before: readonly number[], far: number, filter: number): number[] {
  return row.map((byte, i) => {
    const a = row[i - far] ?? 0;
    const b = before[i] ?? 0;
    const c = i >= far ? (before[i - far] ?? 0) : 0;
    const nearest = [a, b, c].sort((p, q) => Math.abs(a + b - c - p) - Math.abs(a + b - c - q))[0]!;
    return (byte - [0, a, b, (a + b) >> 1, nearest][filter]!) & 255;
  });
}

/** A chunk as it stands in a file. */
export function chunk(name: string, data: readonly number[], isDamaged = false): number[] {
  const body = [...Buffer.from(name), ...data];
  return [...big(data.length), ...body, ...big(crc32(Uint8Array.from(body)) ^ (isDamaged ? 1 : 0))];
}

function big(number: number): number[] {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255);
}
