import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../shared/errors.js';

/** Last words of a program that are worth repeating, in characters. */
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
    // A program that cannot start or has ended shows in the answers that do not come.
    child.on('error', ({ message }) => {
      this.lastWords = message;
    });
    child.stdin?.on('error', () => {});
  }

  /**
   * Starts a comparison program.
   * @param program file name in scripts/peers
   * @throws UserError when there is no checkout
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
   * @throws UserError with the program's last words when it has failed
   */
  async ask<Answer>(request: object): Promise<Answer> {
    this.child.stdin?.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.lines.next();
    if (done !== true) return JSON.parse(value) as Answer;
    const why = this.lastWords.trim().split('\n').at(-1) || 'it has ended';
    throw new UserError(`the comparison program has failed: ${why}`);
  }

  /** Ends the program. */
  close(): void {
    this.child.stdin?.end();
    this.reader.close();
    this.child.kill();
  }
}

/** Comparison programs are not compiled, and not in the installed package: they lie in the checkout only. */
function peerPath(program: string): string {
  const folders = ['../peers/', '../../../scripts/peers/'];
  const paths = folders.map((folder) => fileURLToPath(new URL(`${folder}${program}`, import.meta.url)));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new UserError(`--peer needs scripts/peers/${program} of a checkout, which is not here`);
}
