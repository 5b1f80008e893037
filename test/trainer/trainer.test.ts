import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Observer } from '../../coordinator/state/observer.js';
import { systemClock } from '../../shared/actor/clock.js';
import { Device } from '../../shared/engine/device.js';
import { weightsSha256 } from '../../shared/files/tensors.js';
import type { RunRequest } from '../../trainer/run-plan.js';
import { Trainer } from '../../trainer/trainer.js';
import { smallRequest } from './small-recipe.js';

afterEach(() => vi.restoreAllMocks());

const SILENT: Observer = { stepped() {}, evaluated() {}, inspected() {}, reported() {}, notice() {} };

/** Trains to the end. @returns how the run ended, its weights hash, and the settings that changed */
async function train(changes: Partial<RunRequest>, observer = SILENT) {
  const trainer = await Trainer.prepare(smallRequest(changes), observer, systemClock);
  try {
    trainer.start();
    const end = await trainer.coordinator.ended;
    return { ...end, hash: weightsSha256(trainer.parameters()), changes: trainer.changedSettings };
  } finally {
    await trainer.close('the test is over');
  }
}

describe('a trainer', () => {
  it('ends with the same weights for any number of workers and threads', async () => {
    const alone = await train({});
    expect(alone).toMatchObject({ reason: 'finished', steps: 6, restored: undefined, changes: [] });
    for (const changes of [{ workers: 3 }, { threads: 2 }, { workers: 2, threads: 2 }])
      expect((await train(changes)).hash).toBe(alone.hash);
  });

  it('ends with the moving average of its weights', async () => {
    const decay = 0.5;
    const weightsAfter = async (steps: number, ema?: number): Promise<number[]> => {
      const { optimizer } = smallRequest();
      const settings = { ...optimizer, ...(ema !== undefined && { ema }) };
      const trainer = await Trainer.prepare(
        smallRequest({ steps, optimizer: settings }),
        SILENT,
        systemClock,
      );
      trainer.start();
      await trainer.ended();
      const values = trainer.parameters().flatMap((parameter) => [...parameter.values]);
      await trainer.close('the test is over');
      return values;
    };
    const each = [await weightsAfter(1), await weightsAfter(2), await weightsAfter(3)];
    // Weights of 1/7, 2/7 and 4/7: those of the latest step count most.
    const expected =
      each[0]?.map((_, i) => each.reduce((sum, w, t) => sum + (w[i] ?? 0) * 2 ** t, 0) / 7) ?? [];
    const average = await weightsAfter(3, decay);
    expect(average).toHaveLength(expected.length);
    average.forEach((value, i) => {
      expect(value).toBeCloseTo(expected[i] as number, 6);
    });
    expect(average).not.toEqual(each[2]);
  });

  it('starts from given weights', async () => {
    const first = await Trainer.prepare(smallRequest({ seed: 5 }), SILENT, systemClock);
    const parameters = first.parameters().map(({ values, ...rest }) => ({ ...rest, values: values.slice() }));
    await first.close('the test is over');
    const same = await train({ parameters });
    // Both shuffle with the seed 1 and start with the weights of the seed 5.
    expect(same.hash).not.toBe((await train({})).hash);
    expect((await train({ parameters, workers: 2 })).hash).toBe(same.hash);
  });

  it('takes what fits of the weights of a similar network, and says what does not', async () => {
    const [bias, kernel] = [Float32Array.of(7), Float32Array.of(1, 2)];
    const parameters = [
      { name: 'dense/bias', shape: [1], values: bias },
      { name: 'dense/kernel', shape: [2, 1], values: kernel },
      { name: 'head/kernel', shape: [2, 1], values: kernel },
    ];
    const trainer = await Trainer.prepare(smallRequest({ parameters }), SILENT, systemClock);
    const now = Object.fromEntries(trainer.parameters().map(({ name, values }) => [name, [...values]]));
    expect(now['dense/bias']).toEqual([7]);
    expect(trainer.weightsReport).toBe(
      '1 of 2 parameters are taken; drawn from the seed: dense/kernel (of another shape); left out: head/kernel',
    );
    await trainer.close('the test is over');
    const drawn = await Trainer.prepare(smallRequest(), SILENT, systemClock);
    expect(drawn.weightsReport).toBeUndefined();
    expect(now['dense/kernel']).toEqual([...drawn.parameters()[1]!.values]);
    await drawn.close('the test is over');
  });

  it('stops its threads when it is closed, and when it cannot be built', async () => {
    const stop = vi.spyOn(Device.prototype, 'stop');
    await train({ workers: 2 });
    expect(stop).toHaveBeenCalledTimes(1);
    const parameters = [{ name: 'other', shape: [1], values: Float32Array.of(1) }];
    await expect(Trainer.prepare(smallRequest({ parameters }), SILENT, systemClock)).rejects.toThrow(
      'the weights are of another network',
    );
    expect(stop).toHaveBeenCalledTimes(2);
  });

  it('starts no thread for a request that is wrong', async () => {
    const start = vi.spyOn(Device, 'start');
    await expect(
      Trainer.prepare(
        smallRequest({ schedule: { name: 'cosine', warmup: -1, floor: 0 } }),
        SILENT,
        systemClock,
      ),
    ).rejects.toThrow('warmup');
    expect(start).not.toHaveBeenCalled();
  });
});
