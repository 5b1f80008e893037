import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FLAGS = ['-O2', '-march=native', '-ffp-contract=fast'];
const run = promisify(execFile);

/**
 * GFLOP/s that one core of this machine reaches on fused multiply-adds in registers (peak.c); undefined where there is
 * no C compiler or no checkout.
 */
export async function measurePeak(): Promise<number | undefined> {
  const sources = ['./peak.c', '../../../scripts/bench/peak.c'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const source = sources.find((path) => existsSync(path));
  if (source === undefined) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'unisum-peak-'));
  try {
    const program = join(folder, 'peak');
    await run('cc', [...FLAGS, source, '-o', program]);
    return Number((await run(program, [])).stdout);
  } catch {
    // No compiler, or one that does not know this machine: a figure less.
    return undefined;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
