/*
 * An exponential moving average of the weights (Polyak, Juditsky 1992; Izmailov et al. 2018 on why it helps): evaluations, the
 * best weights and the result use it, and training goes on with the weights themselves.
 *
 *     e = decay e + (1 - decay) w after every step, e = 0 at first      average = e / (1 - decay^t) after t steps
 */
import type { Optimizer } from './optimizer.js';

/** An optimizer whose last buffer is e. @param decay more than 0, less than 1; undefined: no average is kept */
export function withAverage(optimizer: Optimizer, decay: number | undefined): Optimizer {
  if (decay === undefined) return optimizer;
  const share = Math.fround(1 - decay);
  const { matrices } = optimizer;
  const [own, last] = [
    (all: readonly number[]) => all.slice(0, -1),
    (all: readonly number[]) => all.at(-1) ?? 0,
  ];
  return {
    ...optimizer,
    buffers: optimizer.buffers + 1,
    emit(to, call) {
      optimizer.emit(to, { ...call, buffers: own(call.buffers) });
      to.emit('moveAverage', { average: last(call.buffers), value: call.weights, n: call.n, share });
    },
    ...(matrices && {
      matrices: {
        scratchFloats: matrices.scratchFloats,
        emit(to, call) {
          matrices.emit(to, { ...call, buffers: own(call.buffers) });
          const n = call.rows * call.cols;
          to.emit('moveAverage', { average: last(call.buffers), value: call.weights, n, share });
        },
      },
    }),
  };
}

/** What e is multiplied by after t steps: 1 / (1 - decay^t), by multiplications, which are the same on every engine. */
export function averageFactor(decay: number, t: number): number {
  // The average moves by the share as it is rounded.
  const kept = 1 - Math.fround(1 - decay);
  let power = 1;
  for (let i = 0; i < t && power > Number.EPSILON; i++) power *= kept;
  return 1 / (1 - power);
}
