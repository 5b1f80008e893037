/*
 * Every kind of PNG and JPEG, against Pillow.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../../shared/actor/seeded-random.js';
import { readImage } from '../../../shared/data/images/read-image.js';
import { type Fit, resize, type Size } from '../../../shared/data/images/resize.js';
import { type PngPlan, pngBytes } from '../../support/png.js';
import { temporaryFolder } from '../../support/process.js';
import { pythonWith } from '../../support/python.js';

const PYTHON = pythonWith(['PIL', 'numpy'], 'python3-pil python3-numpy');
const SCRIPT = join(import.meta.dirname, 'pillow-images.py');

/** Hundreds of images, on a machine that is busy. */
const TIMEOUT_MS = 300_000;

function pillow(command: 'write' | 'read' | 'resize', folder: string, input = ''): void {
  execFileSync(PYTHON as string, ['-W', 'ignore', SCRIPT, command, folder], { input });
}

/** The largest difference of a byte, in colour and in grey. */
async function furthest(folder: string, file: string): Promise<number> {
  const bytes = readFileSync(join(folder, file));
  let furthest = 0;
  for (const [channels, ending] of [
    [3, 'rgb'],
    [1, 'grey'],
  ] as const) {
    const { pixels } = await readImage(bytes, file, channels);
    const wanted = readFileSync(join(folder, `${file}.${ending}`));
    expect(pixels.length, file).toBe(wanted.length);
    for (let i = 0; i < pixels.length; i++)
      furthest = Math.max(furthest, Math.abs((pixels[i] as number) - (wanted[i] as number)));
  }
  return furthest;
}

describe.skipIf(PYTHON === undefined)('Pillow reads the same pixels', { timeout: TIMEOUT_MS }, () => {
  it('of JPEG, to the last bit', async () => {
    const folder = temporaryFolder();
    pillow('write', folder);
    pillow('read', folder);
    const files = readdirSync(folder).filter((name) => name.endsWith('.jpg'));
    expect(files.length).toBeGreaterThan(700);
    for (const file of files) expect(await furthest(folder, file), file).toBe(0);
  });

  it('of PNG, to the last bit', async () => {
    const folder = temporaryFolder();
    for (const [name, plan] of pngPlans()) writeFileSync(join(folder, `${name}.png`), pngBytes(plan));
    pillow('read', folder);
    const files = readdirSync(folder).filter((name) => name.endsWith('.png'));
    expect(files.length).toBeGreaterThan(200);
    for (const file of files) expect(await furthest(folder, file), file).toBe(0);
  });

  it('of an image that is brought to another size', async () => {
    const folder = temporaryFolder();
    const random = new SeededRandom(1);
    const tasks = Array.from({ length: 150 }, (_, i) => {
      const [width, height] = [1 + random.below(90), 1 + random.below(90)];
      const numbers = Array.from({ length: width * height * 3 }, () => random.below(256));
      writeFileSync(join(folder, `${i}.png`), pngBytes({ width, height, kind: 2, bits: 8, numbers }));
      const size: Size = [1 + random.below(60), 1 + random.below(60)];
      const fit = (['cover', 'contain', 'stretch'] as const satisfies readonly Fit[])[i % 3] as Fit;
      return { file: `${i}.png`, size, fit };
    });
    pillow('resize', folder, tasks.map((task) => JSON.stringify(task)).join('\n'));
    for (const [i, { file, size, fit }] of tasks.entries()) {
      const image = await readImage(readFileSync(join(folder, file)), file, 3);
      const { pixels } = resize(image, 3, size, fit);
      const wanted = readFileSync(join(folder, `${i}.resized`));
      expect(pixels.length).toBe(wanted.length);
      const far = pixels.map((byte, at) => Math.abs(byte - (wanted[at] as number)));
      // Pillow holds the borders of what it cuts out in single precision: a byte may be rounded the other way.
      expect(Math.max(...far), `${file} ${fit} ${size}`).toBeLessThanOrEqual(fit === 'cover' ? 1 : 0);
    }
  });
});

/** Each kind, interlaced and not, in sizes that leave passes of an interlaced image empty and bytes half filled. */
function* pngPlans(): Generator<[string, PngPlan]> {
  const random = new SeededRandom(7);
  const sizes = [
    [1, 1],
    [2, 5],
    [4, 3],
    [9, 1],
    [8, 8],
    [13, 21],
  ] as const;
  const kinds = [
    ...([1, 2, 4, 8, 16] as const).map((bits) => [0, bits] as const),
    ...([1, 2, 4, 8] as const).map((bits) => [3, bits] as const),
    ...([2, 4, 6] as const).flatMap((kind) => ([8, 16] as const).map((bits) => [kind, bits] as const)),
  ];
  for (const [kind, bits] of kinds)
    for (const [width, height] of sizes)
      for (const isInterlaced of [false, true])
        for (const hasTransparency of kind === 4 || kind === 6 ? [false] : [false, true]) {
          const count = width * height * { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }[kind];
          const numbers = Array.from({ length: count }, () => random.below(2 ** bits));
          const palette = Array.from(
            { length: 2 ** bits },
            () => [random.below(256), random.below(256), random.below(256)] as const,
          );
          const transparency = {
            0: [0, 1],
            2: [0, numbers[0], 0, numbers[1], 0, numbers[2]],
            3: [0, 128, 255].slice(0, 2 ** bits),
          }[kind as 0 | 2 | 3] as number[];
          const plan: PngPlan = {
            ...{ width, height, kind, bits, numbers, isInterlaced },
            ...(kind === 3 && { palette }),
            ...(hasTransparency && { chunks: [{ name: 'tRNS', data: transparency }] }),
          };
          const words = [isInterlaced && 'interlaced', hasTransparency && 'transparent'].filter(Boolean);
          yield [[kind, bits, `${width}x${height}`, ...words].join('-'), plan];
        }
}
