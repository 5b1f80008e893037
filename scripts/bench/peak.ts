import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { withCProgram } from './c-program.js';

const FLAGS = ['-O2', '-march=native', '-ffp-contract=fast'];
const run = promisify(execFile);

/**
 * GFLOP/s that one core of this machine reaches with fused multiply-adds in registers (peak.c); undefined without a C
 * compiler or a checkout.
 */
export function measurePeak(): Promise<number | undefined> {
  return withCProgram('peak.c', FLAGS, async (program) => Number((await run(program, [])).stdout));
}
