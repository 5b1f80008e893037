import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { UserError } from '../../shared/errors.js';

/** Where a Python with PyTorch may be: the first on the path, and that of Debian's packages. */
const PYTHONS = ['python3', '/usr/bin/python3'];
const MISSING =
  '--peer pytorch needs Python with PyTorch: on Debian apt install python3-torch libopenblas0, or leave --peer out';
/** Last words of a program that are worth repeating. */
const STDERR_KEPT = 2000;

/**
 * One of the comparison programs in scripts/peers. It is asked for one window of work at a time, by a line of JSON, and
 * answers with a line of JSON; between the windows it sleeps, so that both sides can take turns on one machine.
 */
export class PeerProcess {
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;
  private lastWords = '';

  private constructor(private readonly child: ChildProcess) {
    this.reader = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    this.lines = this.reader[Symbol.asyncIterator]();
    child.stderr?.on('data', (bytes: Buffer) => {
      this.lastWords = (this.lastWords + bytes.toString()).slice(-STDERR_KEPT);
    });
    // A program that has ended shows in the answers that do not come.
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
  }

  /**
   * Starts a comparison program on one compute thread a process.
   * @param program file name in scripts/peers
   * @throws UserError when there is no Python with PyTorch, or no checkout
   */
  static async start(program: string, args: readonly string[] = []): Promise<PeerProcess> {
    const python = await findPython();
    return new PeerProcess(spawn(python, [peerPath(program), ...args], { env: peerEnvironment() }));
  }

  /**
   * Asks for one window of work.
   * @throws UserError with the program's last words when it has failed
   */
  async ask<Answer>(request: object): Promise<Answer> {
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done === true) {
      throw new UserError(`the comparison program has failed: ${this.lastWords.trim().split('\n').at(-1)}`);
    }
    return JSON.parse(value as string) as Answer;
  }

  /** Lets the program end: its input does. */
  close(): void {
    this.child.stdin?.end();
    this.reader.close();
    this.child.kill();
  }
}

async function findPython(): Promise<string> {
  for (const python of PYTHONS) {
    try {
      await promisify(execFile)(python, ['-c', 'import torch'], { env: peerEnvironment() });
      return python;
    } catch {
      // Not this one.
    }
  }
  throw new UserError(MISSING);
}

/** Comparison programs are not compiled, and not in the installed package: they lie in the checkout only. */
function peerPath(program: string): string {
  const folders = ['../peers/', '../../../scripts/peers/'];
  const paths = folders.map((folder) => fileURLToPath(new URL(`${folder}${program}`, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new UserError(`--peer needs scripts/peers/${program} of a checkout, which is not here`);
}

/** One thread, and OpenBLAS free to take its best kernel. */
function peerEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('OPENBLAS_'));
  return { ...Object.fromEntries(kept), OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' };
}
