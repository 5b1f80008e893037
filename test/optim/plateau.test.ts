import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../shared/actor/seeded-random.js';
import {
  earlyStopping,
  initialStopping,
  isOutOfPatience,
  updateStopping,
} from '../../shared/optim/early-stopping.js';
import {
  initialPlateau,
  type ReduceOnPlateau,
  reduceOnPlateau,
  updatePlateau,
} from '../../shared/optim/plateau.js';

const BASE = 0.01;

/** The rate after each evaluation; the state is stored as JSON in between. */
function rates(settings: ReduceOnPlateau, losses: readonly number[]): number[] {
  let state = initialPlateau();
  return losses.map((loss) => {
    state = JSON.parse(JSON.stringify(updatePlateau(settings, BASE, state, loss))) as typeof state;
    return BASE * state.multiple;
  });
}

/** ReduceLROnPlateau.on_epoch_end of Keras 3, with mode "min". */
function ratesOfKeras(settings: ReduceOnPlateau, losses: readonly number[]): number[] {
  let [lr, best, wait, cooldownCounter] = [BASE, Number.POSITIVE_INFINITY, 0, 0];
  return losses.map((current) => {
    if (cooldownCounter > 0) {
      cooldownCounter -= 1;
      wait = 0;
    }
    if (current < best - settings.minDelta) {
      best = current;
      wait = 0;
    } else if (cooldownCounter <= 0) {
      wait += 1;
      if (wait >= settings.patience && lr > settings.minLr) {
        lr = Math.max(lr * settings.factor, settings.minLr);
        cooldownCounter = settings.cooldown;
        wait = 0;
      }
    }
    return lr;
  });
}

/** Losses that fall, stall and rise. */
function someLosses(random: SeededRandom): number[] {
  let loss = 2;
  return Array.from({ length: 60 }, () => {
    loss += (random.below(1000) - 560) / 4000;
    return loss;
  });
}

describe('reduceOnPlateau', () => {
  it('gives the rates of Keras for random losses', () => {
    const random = new SeededRandom(5);
    for (let repetition = 0; repetition < 300; repetition++) {
      const settings = reduceOnPlateau({
        // Powers of two: products are exact in any order.
        factor: [0.5, 0.25][random.below(2)] as number,
        patience: 1 + random.below(4),
        cooldown: random.below(4),
        minDelta: random.below(3) / 50,
        minLr: [0, 0.01 / 16, 0.01 / 3][random.below(3)] as number,
      });
      const losses = someLosses(random);
      rates(settings, losses).forEach((rate, i) => {
        expect(rate, JSON.stringify(settings)).toBeCloseTo(ratesOfKeras(settings, losses)[i] as number, 15);
      });
    }
  });

  it('reduces the rate after `patience` evaluations, waits for the cooldown, and stops at minLr', () => {
    const settings = reduceOnPlateau({ factor: 0.5, patience: 2, cooldown: 2, minLr: 0.004 });
    const losses = [1, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6];
    const expected = [0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.004, 0.004];
    rates(settings, losses).forEach((rate, i) => {
      expect(rate).toBeCloseTo(expected[i] as number, 15);
    });
  });
});

describe('early stopping', () => {
  it.each([
    [earlyStopping({ patience: 2 }), [3, 2, 2.5, 1, 1, 1, 9], 6],
    [earlyStopping({ patience: 1 }), [3, 2, 1, 1], 4],
    [earlyStopping({ patience: 2, minDelta: 0.5 }), [3, 2.6, 2.4, 2, 1.9, 1], 5],
    [earlyStopping({ patience: 3 }), [3, 2, 2.5, 2.5, 1, 2, 2], undefined],
  ])('%j ends %j after evaluation %s', (settings, losses, expected) => {
    let state = initialStopping();
    const ended = losses.findIndex((loss) => {
      state = JSON.parse(JSON.stringify(updateStopping(settings, state, loss))) as typeof state;
      return isOutOfPatience(settings, state);
    });
    expect(ended < 0 ? undefined : ended + 1).toBe(expected);
  });
});
