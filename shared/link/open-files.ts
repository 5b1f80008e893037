import { readFileSync } from 'node:fs';

/** Files that a process needs besides its connections: those of a run, of the program, and of the system's event loop. */
const OWN_FILES = 128;

/** Most connections of a process that may open so many files. @param most if the files are enough */
export function connectionsFor(filesMax: number | undefined, most: number): number {
  return filesMax === undefined ? most : Math.max(1, Math.min(most, filesMax - OWN_FILES));
}

/** How many files this process may open at a time; undefined where the system does not say (only Linux does). */
export function openFilesMax(): number | undefined {
  try {
    const [, max] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return max === undefined ? undefined : Number(max);
  } catch {
    return undefined;
  }
}
