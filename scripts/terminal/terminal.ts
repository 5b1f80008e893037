/**
 * What a command may print. Progress, tables and hints are for people and go to stderr; stdout carries nothing but
 * the result that another program may read.
 */
export interface Terminal {
  /** Writes one line for people. */
  say(line: string): void;
  /** Writes one JSON object as a line of its own: the result under `--json`. */
  result(value: object): void;
  /** Where progress is drawn. */
  readonly stderr: NodeJS.WriteStream;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  // A reader that has seen enough (`| head`) closes the pipe: no reason to fail.
  process.stdout.on('error', ignoreClosedPipe);
  process.stderr.on('error', ignoreClosedPipe);
  return {
    say: (line) => void process.stderr.write(`${line}\n`),
    result: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
    stderr: process.stderr,
  };
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** Resolves once everything written to `stream` so far has left the process. */
export function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
