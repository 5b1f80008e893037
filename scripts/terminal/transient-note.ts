import { clearLine, cursorTo } from 'node:readline';

/**
 * Shows a note on a terminal during work that may block this thread for seconds, and removes it afterwards. Writes
 * nothing when the stream is a file or another program.
 * @returns the result of the work
 */
export async function showWhile<T>(
  note: string,
  stream: NodeJS.WriteStream,
  work: () => Promise<T>,
): Promise<T> {
  if (!stream.isTTY) return await work();
  stream.write(`${note} ...`);
  try {
    return await work();
  } finally {
    cursorTo(stream, 0);
    clearLine(stream, 0);
  }
}
