/*
 * An exponential moving average of the weights (Polyak, Juditsky 1992; Izmailov et al. 2018 on why it helps): evaluations, the
 * best weights and the result use it, and training goes on with the weights themselves.
 *
 *     e = decay e + (1 - decay) w after every step, e = 0 at first      average = e / (1 - decay^t) after t steps
 *
 * With local updates, w are the weights after the outer step, and the decay of a round of H optimizer steps is decay^H, so that the
 * average reaches back as many optimizer steps.
 */
import type { CommandBuffer } from '../kernels/command-buffer.js';
import type { Optimizer } from './optimizer.js';

/** An optimizer whose last buffer is e. @param decay more than 0, less than 1; undefined: no average is kept */
export function withAverage(optimizer: Optimizer, decay: number | undefined): Optimizer {
  if (decay === undefined) return optimizer;
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
      emitAverage(to, decay, { average: last(call.buffers), value: call.weights, n: call.n });
    },
    ...(matrices && {
      matrices: {
        scratchFloats: matrices.scratchFloats,
        emit(to, call) {
          matrices.emit(to, { ...call, buffers: own(call.buffers) });
          const n = call.rows * call.cols;
          emitAverage(to, decay, { average: last(call.buffers), value: call.weights, n });
        },
      },
    }),
  };
}

/** Emits: e after the next step, for n weights. Offsets are bytes. */
export function emitAverage(
  to: Pick<CommandBuffer, 'emit'>,
  decay: number,
  { average, value, n }: { readonly average: number; readonly value: number; readonly n: number },
): void {
  to.emit('moveAverage', { average, value, n, share: Math.fround(1 - decay) });
}

/** The decay of so many steps at once: decay^steps, by multiplications, which are the same on every engine. */
export function decayOfSteps(decay: number, steps: number): number {
  let power = 1;
  for (let i = 0; i < steps; i++) power *= decay;
  return power;
}

/** What e is multiplied by after t steps: 1 / (1 - decay^t), by multiplications, which are the same on every engine. */
export function averageFactor(decay: number, t: number): number {
  // The average moves by the share as it is rounded.
  const kept = 1 - Math.fround(1 - decay);
  let power = 1;
  for (let i = 0; i < t && power > Number.EPSILON; i++) power *= kept;
  return 1 / (1 - power);
}
