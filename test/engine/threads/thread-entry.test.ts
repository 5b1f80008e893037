import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { threadEntry } from '../../../shared/engine/threads/thread-entry.js';
import { UserError } from '../../../shared/errors.js';

describe('the file that compute threads start with', () => {
  let root: string;
  let compiled: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'unisum-'));
    compiled = join(root, 'dist', 'shared', 'engine', 'threads');
    mkdirSync(compiled, { recursive: true });
  });

  const from = (path: string): string => pathToFileURL(join(root, path)).href;

  it('is the compiled file, from a source file and from dist', () => {
    writeFileSync(join(compiled, 'thread.js'), '');
    expect(threadEntry(from('shared/engine/threads/thread-entry.ts'))).toBe(join(compiled, 'thread.js'));
    expect(threadEntry(from('dist/shared/engine/threads/thread-entry.js'))).toBe(join(compiled, 'thread.js'));
  });

  it('is reported in one line when it is missing', () => {
    const path = (): string => threadEntry(from('shared/engine/threads/thread-entry.ts'));
    expect(path).toThrow(UserError);
    expect(path).toThrow(/^the compiled compute thread is missing \(.*thread\.js\): run npm run build$/);
  });
});
