import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks of /proc in a second; the same on all of Linux. */
const TICK_MS = 10;

/** Processor time of some processes until now, all threads and the system's part included. Those that have ended have none. */
export function processorMs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0) * TICK_MS;
}

/** A process and all that it has started, directly or through others. */
export function processTree(root: number): number[] {
  const tree = [root];
  for (const pid of tree) tree.push(...childrenOf(pid));
  return tree;
}

function ticksOf(pid: number): number {
  // What stands in parentheses is a name, which may have spaces.
  const fields =
    read(`/proc/${pid}/stat`)
      ?.replace(/^.*\) /s, '')
      .split(' ') ?? [];
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

/** Each thread has children of its own. */
function childrenOf(pid: number): number[] {
  const words = threadsOf(pid).flatMap(
    (thread) => read(`/proc/${pid}/task/${thread}/children`)?.match(/\d+/g) ?? [],
  );
  return words.map(Number);
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
