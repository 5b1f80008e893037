import { readFileSync, writeFileSync } from 'node:fs';
import { CHAIN_START, chained } from '../../coordinator/storage/metrics-chain.js';

/** A line of metrics.jsonl without its hash, to be altered. */
export type Line = Record<string, unknown> & { step: number };

/** The lines of a metrics.jsonl, without their hashes. */
export function readLines(path: string): Line[] {
  return readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((text) => {
      const { chain: _, ...line } = JSON.parse(text) as Line;
      return line as Line;
    });
}

/** Writes lines as a run would have written them: with hashes that fit. */
export function writeLines(path: string, lines: readonly Line[]): void {
  let previous = CHAIN_START;
  const texts = lines.map((record) => {
    const { line, hash } = chained(previous, record);
    previous = hash;
    return line;
  });
  writeFileSync(path, texts.join(''));
}

/** Alters the lines of a run's metrics.jsonl, and computes the hashes anew. */
export function editLines(path: string, edit: (lines: Line[]) => readonly Line[]): void {
  writeLines(path, edit(readLines(path)));
}
