import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';

/** The compiled program: what an installed `unisum` runs. */
export const PROGRAM = join(fileURLToPath(new URL('../..', import.meta.url)), 'dist', 'scripts', 'unisum.js');
/** Longest life of a process of a test, in milliseconds, whatever goes wrong. */
const LIFE_MS_MAX = 60_000;

/** How a process ended. */
export interface Ended {
  /** Exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where a process runs, and its limits. */
interface Limits {
  /** Network namespace; default: that of the test. */
  readonly namespace?: string | undefined;
  /** Longest life, in milliseconds. */
  readonly lifeMsMax?: number;
  /** The program; default: the compiled one of this checkout. */
  readonly program?: string;
  /** Words before the arguments, in place of Node and the program. */
  readonly command?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Largest file that it may write. */
  readonly fileBytesMax?: number;
  /** How many files it may open. */
  readonly openFilesMax?: number;
}

interface Waiter {
  readonly pattern: RegExp;
  readonly resolve: (match: RegExpMatchArray) => void;
  readonly reject: (error: Error) => void;
}

/** A process of the program. A test does not wait for a time, but for lines on stderr and for the end of the process. */
export class Program {
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcessWithoutNullStreams;
  private stdout = '';
  private stderr = '';
  private waiters: Waiter[] = [];

  constructor(
    args: readonly (string | number)[],
    cwd: string,
    { namespace, fileBytesMax, openFilesMax, lifeMsMax, env, ...limits }: Limits = {},
  ) {
    const { program: file = PROGRAM, command = [process.execPath, file] } = limits;
    const inside = namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace];
    const program = [...inside, ...command, ...args.map(String)];
    // Simulates a full disk: writes beyond this limit (in blocks of 512 bytes) fail, without a signal.
    const shellLimits = [
      ...(fileBytesMax === undefined ? [] : [`trap '' XFSZ; ulimit -f ${fileBytesMax / 512};`]),
      ...(openFilesMax === undefined ? [] : [`ulimit -n ${openFilesMax};`]),
    ].join(' ');
    const [first, ...rest] =
      shellLimits === '' ? program : ['sh', '-c', `${shellLimits} exec "$@"`, 'sh', ...program];
    this.child = spawn(first as string, rest, {
      cwd,
      timeout: lifeMsMax ?? LIFE_MS_MAX,
      killSignal: 'SIGKILL',
      env: { ...process.env, ...env },
    });
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.waiters = this.waiters.filter((waiter) => !this.resolveIfPrinted(waiter));
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (status, signal) => {
        for (const { pattern, reject } of this.waiters) {
          reject(new Error(`the process ended (${status ?? signal}) without ${pattern}:\n${this.stderr}`));
        }
        resolve({ status, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Resolves with the first match on stderr, also in what was printed before. Rejects when the process ends first. */
  prints(pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      const waiter = { pattern, resolve, reject };
      if (!this.resolveIfPrinted(waiter)) this.waiters.push(waiter);
    });
  }

  /** The join URL that a coordinator prints. */
  async joinUrl(): Promise<string> {
    const [, url] = await this.prints(/worker '(wss?:[^']+)'/);
    return url as string;
  }

  /** The process id. */
  get pid(): number {
    return this.child.pid as number;
  }

  /** Types a line, and ends the input where there is none. */
  types(line?: string): void {
    if (line === undefined) this.child.stdin.end();
    else this.child.stdin.write(`${line}\n`);
  }

  /** Sends a signal: SIGINT is Ctrl-C, SIGSTOP freezes the process, SIGCONT lets it go on. */
  signal(name: NodeJS.Signals): void {
    this.child.kill(name);
  }

  private resolveIfPrinted({ pattern, resolve }: Waiter): boolean {
    const match = this.stderr.match(pattern);
    if (match !== null) resolve(match);
    return match !== null;
  }
}

const alive: Program[] = [];
const folders: string[] = [];

afterEach(async () => {
  for (const program of alive) program.signal('SIGKILL');
  await Promise.all(alive.splice(0).map(({ ended }) => ended));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** A new empty folder, removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unisum-'));
  folders.push(folder);
  return folder;
}

/** Starts `unisum ARGS` in a new folder, or in `cwd`. The process is killed after the test. */
export function start(
  args: readonly (string | number)[],
  cwd = temporaryFolder(),
  limits: Limits = {},
): Program {
  const program = new Program(args, cwd, limits);
  alive.push(program);
  return program;
}

/** Runs `unisum ARGS` to its end. */
export function run(...args: (string | number)[]): Promise<Ended> {
  return start(args).ended;
}
