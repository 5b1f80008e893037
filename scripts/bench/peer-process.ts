import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../shared/errors.js';

/** Characters of a program's stderr that are kept for an error message. */
const STDERR_KEPT = 2000;

/**
 * One of the comparison programs in scripts/bench/peers. Each request for a window of work is a line of JSON, and so is
 * each answer. Between windows the program sleeps, so that both sides can take turns on one machine.
 */
export class PeerProcess {
  private readonly lines: AsyncIterator<string>;
  private readonly reader: Interface;
  private latestStderr = '';

  private constructor(private readonly child: ChildProcess) {
    this.reader = createInterface({ input: child.stdout as NodeJS.ReadableStream });
    this.lines = this.reader[Symbol.asyncIterator]();
    child.stderr?.on('data', (bytes: Buffer) => {
      this.latestStderr = (this.latestStderr + bytes.toString()).slice(-STDERR_KEPT);
    });
    // A program that cannot start, or has ended, gives no answer: ask() then throws.
    child.on('error', ({ message }) => {
      this.latestStderr = message;
    });
    child.stdin?.on('error', () => {});
  }

  /**
   * Starts a comparison program.
   * @param program file name in scripts/bench/peers
   * @throws UserError outside of a checkout
   */
  static start(
    python: string,
    program: string,
    args: readonly string[],
    environment: NodeJS.ProcessEnv,
  ): PeerProcess {
    return new PeerProcess(spawn(python, [peerPath(program), ...args], { env: environment }));
  }

  /**
   * Asks for one window of work.
   * @throws UserError with the last line of the program's stderr when it has failed
   */
  async ask<Answer>(request: object): Promise<Answer> {
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done !== true) return JSON.parse(value) as Answer;
    const why = this.latestStderr.trim().split('\n').at(-1) || 'it exited';
    throw new UserError(`the comparison program failed: ${why}`);
  }

  /** Ends the program. */
  close(): void {
    this.child.stdin?.end();
    this.reader.close();
    this.child.kill();
  }
}

/** Comparison programs are not compiled and not part of the installed package: only a checkout has them. */
function peerPath(program: string): string {
  const folders = ['./peers/', '../../../scripts/bench/peers/'];
  const paths = folders.map((folder) => fileURLToPath(new URL(`${folder}${program}`, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new UserError(`--peer needs a checkout of Unisum: scripts/bench/peers/${program} not found`);
}
