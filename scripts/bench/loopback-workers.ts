import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../shared/errors.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import { NO_SHAPE, SERIAL, type WorkerReport } from './scaling-points.js';

/** Worker processes on this machine that join a run at its loopback address. */
export class LoopbackWorkers {
  private readonly children: readonly ChildProcess[];
  /** Reports of all processes, once all have ended. Rejects when one fails. */
  readonly reports: Promise<readonly WorkerReport[]>;

  /** @param overlaps whether they exchange vectors while they compute */
  constructor(
    joinUrl: string,
    count: number,
    { backend, net, overlaps }: { backend: 'auto' | Backend; net?: string | undefined; overlaps: boolean },
  ) {
    const rest = ['1', backend, net ?? NO_SHAPE, ...(overlaps ? [] : [SERIAL])];
    const entry = fileURLToPath(new URL('./loopback-worker.js', import.meta.url));
    this.children = Array.from({ length: count }, (_, i) =>
      spawn(process.execPath, [entry, joinUrl, `remote ${i + 1}`, ...rest], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    this.reports = Promise.all(this.children.map(reportOf));
  }

  /** Kills processes that are still running. */
  kill(): void {
    for (const child of this.children) child.kill();
  }
}

async function reportOf(child: ChildProcess): Promise<WorkerReport> {
  const [output] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), once(child, 'exit')]);
  if (output === '') throw new UserError('a worker process of the benchmark ended without a report');
  const report = JSON.parse(output) as WorkerReport;
  if (report.exitReason === 'finished') return report;
  throw new UserError(`a worker process of the benchmark ended early: ${report.reason}`);
}
