import { describe, expect, it } from 'vitest';
import { diagnoseMachine } from '../../../scripts/doctor/diagnosis.js';
import type { MachineSurvey } from '../../../scripts/doctor/machine-survey.js';

/** A machine without faults. */
const GOOD: MachineSurvey = {
  ...{ version: '1.2.3', node: '22.0.0', platform: 'linux x64', processor: 'P', processors: 8, cores: 8 },
  ...{ load: 0.1, memoryBytes: 2 ** 34, freeBytes: 2 ** 33, nativeIsas: ['avx2'] },
  backends: [
    { backend: 'native', detail: 'avx2', isUsable: true },
    { backend: 'wasm', detail: 'relaxed-simd', isUsable: true },
    { backend: 'wasm-exact', detail: 'simd', isUsable: true },
  ],
  ...{ loopbackFault: undefined, outsideFault: undefined, addresses: ['10.0.0.2'] },
  ...{ openFilesMax: 4096, connections: 3968, nowMs: 2e12, installedMs: 1.9e12, clockStepMs: 0.001 },
  isWritable: true,
};

const foundIn = (changes: Partial<MachineSurvey>) =>
  diagnoseMachine({ ...GOOD, ...changes }).filter(({ state }) => state !== 'good');

describe('the diagnosis of a machine', () => {
  it('finds nothing wrong with a good one, and says what it uses', () => {
    expect(foundIn({})).toEqual([]);
    const texts = diagnoseMachine(GOOD).map(({ topic, text }) => `${topic}: ${text}`);
    expect(texts).toContain('kernels: native (avx2)');
    expect(texts).toContain(
      'ports: ports can be opened; others reach this machine at 10.0.0.2, unless a firewall forbids it',
    );
  });

  const [native, wasm, exact] = GOOD.backends as [
    (typeof GOOD.backends)[0],
    (typeof GOOD.backends)[0],
    (typeof GOOD.backends)[0],
  ];
  it.each<[string, Partial<MachineSurvey>, 'advice' | 'broken', string]>([
    ['a quota', { cores: 2 }, 'advice', 'cores'],
    ['other programs', { load: 8 }, 'advice', 'load'],
    ['little memory', { freeBytes: 2 ** 29 }, 'advice', 'memory'],
    [
      'no native kernels',
      { backends: [{ ...native, isUsable: false, detail: 'no cc' }, wasm, exact] },
      'advice',
      'kernels',
    ],
    ['no kernels', { backends: [{ ...native, isUsable: false }] }, 'broken', 'kernels'],
    ['wrong bits', { backends: [native, { ...wasm, wrongKernel: 'gemm' }, exact] }, 'broken', 'self-test'],
    ['no port', { loopbackFault: 'EACCES' }, 'broken', 'ports'],
    ['no port for others', { outsideFault: 'EACCES' }, 'advice', 'ports'],
    ['few files', { openFilesMax: 256, connections: 128 }, 'advice', 'open files'],
    ['a clock behind', { nowMs: 1e12 }, 'advice', 'clock'],
    ['a coarse clock', { clockStepMs: 15 }, 'advice', 'clock'],
    ['no folder', { isWritable: false }, 'broken', 'runs'],
  ])('finds %s', (_, changes, state, topic) => {
    expect(foundIn(changes)).toMatchObject([{ state, topic }]);
  });
});
