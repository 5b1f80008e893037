import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { play } from './script.js';

/*
 * Cases that people must be able to read: each script with what came of it, below the rule. After a change that is meant,
 * `npx vitest run test/simulation/scripts.test.ts -u` writes them anew; read the difference.
 */
const FOLDER = fileURLToPath(new URL('scripts/', import.meta.url));
const RULE = '\n----\n';

/** Title, file name. The title is the first line of a script. */
const SCRIPTS = readdirSync(FOLDER).map((file): [string, string] => {
  const [title = ''] = readFileSync(FOLDER + file, 'utf8').split('\n');
  return [title.replace(/^# /, ''), file];
});

describe('an interaction script', () => {
  it.each(SCRIPTS)('%s', async (_title, file) => {
    const [script = ''] = readFileSync(FOLDER + file, 'utf8').split(RULE);
    const { lines, finalHash, expectedHash } = await play(script);
    expect(finalHash).toBe(expectedHash);
    await expect(`${[script, lines.join('\n')].join(RULE)}\n`).toMatchFileSnapshot(FOLDER + file);
  });
});
