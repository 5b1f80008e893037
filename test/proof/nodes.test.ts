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

/** Steps of the default recipe with two workers; fewer under emulation, which takes a hundred times as long. */
const STEPS = 300;
const STEPS_EMULATED = 30;

function train({ command, env }: Omit<OtherNode, 'name'>, backend: string, steps: number): Result {
  const runDir = mkdtempSync(join(folder, 'run-'));
  const options = [
    '--steps',
    String(steps),
    '--workers',
    '2',
    '--backend',
    backend,
    '--json',
    '--run-dir',
    runDir,
  ];
  const [program, ...args] = [...command, 'dist/scripts/unisum.js', 'train', ...options];
  const { status, stdout, stderr } = spawnSync(program!, args, {
    encoding: 'utf8',
    timeout: 280_000,
    env: { ...process.env, ...env },
  });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout.trim().split('\n').at(-1)!);
}

const expectedAfter = (steps: number): string =>
  train({ command: [process.execPath], env: {} }, 'wasm-exact', steps).weightsSha256;
const expected = new Map([STEPS, STEPS_EMULATED].map((steps) => [steps, expectedAfter(steps)]));

describe(`${STEPS} steps give ${expected.get(STEPS)}`, () => {
  for (const node of otherNodes()) {
    const missing = 'missing' in node ? `: ${node.missing}` : '';
    it.skipIf(missing).each(backends)(`on ${node.name}, %s${missing}`, (backend) => {
      const steps = node.name.includes('emulated') ? STEPS_EMULATED : STEPS;
      const result = train(node as OtherNode, backend, steps);
      expect(result.weightsSha256).toBe(expected.get(steps));
      // Without relaxed SIMD 'wasm' would fall back to 'wasm-exact'.
      expect(result.backend.split(' ')[0]).toBe(backend);
    });
  }
});
