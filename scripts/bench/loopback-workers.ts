import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../shared/errors.js';
import type { Backend } from '../../shared/kernels/kernels.js';
import type { WorkerReport } from './worker-report.js';

/** Worker processes on this machine that join a run over its loopback address. */
export class LoopbackWorkers {
  private readonly children: readonly ChildProcess[];
  /** What they report, when all have ended. Rejects when one fails. */
  readonly reports: Promise<readonly WorkerReport[]>;

  constructor(joinUrl: string, count: number, threads: number, backend: 'auto' | Backend) {
    const entry = fileURLToPath(new URL('./loopback-worker.js', import.meta.url));
    this.children = Array.from({ length: count }, (_, i) =>
      spawn(process.execPath, [entry, joinUrl, `remote ${i + 1}`, String(threads), backend], {
        stdio: ['ignore', 'pipe', 'inherit'],
      }),
    );
    this.reports = Promise.all(this.children.map(reportOf));
  }

  /** Ends those that are still there. */
  kill(): void {
    for (const child of this.children) child.kill();
  }
}

async function reportOf(child: ChildProcess): Promise<WorkerReport> {
  const [output] = await Promise.all([text(child.stdout as NodeJS.ReadableStream), once(child, 'exit')]);
  if (output === '') throw new UserError('a worker process of the benchmark has ended without a word');
  const report = JSON.parse(output) as WorkerReport;
  if (report.ending === 'finished') return report;
  throw new UserError(`a worker process of the benchmark has ended: ${report.reason}`);
}
