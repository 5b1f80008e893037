import { describe, expect, it } from 'vitest';
import { TargetWatch } from '../../scripts/bench/target-watch.js';
import { VirtualClock } from '../../shared/actor/virtual-clock.js';

function watching(metric: string, value: number) {
  const clock = new VirtualClock();
  const watch = new TargetWatch({ metric, value }, clock);
  const decided: number[] = [];
  watch.onDecided = () => decided.push(clock.nowMs());
  return { clock, watch, decided };
}

describe('the time to a target', () => {
  it('ends at the first evaluation that reaches it, and leaves evaluations out', () => {
    const { clock, watch, decided } = watching('accuracy', 0.9);
    for (const [step, accuracy] of [0.5, 0.9, 0.8, 0.95].entries()) {
      clock.advance(1000 + 200);
      watch.evaluated(10 * (step + 1), { loss: 1, accuracy }, 200);
    }
    expect(watch.result()).toEqual({ seconds: 2, steps: 20 });
    expect(decided).toEqual([2400]);
  });

  it('is that of a loss from above', () => {
    const { watch } = watching('loss', 0.1);
    watch.evaluated(1, { loss: 0.2 }, 0);
    expect(() => watch.result()).toThrow('loss is 0.2 when the recipe ends, and never was 0.1');
    watch.evaluated(2, { loss: 0.1 }, 0);
    expect(watch.result()).toMatchObject({ steps: 2 });
  });

  it('is not awaited for a metric that there is not', () => {
    const { watch, decided } = watching('testAccuracy', 0.9);
    watch.evaluated(1, { loss: 1, accuracy: 1 }, 0);
    expect(decided).toHaveLength(1);
    expect(() => watch.result()).toThrow(
      'has no metric "testAccuracy" of test data; name one of: loss, accuracy',
    );
  });
});
