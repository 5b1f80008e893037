import { describe, expect, it } from 'vitest';
import { geometryOf } from './image-geometry.js';
import {
  type PoolGeometry,
  referenceAveragePool,
  referenceAveragePoolBackward,
  referenceMaxPool,
  referenceMaxPoolBackward,
} from './reference-convolutions.js';
import { bitsOf, buildNames, Numbers, Workbench } from './workbench.js';

/** Shape [rows, height, width, channels], pool, stride, pad. */
const POOLS = [
  [
    [2, 4, 6, 5],
    [2, 2],
    [2, 2],
    [0, 0],
  ],
  [
    [2, 28, 28, 32],
    [2, 2],
    [2, 2],
    [0, 0],
  ],
  [
    [3, 5, 5, 17],
    [2, 2],
    [2, 2],
    [0, 0],
  ],
  [
    [1, 7, 6, 3],
    [3, 3],
    [2, 2],
    [1, 1],
  ],
  [
    [2, 5, 6, 40],
    [3, 2],
    [1, 1],
    [1, 0],
  ],
  [
    [1, 7, 7, 4],
    [2, 2],
    [3, 3],
    [0, 0],
  ],
  [
    [3, 4, 3, 20],
    [4, 3],
    [4, 3],
    [0, 0],
  ],
] as const;

function poolOf([shape, pool, stride, pad]: (typeof POOLS)[number]): PoolGeometry {
  const [rows, height, width, channels] = shape;
  const { outHeight, outWidth } = geometryOf([rows, height, width, channels, channels], pool, stride, pad);
  return {
    ...{ rows, height, width, channels, outHeight, outWidth, poolHeight: pool[0], poolWidth: pool[1] },
    ...{ strideY: stride[0], strideX: stride[1], padTop: pad[0], padLeft: pad[1] },
  };
}

for (const build of buildNames()) {
  describe(`on ${build}`, () => {
    it('pools equal the reference bit for bit, with ties and NaN', async () => {
      const bench = await Workbench.open(build);
      const numbers = new Numbers(6);
      for (const shape of POOLS) {
        const g = poolOf(shape);
        const name = JSON.stringify(shape);
        bench.clear();
        const x = numbers
          .floats(g.rows * g.height * g.width * g.channels, 4)
          .map((value, i) => (i % 97 === 96 ? Number.NaN : Math.round(value)));
        const dy = numbers.floats(g.rows * g.outHeight * g.outWidth * g.channels);
        const [atX, atDy] = [bench.put(x), bench.put(dy)];
        const [y, dx] = [bench.reserve(dy.length), bench.reserve(x.length)];
        bench.run('maxPoolForward', { x: atX, y, ...g });
        const top = bench.floats(y, dy.length);
        expect(bitsOf(top), name).toEqual(bitsOf(referenceMaxPool(x, g)));
        for (const activation of [0, 1] as const) {
          bench.run('maxPoolBackward', { x: atX, y, dy: atDy, dx, ...g, activation });
          expect(bitsOf(bench.floats(dx, x.length)), `${name} backward ${activation}`).toEqual(
            bitsOf(referenceMaxPoolBackward(x, top, dy, g, activation)),
          );
        }
        bench.run('averagePoolForward', { x: atX, y, ...g });
        expect(bitsOf(bench.floats(y, dy.length)), `${name} average`).toEqual(
          bitsOf(referenceAveragePool(x, g)),
        );
        bench.run('averagePoolBackward', { dy: atDy, dx, ...g });
        expect(bitsOf(bench.floats(dx, x.length)), `${name} average backward`).toEqual(
          bitsOf(referenceAveragePoolBackward(dy, g)),
        );
      }
    });
  });
}
