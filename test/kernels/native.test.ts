import { mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { buildNative } from '../../scripts/build-native.mjs';
import { UserError } from '../../shared/errors.js';
import { loadKernels } from '../../shared/kernels/load.js';
import { STATIC_BYTES, THREAD_BYTES } from '../../shared/kernels/memory-map.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMPILE_MS = 240_000;

/** Another checkout that shares the sources but has its own output folder. */
function otherCheckout(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unisum-native-'));
  for (const part of ['shared', 'node_modules', 'package.json'])
    symlinkSync(join(ROOT, part), join(folder, part));
  return folder;
}

afterEach(() => vi.unstubAllEnvs());

describe('buildNative', () => {
  it(
    'builds an addon that loads, and builds it only once',
    async () => {
      const built = await buildNative(ROOT, 'all');
      if ('reason' in built) {
        // Without a compiler on this machine the reason must be one line, and no native build is offered.
        expect(built.reason).toMatch(/^\S.*$/);
        expect(nativeIsas()).toEqual([]);
        return;
      }
      expect(nativeIsas()).toContain('plain');
      const before = statSync(built.file).mtimeMs;
      expect(await buildNative(ROOT, 'all')).toEqual(built);
      // The addon with all instruction sets is enough for a run.
      expect(await buildNative()).toEqual(built);
      expect(statSync(built.file).mtimeMs).toBe(before);
    },
    COMPILE_MS,
  );

  it('writes the reason to a file where there is no compiler', async () => {
    vi.stubEnv('CC', 'no-such-compiler');
    const root = otherCheckout();
    try {
      const reason = 'there is no C compiler (no-such-compiler)';
      expect(await buildNative(root)).toEqual({ reason });
      expect(readFileSync(join(root, 'native', 'build', 'reason.txt'), 'utf8')).toBe(`${reason}\n`);
      expect(await buildNative(root)).toEqual({ reason });
    } finally {
      rmSync(root, { recursive: true });
    }
  });

  it('returns a reason where the compiler fails', async () => {
    vi.stubEnv('CC', 'false');
    const root = otherCheckout();
    try {
      expect(await buildNative(root)).toEqual({ reason: expect.stringMatching(/^false failed/) });
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});

describe('native kernels', () => {
  it('are the choice of auto, or are refused with a UserError', async () => {
    const memory = new WebAssembly.Memory({ initial: 64, maximum: 65536, shared: true });
    const options = { memory, stackTop: STATIC_BYTES + THREAD_BYTES };
    const auto = await loadKernels({ ...options, backend: 'auto' });
    if (nativeIsas().length > 0) {
      expect([auto.backend, auto.detail]).toEqual(['native', nativeIsas()[0]]);
    } else {
      expect(auto.backend).toBe('wasm');
      await expect(loadKernels({ ...options, backend: 'native' })).rejects.toThrow(UserError);
    }
  });
});
