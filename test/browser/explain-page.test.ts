import { describe, expect, it } from 'vitest';
import { SMALL_NETS } from '../../scripts/reports/explain/nets.js';
import { walkStep } from '../../scripts/reports/explain/walk.js';
import { fillPage } from '../../scripts/reports/page.js';
import { CHROMIUM, openPage } from './chromium.js';

const FOLDER = new URL('../../scripts/reports/explain/page/', import.meta.url);
if (CHROMIUM === undefined) process.stderr.write('no chromium here: the pages are not opened\n');

/** A number as the page writes it: four places or a power of ten, and a true minus. */
function written(value: number): string {
  const isPlain = value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e4);
  return (isPlain ? value.toFixed(4) : value.toExponential(2)).replaceAll('-', '−');
}

describe.skipIf(CHROMIUM === undefined)('the page of explain', () => {
  it.each(SMALL_NETS.map(({ name }) => name))('shows every stage of %s', async (name) => {
    const net = SMALL_NETS.find((candidate) => candidate.name === name)!;
    const walk = await walkStep(net, { seed: 0, learningRate: 0.5, step: 1, backend: 'wasm' });
    const page = await fillPage(FOLDER, walk);
    const stages = 2 * walk.layers.length + 2;
    const backward = walk.layers.length + 1;
    const [first, back, last] = await Promise.all(
      [0, backward, stages - 1].map((stage) => openPage(page, `#${stage}`)),
    );
    expect(first!.match(/<li><button/g)).toHaveLength(stages);
    const { neurons } = walk.layers[0]!;
    for (const { y } of neurons) expect(first).toContain(`${written(y)} y`);
    for (const { delta } of walk.layers.at(-1)!.neurons) expect(back).toContain(`: ${written(delta)} δ`);
    expect(back).toContain('data-kind="backward"');
    expect(last).toContain(written(neurons[0]!.newBias));
    for (const dom of [first, back, last]) expect(dom).not.toMatch(/NaN|undefined<|>undefined/);
  });
});
