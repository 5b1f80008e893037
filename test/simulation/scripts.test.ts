import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { runScript } from './script.js';

/*
 * Readable cases: each file holds a script and, below the rule, its trace. After an intended change,
 * `npx vitest run test/simulation/scripts.test.ts -u` writes the traces anew; read the difference.
 */
const FOLDER = fileURLToPath(new URL('scripts/', import.meta.url));
const RULE = '\n----\n';

/** Title and file name. The title is the first line of a script. */
const SCRIPTS = readdirSync(FOLDER).map((file): [string, string] => {
  const [title = ''] = readFileSync(FOLDER + file, 'utf8').split('\n');
  return [title.replace(/^# /, ''), file];
});

describe('interaction script:', () => {
  it.each(SCRIPTS)('%s', async (_title, file) => {
    const [script = ''] = readFileSync(FOLDER + file, 'utf8').split(RULE);
    const { lines, finalHash, expectedHash } = await runScript(script);
    expect(finalHash).toBe(expectedHash);
    await expect(`${[script, lines.join('\n')].join(RULE)}\n`).toMatchFileSnapshot(FOLDER + file);
  });
});
