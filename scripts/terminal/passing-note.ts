import { clearLine, cursorTo } from 'node:readline';

/**
 * Shows a note while something is done that may keep this thread busy for seconds, and takes it away again. Only people
 * see it: where output goes to a file or another program nothing is written.
 * @returns what the work comes to
 */
export async function whileSaying<T>(
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
