import { describe, expect, it } from 'vitest';
import { availableBackends } from '../../scripts/bench/backends.js';
import { BareCommandBuffers } from '../../scripts/bench/bare-command-buffers.js';
import { coordinatedSteps } from '../../scripts/bench/coordinated-steps.js';
import { benchExactness } from '../../scripts/bench/exactness-bench.js';
import { benchSteps, checkHashes } from '../../scripts/bench/step-bench.js';
import { StepRig } from '../../scripts/bench/step-rig.js';
import { WORKLOADS, type Workload } from '../../scripts/bench/workloads.js';
import { systemClock } from '../../shared/actor/clock.js';
import { checkFields } from '../../shared/compiler/data-fields.js';
import { createPlan } from '../../shared/compiler/plan.js';
import { Graph } from '../../shared/graph/graph.js';
import { dense } from '../../shared/graph/layers/dense.js';
import { meanSquaredError } from '../../shared/graph/losses/mean-squared-error.js';

const SHORT = { count: 1, ms: 1 };
const MLP10 = WORKLOADS.find(({ name }) => name === 'mlp10') as Workload;

describe('workloads', () => {
  it.each(WORKLOADS)('$name has data that fits its model and is always the same', async (workload) => {
    const data = await workload.data(undefined);
    const { train } = data;
    checkFields(createPlan(workload.model(data)).fields, train.manifest.fields);
    const again = await workload.data(undefined);
    expect(again.train.manifest).toEqual(train.manifest);
  });
});

describe('the benchmark of steps', () => {
  it('times every backend and finds equal weights', async () => {
    const backends = (await availableBackends()).filter((backend) => backend !== 'native');
    const stepCase = { workload: MLP10, batch: 48, backends, peer: undefined, windows: SHORT };
    const results = await benchSteps(stepCase, systemClock);
    expect(results.map(({ backend }) => backend)).toEqual(backends);
    for (const result of results) {
      expect(result).toMatchObject({ workload: 'mlp10', batch: 48, leafSize: 16, workers: 1 });
      expect(result.usPerStep).toBeGreaterThan(0);
      expect(result.weightsSha256).toBe(results[0]?.weightsSha256);
      expect(result.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
      expect(result).not.toHaveProperty('ratio');
    }
  });

  it('fails when backends end with different weights', async () => {
    let units = 10;
    const drifting: Workload = {
      ...MLP10,
      model() {
        const graph = new Graph();
        const hidden = dense(units++)(graph.input('image', [784]));
        return graph.model(dense(784)(hidden), meanSquaredError({ target: 'image' }));
      },
    };
    const backends = ['wasm', 'wasm'] as const;
    const stepCase = { workload: drifting, batch: 32, backends, peer: undefined, windows: SHORT };
    await expect(benchSteps(stepCase, systemClock)).rejects.toThrow('mlp10, batch 32: the weights differ');
  });

  it('compares any number of hashes', () => {
    checkHashes('nothing', []);
    checkHashes('two', [
      ['a', 'same'],
      ['b', 'same'],
    ]);
    const ends = [['a', 'same'] as const, ['b', 'same'] as const, ['c', 'other'] as const];
    expect(() => checkHashes('three', ends)).toThrow('three: the weights differ: a same, c other');
  });
});

describe('a rig', () => {
  it('runs steps across epochs with any number of steps per execution', async () => {
    const { train } = await MLP10.data(undefined);
    const request = {
      recipe: MLP10,
      data: { train },
      batch: 5000,
      leafSize: 512,
      threads: 1,
      backend: 'wasm',
    } as const;
    const hashes: string[] = [];
    for (const executions of [[5], [1, 4], [3, 2]]) {
      const rig = await StepRig.open(request, systemClock);
      try {
        for (const steps of executions) await rig.advance(steps);
        hashes.push(rig.weightsSha256());
      } finally {
        await rig.close();
      }
    }
    expect(new Set(hashes).size).toBe(1);
  });

  it('can be timed without synchronisation, and a run through a coordinator', async () => {
    const data = await MLP10.data(undefined);
    const request = { recipe: MLP10, data, batch: 64, leafSize: 16, threads: 2, backend: 'wasm' } as const;
    const rig = await StepRig.open(request, systemClock);
    try {
      expect(new BareCommandBuffers(rig, systemClock).window(2)).toBeGreaterThan(0);
      expect(await rig.window(2)).toBeGreaterThan(0);
    } finally {
      await rig.close();
    }
    const bounds = { windowMs: 1, usPerStep: 1000 };
    const epochs = await coordinatedSteps(MLP10, data, 1024, 'wasm', bounds, systemClock);
    expect(epochs).toHaveLength(1);
    expect(epochs[0]).toBeGreaterThan(0);
  });

  it('has a price for the canonical order', async () => {
    const result = await benchExactness(MLP10, 32, 'wasm', SHORT, systemClock);
    expect(result).toMatchObject({ workload: 'mlp10', batch: 32, leafSize: 16, backend: 'wasm' });
    expect(result.price).toBeGreaterThan(-1);
  });
});
