import { describe, expect, it } from 'vitest';
import { checkLoad } from '../../scripts/bench/machine-facts.js';
import { parseNetworkShape } from '../../scripts/bench/network-shape.js';
import { WORKLOADS, type Workload } from '../../scripts/bench/workloads.js';
import {
  parseBatches,
  parseBenchOptions,
  parseJoiningOptions,
  parseScalingOptions,
  type ScalingOptions,
} from '../../scripts/commands/bench-options.js';
import { someOf } from '../../trainer/options/option-values.js';

describe('options of all benchmarks', () => {
  it('default to the backends of the machine and no peer', () => {
    const defaults = { backends: undefined, peer: undefined, windows: 15, anyLoad: false, json: false };
    expect(parseBenchOptions({ windows: '15' })).toEqual(defaults);
  });

  it('take lists', () => {
    expect(
      parseBenchOptions({ windows: '3', backend: 'wasm, native,wasm', peer: 'pytorch', json: true }),
    ).toEqual({
      backends: ['wasm', 'native'],
      peer: 'pytorch',
      windows: 3,
      anyLoad: false,
      json: true,
    });
    expect(parseBatches('32,128,32')).toEqual([32, 128]);
  });

  it.each([
    [() => parseBenchOptions({ windows: '0' }), '--windows takes a whole number from 1 to 1000'],
    [() => parseBenchOptions({ windows: '1', backend: 'gpu' }), '--backend takes native, wasm or wasm-exact'],
    [() => parseBenchOptions({ windows: '1', peer: 'keras' }), '--peer takes pytorch, not "keras"'],
    [() => parseBatches('32,x'), '--batch takes a whole number'],
    [() => someOf('--workload', 'mlp10,mpl', ['mlp10', 'cnn']), '--workload takes mlp10 or cnn, not "mpl"'],
  ])('refuse unknown values (%#)', (parse, message) => {
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

  it('double up to the number of cores', () => {
    expect(parse({})).toMatchObject({
      batch: recipe.batch,
      units: { workers: [1, 2, 4, 6], threads: [1, 2, 4, 6], remote: [1, 2, 4, 6], joined: [1, 2, 4, 6] },
      target: undefined,
      repeats: 3,
      peerWorkload: undefined,
      html: undefined,
      json: false,
    });
  });

  it('always include one unit as the base', () => {
    expect(parse({ workers: '8,4', batch: '96' })).toMatchObject({
      batch: 96,
      units: { workers: [1, 4, 8] },
    });
  });

  it('name a metric and the value to reach', () => {
    expect(parse({ target: 'accuracy=0.97' }).target).toEqual({ metric: 'accuracy', value: 0.97 });
    for (const target of ['0.97', 'accuracy=', '=1', 'accuracy=high', 'a=1=2'])
      expect(() => parse({ target })).toThrow('--target takes METRIC=VALUE, such as accuracy=0.97');
  });

  it('allow a peer only for workloads that it has', () => {
    expect(parse({ peer: 'pytorch' }).peerWorkload).toBe(recipe.name);
    const other = { name: 'mine', recipe, peerWorkload: undefined };
    const options = { backend: 'auto', repeats: '1', peer: 'pytorch' };
    expect(() => parseScalingOptions(other, options, 2)).toThrow('--peer pytorch knows the workloads');
  });
});

describe('the shape of a network', () => {
  it.each([
    ['100mbit,10ms', { bytesPerSecond: 12.5e6, delayMs: 10 }],
    ['30ms, 20MBIT', { bytesPerSecond: 2.5e6, delayMs: 30 }],
    ['1.5gbit', { bytesPerSecond: 187.5e6, delayMs: 0 }],
    ['200us', { bytesPerSecond: Number.POSITIVE_INFINITY, delayMs: 0.2 }],
  ])('%s is read', (text, shape) => {
    expect(parseNetworkShape('--net', text)).toEqual(shape);
  });

  it.each(['', '100', '100mb,10ms', '10ms,10ms', '1mbit,2mbit', '-1mbit', '1mbit,10ms,1ms', '1kbit', '20s'])(
    '"%s" is refused with the right form',
    (text) => {
      expect(() => parseNetworkShape('--net', text)).toThrow(/^--net takes RATE,DELAY, such as 100mbit,10ms/);
    },
  );

  it('is checked before anything is measured', () => {
    const [recipe] = WORKLOADS as readonly [Workload];
    const options = { backend: 'auto', repeats: '1', net: 'fast' };
    expect(() => parseScalingOptions({ name: 'x', recipe, peerWorkload: undefined }, options, 2)).toThrow(
      '--net takes',
    );
    const joining = { ...options, seconds: '1', pause: '0' };
    expect(() => parseJoiningOptions({ name: 'x', recipe }, joining)).toThrow('--net takes');
    expect(() =>
      parseJoiningOptions({ name: 'x', recipe }, { ...joining, net: '1mbit', pause: '0.95' }),
    ).toThrow('--pause takes 0 to 0.9');
  });
});

describe('the load of a machine', () => {
  it('is warned of when results are noisy, and refused when they would say nothing', () => {
    expect(checkLoad({ load: 0.4 }, false)).toBeUndefined();
    expect(checkLoad({ load: 0.6 }, false)).toMatch(/^load average 0.6: other programs were running/);
    expect(() => checkLoad({ load: 2.5 }, false)).toThrow('--any-load');
    expect(checkLoad({ load: 2.5 }, true)).toMatch(/noisy/);
  });
});
