import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The compiled program of this checkout. */
const PROGRAM = join(fileURLToPath(new URL('../../..', import.meta.url)), 'dist', 'scripts', 'unisum.js');

/** How a process ended. */
export interface ProgramEnd {
  /** Null when a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process of the compiled program. */
export class Program {
  readonly ended: Promise<ProgramEnd>;
  private readonly child: ChildProcess;
  private stdout = '';
  private stderr = '';
  private onText = (): void => {};

  /** @param prefix a command that becomes the program, such as `taskset -c 1` */
  constructor(args: readonly string[], cwd: string, prefix: readonly string[] = []) {
    const [command = '', ...words] = [...prefix, process.execPath, PROGRAM, ...args];
    this.child = spawn(command, words, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.onText();
    });
    this.ended = new Promise((resolve) => {
      this.child.on('close', (status) => resolve({ status, stdout: this.stdout, stderr: this.stderr }));
    });
  }

  /** The first match on stderr. @throws Error when the process ends without one */
  prints(pattern: RegExp): Promise<RegExpMatchArray> {
    return new Promise((resolve, reject) => {
      this.onText = () => {
        const match = this.stderr.match(pattern);
        if (match !== null) resolve(match);
      };
      this.onText();
      this.ended.then(({ stderr }) => reject(new Error(`it ended without ${pattern}:\n${stderr}`)));
    });
  }

  /** Its process id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.child.pid;
  }

  kill(): void {
    this.child.kill('SIGKILL');
  }
}
