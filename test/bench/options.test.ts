import { describe, expect, it } from 'vitest';
import { WORKLOADS, type Workload } from '../../scripts/bench/workloads.js';
import { parseBenchOptions, sizes, someOf } from '../../scripts/commands/bench-options.js';
import { parseScalingOptions, type ScalingOptions } from '../../scripts/commands/scaling-options.js';

describe('options of all benchmarks', () => {
  it('leave backends to the machine and the peer out', () => {
    const silent = { backends: undefined, peer: undefined, windows: 15, json: false };
    expect(parseBenchOptions({ windows: '15' })).toEqual(silent);
  });

  it('take lists', () => {
    expect(
      parseBenchOptions({ windows: '3', backend: 'wasm, native,wasm', peer: 'pytorch', json: true }),
    ).toEqual({
      backends: ['wasm', 'native'],
      peer: 'pytorch',
      windows: 3,
      json: true,
    });
    expect(sizes('--batch', '32,128,32')).toEqual([32, 128]);
  });

  it.each([
    [() => parseBenchOptions({ windows: '0' }), '--windows takes a whole number from 1 to 1000'],
    [() => parseBenchOptions({ windows: '1', backend: 'gpu' }), '--backend takes native, wasm or wasm-exact'],
    [() => parseBenchOptions({ windows: '1', peer: 'keras' }), '--peer takes pytorch, not "keras"'],
    [() => sizes('--batch', '32,x'), '--batch takes a whole number'],
    [() => someOf('--workload', 'mlp10,mpl', ['mlp10', 'cnn']), '--workload takes mlp10 or cnn, not "mpl"'],
  ])('refuse what they do not know (%#)', (parse, message) => {
    expect(parse).toThrow(message);
  });
});

describe('options of scaling', () => {
  const [recipe] = WORKLOADS as readonly [Workload, ...Workload[]];
  const parse = (options: Partial<ScalingOptions>, peerWorkload: string | undefined = recipe.name) =>
    parseScalingOptions(
      { name: recipe.name, recipe, peerWorkload },
      { backend: 'auto', repeats: '3', ...options },
      6,
    );

  it('go up to the cores by doubling', () => {
    expect(parse({})).toMatchObject({
      batch: recipe.batch,
      units: { workers: [1, 2, 4, 6], threads: [1, 2, 4, 6], remote: [1, 2, 4, 6] },
      repeats: 3,
      peerWorkload: undefined,
      html: undefined,
      json: false,
    });
  });

  it('always have one unit to compare with', () => {
    expect(parse({ workers: '8,4', batch: '96' })).toMatchObject({
      batch: 96,
      units: { workers: [1, 4, 8] },
    });
  });

  it('ask a peer only for what it knows', () => {
    expect(parse({ peer: 'pytorch' }).peerWorkload).toBe(recipe.name);
    const other = { name: 'mine', recipe, peerWorkload: undefined };
    const options = { backend: 'auto', repeats: '1', peer: 'pytorch' };
    expect(() => parseScalingOptions(other, options, 2)).toThrow('--peer pytorch knows the workloads');
  });
});
