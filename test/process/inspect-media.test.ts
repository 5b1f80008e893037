import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import type { TrainResult } from '../../trainer/result.js';
import { wavOf } from '../data/audio/wav-bytes.js';
import { installedFolder } from '../support/installed-folder.js';
import { pngBytes } from '../support/png.js';
import { start } from '../support/process.js';
import { writeFiles } from '../support/process-data.js';

async function run(folder: string, ...words: string[]): Promise<{ stdout: string; stderr: string }> {
  const { status, stdout, stderr } = await start(words, folder).ended;
  expect(status, stderr).toBe(0);
  return { stdout, stderr };
}

/** Images of several sizes: a bright half, left or right. */
function sides(folder: string): void {
  const random = new SeededRandom(8);
  for (const [label, name] of ['left', 'right'].entries()) {
    const files = Array.from({ length: 40 }, (_, i) => {
      const [width, height] = [12 + random.below(20), 12 + random.below(20)];
      const numbers = Array.from({ length: width * height }, (_, at) => {
        const isBright = Number((at % width) * 2 >= width) === label;
        return [0, 1, 2].map(() => (isBright ? 150 : 0) + random.below(100));
      }).flat();
      return [`${i}.png`, pngBytes({ width, height, kind: 2, bits: 8, numbers })] as const;
    });
    writeFiles(join(folder, 'pictures', name), Object.fromEntries(files));
  }
}

function tones(folder: string): void {
  for (const [name, pitch] of [
    ['low', 300],
    ['high', 1500],
  ] as const) {
    const random = new SeededRandom(pitch);
    const files = Array.from({ length: 30 }, (_, i) => {
      const [length, frequency] = [1500 + random.below(1500), pitch + random.below(150)];
      const sound = Float64Array.from({ length }, (_, at) => Math.sin((2 * Math.PI * frequency * at) / 8000));
      return [`${i}.wav`, wavOf(sound)] as const;
    });
    writeFiles(join(folder, 'sounds', name), Object.fromEntries(files));
  }
}

describe('inspect writes a recipe that trains', () => {
  it.each([
    ['images', 'pictures', sides, ['--epochs', '12'], 0.9],
    ['recordings', 'sounds', tones, ['--epochs', '15'], 0.9],
  ] as const)('for a folder of %s', async (_, name, make, options, accuracy) => {
    const folder = installedFolder({});
    make(folder);
    const { stderr } = await run(folder, 'inspect', name, '--recipe', './first.ts');
    expect(stderr).toMatch(/in 2 classes .*suggested options:.*a first recipe: \.\/first\.ts/s);
    const { stdout } = await run(folder, 'train', './first.ts', '--json', ...options);
    expect((JSON.parse(stdout) as TrainResult).metrics.testAccuracy).toBeGreaterThan(accuracy);
  });

  it('for a text', async () => {
    const folder = installedFolder({
      'song.txt': 'row, row, row your boat\ngently down the stream\n'.repeat(60),
    });
    await run(folder, 'inspect', 'song.txt', '--recipe', './first.ts');
    const { stdout } = await run(folder, 'train', './first.ts', '--json', '--steps', '60');
    expect((JSON.parse(stdout) as TrainResult).metrics.testAccuracy).toBeGreaterThan(0.4);
  });
});
