import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { SMALL_NETS } from '../../scripts/reports/explain/nets.js';
import { walkStep } from '../../scripts/reports/explain/walk.js';
import { fillPage } from '../../scripts/reports/page.js';
import { isInstalled, launch, open } from '../support/browser.js';
import { temporaryFolder } from '../support/process.js';

const FOLDER = new URL('../../scripts/reports/explain/page/', import.meta.url);

/** A number as the page writes it: four places or a power of ten, and a true minus. */
function written(value: number): string {
  const isPlain = value === 0 || (Math.abs(value) >= 1e-4 && Math.abs(value) < 1e4);
  return (isPlain ? value.toFixed(4) : value.toExponential(2)).replaceAll('-', '−');
}

it.skipIf(!isInstalled('Chrome'))('the page of explain shows every stage of every network', async () => {
  const browser = await launch('Chrome');
  const folder = temporaryFolder();
  for (const net of SMALL_NETS) {
    const walk = await walkStep(net, { seed: 0, learningRate: 0.5, step: 1, backend: 'wasm' });
    const file = join(folder, `${net.name}.html`);
    writeFileSync(file, await fillPage(FOLDER, walk));
    const stages = 2 * walk.layers.length + 2;
    const backward = walk.layers.length + 1;
    const doms: string[] = [];
    for (const stage of [0, backward, stages - 1]) {
      const page = await open(browser, `${pathToFileURL(file).href}#${stage}`);
      await page.waitForSelector('#stage svg');
      doms.push(await page.content());
    }
    const [first, back, last] = doms as [string, string, string];
    expect(first.match(/<li><button/g), net.name).toHaveLength(stages);
    const { neurons } = walk.layers[0]!;
    for (const { y } of neurons) expect(first).toContain(`${written(y)} y`);
    for (const { delta } of walk.layers.at(-1)!.neurons) expect(back).toContain(`: ${written(delta)} δ`);
    expect(back).toContain('data-kind="backward"');
    expect(last).toContain(written(neurons[0]!.newBias));
    for (const dom of doms) expect(dom).not.toMatch(/NaN|undefined<|>undefined/);
  }
});
