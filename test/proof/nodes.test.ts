import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BACKENDS } from '../../shared/kernels/kernels.js';
import { nativeIsas } from '../../shared/kernels/native-kernels.js';
import { ARM64_ADDON, type OtherNode, otherNodes } from './nodes.js';

const folder = mkdtempSync(join(tmpdir(), 'unisum-nodes-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
  if (process.arch !== 'arm64') rmSync(ARM64_ADDON, { force: true });
});

const backends = BACKENDS.filter((backend) => backend !== 'native' || nativeIsas().length > 0);

interface Result {
  readonly weightsSha256: string;
  /** With the instruction set in parentheses. */
  readonly backend: string;
}

/** Three hundred steps of the default recipe with two workers. */
function train({ command, env }: Omit<OtherNode, 'name'>, backend: string): Result {
  const runDir = mkdtempSync(join(folder, 'run-'));
  const options = ['--steps', '300', '--workers', '2', '--backend', backend, '--json', '--run-dir', runDir];
  const [program, ...args] = [...command, 'dist/scripts/unisum.js', 'train', ...options];
  const { status, stdout, stderr } = spawnSync(program!, args, {
    encoding: 'utf8',
    timeout: 280_000,
    env: { ...process.env, ...env },
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

const expected = train({ command: [process.execPath], env: {} }, 'wasm-exact').weightsSha256;

describe(`three hundred steps give ${expected}`, () => {
  for (const node of otherNodes()) {
    const missing = 'missing' in node ? `: ${node.missing}` : '';
    it.skipIf(missing).each(backends)(`on ${node.name}, %s${missing}`, (backend) => {
      const result = train(node as OtherNode, backend);
      expect(result.weightsSha256).toBe(expected);
      // Without relaxed SIMD 'wasm' would fall back to 'wasm-exact'.
      expect(result.backend.split(' ')[0]).toBe(backend);
    });
  }
});
