/**
 * Measures tabs of browsers as members of runs, beside Node's worker with the same kernels: `npm run measure:tab`. No driver is
 * connected to a browser while it is measured. Coordinators are pinned to the first core, members to the second.
 * `--only cnn,frozen` takes the trials of these names, `--browser Firefox` another browser; `--hidden-seconds 30` hides a tab
 * for less than ten minutes. Prints what it finds, and JSON on stdout. For an otherwise idle machine with Linux.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { TRIALS } from './tab/trials.js';
import { BROWSER_NAMES, type BrowserName } from './tab/undriven-browser.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(TRIALS).join() },
    browser: { type: 'string', default: BROWSER_NAMES.join() },
    pairs: { type: 'string', default: '5' },
    'window-seconds': { type: 'string', default: '4' },
    'hidden-seconds': { type: 'string', default: '600' },
  },
});

const say = (line: string): void => void process.stderr.write(`${line}\n`);
/** Three digits are more than the noise leaves. */
const brief = (_: string, value: unknown): unknown =>
  typeof value === 'number' ? Number(value.toPrecision(3)) : value;

// What this process starts is there too, unless it is told otherwise.
if (spawnSync('taskset', ['-acp', '0', String(process.pid)]).status !== 0)
  throw new Error('taskset pins processes to cores; it is missing here');
const folder = await mkdtemp(join(tmpdir(), 'unisum-tab-runs-'));
const found: object[] = [];
try {
  for (const browser of values.browser.split(',') as BrowserName[]) {
    for (const name of values.only.split(',')) {
      const trial = TRIALS[name];
      if (trial === undefined)
        throw new Error(`--only takes ${Object.keys(TRIALS).join(', ')}; not "${name}"`);
      const load = loadavg()[0];
      const plan = {
        ...{ browser, folder, pairs: Number(values.pairs) },
        windowMs: Number(values['window-seconds']) * 1000,
        hiddenMs: Number(values['hidden-seconds']) * 1000,
      };
      const result = await trial(plan);
      found.push({ browser, trial: name, load, ...result });
      say(`${browser}, ${name} (load ${load?.toFixed(1)}):`);
      for (const [key, value] of Object.entries(result))
        say(`  ${key.padEnd(22)} ${JSON.stringify(value, brief)}`);
    }
  }
} finally {
  await rm(folder, { recursive: true, maxRetries: 5 });
}
process.stdout.write(`${JSON.stringify({ plan: values, found })}\n`);
