/** The recurrent kernels in plain TypeScript and double precision; the loops over time are in recurrent-walk.ts. */
import { type Call, type Expected, indices } from './expected.js';
import {
  backward,
  clearPadding,
  exact,
  expectedOf,
  forward,
  opened,
  plus,
  type Sized,
  sigmoid,
  times,
  ZERO,
} from './recurrent-walk.js';

type Reference = (call: Call) => Record<string, Expected>;

export const RECURRENT_REFERENCE = {
  lstmForward: (call) => {
    const layer = opened(call, 4);
    const [z, cells] = [layer.tensor('z', 4), layer.tensor('cells', 1)];
    const state = layer.rows.map((r) => layer.first('startCell', r));
    const { y, previous } = forward(layer, (r, t, u, recurrent) => {
      const sums = indices(4).map((gate) => z.at(r, t, gate * layer.n + u) + recurrent(gate));
      const gates = sums.map((x, gate) => (gate === 2 ? Math.tanh(x) : sigmoid(x)));
      const [i, f, g, o] = gates as [number, number, number, number];
      const c = f * state[r]![u]! + i * g;
      state[r]![u] = c;
      gates.forEach((x, gate) => void z.set(r, t, gate * layer.n + u, exact(x), 1));
      cells.set(r, t, u, exact(c), 1);
      return o * Math.tanh(c);
    });
    for (const r of layer.rows) {
      for (const u of layer.units) {
        layer.times.forEach((t, done) => {
          const before =
            done === 0 ? layer.first('startCell', r)[u]! : cells.at(r, layer.times[done - 1]!, u);
          if (layer.isPadding(r, t)) cells.set(r, t, u, exact(before), 1);
        });
        if (layer.cellPlace !== undefined) y.set(r, layer.cellPlace, u, exact(state[r]![u]!), 1);
      }
    }
    return expectedOf({ z, cells, y, previous });
  },

  lstmBackward: (call) => {
    const layer = opened(call, 4);
    const [z, cells] = [layer.tensor('z', 4), layer.tensor('cells', 1)];
    const step = (r: number, done: number, u: number, dh: Sized, carry: Sized) => {
      const t = layer.times[done]!;
      const [i, f, g, o] = indices(4).map((gate) => z.at(r, t, gate * layer.n + u)) as [
        number,
        number,
        number,
        number,
      ];
      // Multiplying by 0 does not undo an earlier overflow.
      const e: Sized = [Math.tanh(cells.at(r, t, u)), 1];
      const c = done === 0 ? layer.first('startCell', r)[u]! : cells.at(r, layer.times[done - 1]!, u);
      const before: Sized = [c, Math.max(Math.abs(c), 1)];
      // A derivative near 0 is the difference of two numbers near 1.
      const dc = plus(times(dh, o, [1 - e[0] * e[0], 1]), carry);
      const errors = [
        times(dc, g, i * (1 - i)),
        times(dc, before, f * (1 - f)),
        times(dc, i, 1 - g * g),
        times(dh, e, o * (1 - o)),
      ];
      errors.forEach((x, gate) => void z.set(r, t, gate * layer.n + u, x));
      return { errors, carry: times(dc, f) };
    };
    const { dStart, carry: dStartCell } = backward(layer, step, 4);
    clearPadding(layer, z, 4);
    return expectedOf({ z, dStart, dStartCell });
  },

  gruForward: (call) => {
    const layer = opened(call, 3);
    const [z, sums, bias] = [layer.tensor('z', 3), layer.tensor('sums', 3), call.f32('bias')];
    const { y, previous } = forward(layer, (r, t, u, recurrent, before) => {
      const column = (gate: number) => gate * layer.n + u;
      const s = indices(3).map((gate) => recurrent(gate) + bias[column(gate)]!) as [number, number, number];
      const update = sigmoid(z.at(r, t, column(0)) + s[0]);
      const reset = sigmoid(z.at(r, t, column(1)) + s[1]);
      const fresh = Math.tanh(z.at(r, t, column(2)) + reset * s[2]);
      [update, reset, fresh].forEach((x, gate) => void z.set(r, t, column(gate), exact(x), 1));
      sums.set(r, t, column(2), exact(s[2]), 1);
      return update * before + (1 - update) * fresh;
    });
    return expectedOf({ z, sums, y, previous });
  },

  gruBackward: (call) => {
    const layer = opened(call, 3);
    const [z, sums, previous] = [layer.tensor('z', 3), layer.tensor('sums', 3), layer.tensor('previous', 1)];
    const step = (r: number, done: number, u: number, fromOthers: Sized, carry: Sized) => {
      const t = layer.times[done]!;
      const column = (gate: number) => gate * layer.n + u;
      const [update, reset, fresh] = indices(3).map((gate) => z.at(r, t, column(gate))) as [
        number,
        number,
        number,
      ];
      const dh = plus(fromOthers, carry);
      const dUpdate = times(dh, plus(exact(previous.at(r, t, u)), exact(-fresh)), update * (1 - update));
      const dFresh = times(dh, [1 - update, 1 + update], 1 - fresh * fresh);
      const dReset = times(dFresh, sums.at(r, t, column(2)), reset * (1 - reset));
      const errors = [dUpdate, dReset, times(dFresh, reset)];
      [dUpdate, dReset, dFresh].forEach((x, gate) => void z.set(r, t, column(gate), x));
      errors.forEach((x, gate) => void sums.set(r, t, column(gate), x));
      return { errors, carry: times(dh, update) };
    };
    const { dStart, carry } = backward(layer, step, 3);
    for (const r of layer.rows)
      for (const u of layer.units)
        dStart?.set(r, 0, u, plus(dStart.sized(r, 0, u), carry?.sized(r, 0, u) ?? ZERO));
    clearPadding(layer, z, 3);
    clearPadding(layer, sums, 3);
    return expectedOf({ z, sums, dStart });
  },

  simpleRnnForward: (call) => {
    const layer = opened(call, 1);
    const z = layer.tensor('z', 1);
    const { y, previous } = forward(layer, (r, t, u, recurrent) => {
      const h = Math.tanh(z.at(r, t, u) + recurrent(0));
      z.set(r, t, u, exact(h), 1);
      return h;
    });
    return expectedOf({ z, y, previous });
  },

  simpleRnnBackward: (call) => {
    const layer = opened(call, 1);
    const z = layer.tensor('z', 1);
    const step = (r: number, done: number, u: number, dh: Sized) => {
      const t = layer.times[done]!;
      const h = z.at(r, t, u);
      const error = times(dh, 1 - h * h);
      z.set(r, t, u, error);
      return { errors: [error], carry: ZERO };
    };
    const { dStart } = backward(layer, step, 1);
    clearPadding(layer, z, 1);
    return expectedOf({ z, dStart });
  },
} as const satisfies Record<string, Reference>;
