import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { start } from '../support/process.js';
import { smallData, writeFiles } from '../support/process-data.js';
import { programHere, runHere } from '../support/program-here.js';

/* A run directory that somebody else has made: it must not choose what is run here, nor how much is read. */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-foreign-'));
const DATA = writeFiles(join(ROOT, 'data'), smallData());
const RUN = join(ROOT, 'honest');

/** The code that a foreign run names: it leaves a file. */
const CODE = 'foreign.mjs';
const TRACE = 'was-run';

beforeAll(async () => {
  const { status, stderr } = await runHere(
    'train',
    '--batch',
    64,
    '--steps',
    4,
    '--data',
    DATA,
    '--run-dir',
    RUN,
  );
  expect(status, stderr).toBe(0);
}, 60_000);

afterAll(() => rmSync(ROOT, { recursive: true }));

/** A copy of the run that names a file of code as its recipe, in config.json and in model.json. */
function foreign(): string {
  const folder = mkdtempSync(join(ROOT, 'place-'));
  cpSync(RUN, join(folder, 'r'), { recursive: true });
  writeFileSync(
    join(folder, CODE),
    `import { writeFileSync } from 'node:fs';\nwriteFileSync('${TRACE}', '');\nexport const recipe = {};\n`,
  );
  for (const file of ['config.json', 'model.json']) {
    const path = join(folder, 'r', file);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('"mnist-mlp"', `"./${CODE}"`));
  }
  return folder;
}

describe('a run directory that names code as its recipe', () => {
  it.each([
    ['eval', ['eval', 'r'], 'add --trust-recipe'],
    ['predict', ['predict', 'r'], 'add --trust-recipe'],
    ['a resume', ['train', '--resume', 'r'], `name it:  npm start -- ./${CODE} --resume r`],
  ])(
    'does not have it run by %s, which says what it wants and how to allow it',
    async (_what, words, allow) => {
      const folder = foreign();
      const { status, stderr } = await start(words, folder).ended;
      expect(status, stderr).not.toBe(0);
      expect(stderr.trimEnd().split('\n').at(-1)).toContain(
        `was trained with the recipe "./${CODE}", which is a file with code; if you trust it, ${allow}`,
      );
      expect(existsSync(join(folder, TRACE))).toBe(false);
    },
  );

  it('is exported without its code', async () => {
    const folder = foreign();
    const { status, stderr } = await programHere(folder, 'export', 'r', '--out', 'out');
    expect(status, stderr).toBe(0);
    expect(existsSync(join(folder, TRACE))).toBe(false);
  });

  it.each([
    ['eval', ['eval', 'r', '--trust-recipe']],
    ['predict', ['predict', 'r', '--trust-recipe']],
    ['a resume', ['train', `./${CODE}`, '--resume', 'r']],
  ])('has it run by %s when the user allows it', async (_what, words) => {
    const folder = foreign();
    await start(words, folder).ended;
    expect(existsSync(join(folder, TRACE))).toBe(true);
  });
});

describe('a run directory with a join line that its maker knows', () => {
  it.each([
    [
      'made on another machine',
      (access: string) =>
        access.replace(/"seal":"./, (begin) => `${begin.slice(0, -1)}${begin.endsWith('A') ? 'B' : 'A'}`),
      true,
    ],
    [
      'altered',
      (access: string) => access.replaceAll(/(token[^:]*:[^\w-]*)[\w-]{20}/gi, `$1${'A'.repeat(20)}`),
      true,
    ],
    ['as it was written here', (access: string) => access, false],
  ])('is resumed under that line only if it was made here: %s', async (_what, change, isNew) => {
    const folder = mkdtempSync(join(ROOT, 'place-'));
    cpSync(RUN, join(folder, 'r'), { recursive: true });
    const file = join(folder, 'r', 'access.json');
    const before = readFileSync(file, 'utf8');
    writeFileSync(file, change(before));
    expect(readFileSync(file, 'utf8') === before).toBe(!isNew);
    const { status, stderr } = await programHere(folder, 'train', '--resume', 'r', '--steps', 6);
    expect(status, stderr).toBe(0);
    const [, token = ''] = /worker 'ws:[^#]+#([\w-]+)'/.exec(stderr) ?? [];
    expect(token.length).toBeGreaterThan(20);
    expect(readFileSync(file, 'utf8')).toContain(token);
    expect(before.includes(token)).toBe(!isNew);
    expect(stderr.includes('was not made by you on this machine')).toBe(isNew);
  });
});

describe('a run directory with a file that is larger than its network needs', () => {
  /** Sparse: it takes no room on the disk. */
  const HUGE = 2 ** 31 - 2;

  it.each([
    ['weights, for eval', 'weights.safetensors', ['eval', 'r', '--data', DATA]],
    ['weights, for export', 'weights.safetensors', ['export', 'r', '--out', 'out']],
    ['weights, for verify', 'weights.safetensors', ['verify', 'r', '--data', DATA]],
    [
      'a checkpoint, for verify',
      'checkpoints/step-0000000000004.safetensors',
      ['verify', 'r', '--data', DATA],
    ],
    ['a checkpoint, for a resume', 'checkpoints/step-0000000000004.safetensors', ['train', '--resume', 'r']],
    [
      'weights that another run begins with',
      'weights.safetensors',
      ['train', '--data', DATA, '--weights', 'r'],
    ],
  ])('is not read: %s', async (_what, file, words) => {
    const folder = mkdtempSync(join(ROOT, 'place-'));
    cpSync(RUN, join(folder, 'r'), { recursive: true });
    truncateSync(join(folder, 'r', file), HUGE);
    const { stderr } = await start(words, folder).ended;
    expect(stderr).toMatch(new RegExp(`${file.split('/').at(-1)}[^\n]*${HUGE} bytes`));
  });
});
