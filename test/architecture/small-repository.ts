import type { Source } from './source.js';

/** Sample sources to try a rule on: text by path. */
export function smallRepository(files: Record<string, string>): Source[] {
  return Object.entries(files).map(([path, text]) => ({ path, text }));
}
