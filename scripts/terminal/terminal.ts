/**
 * Output of a command. Progress, tables and hints are for people and go to stderr. stdout carries only the result,
 * which another program may read.
 */
export interface Terminal {
  /** Writes one line for people. */
  say(line: string): void;
  /** Writes text to stdout: rows of a result, with their line ends. */
  print(text: string): void;
  /** Writes one JSON object as a line of its own: the result under `--json`. */
  result(value: object): void;
  /** Where progress is drawn. */
  readonly stderr: NodeJS.WriteStream;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  // A reader such as `| head` may close the pipe early. That is not an error.
  process.stdout.on('error', ignoreClosedPipe);
  process.stderr.on('error', ignoreClosedPipe);
  return {
    say: (line) => void process.stderr.write(`${line}\n`),
    print: (text) => void process.stdout.write(text),
    result: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
    stderr: process.stderr,
  };
}

function ignoreClosedPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
}

/** Resolves when everything written to `stream` so far has left the process. */
export function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
