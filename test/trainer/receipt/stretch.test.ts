import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sessionResolver } from '../../../scripts/commands/session-resolver.js';
import { systemClock } from '../../../shared/actor/clock.js';
import { nodePlatform } from '../../../shared/engine/node-platform.js';
import type { SessionFacts } from '../../../shared/protocol/view-facts.js';
import type { Receipt } from '../../../trainer/receipt/receipt-format.js';
import { checkStretch, type StretchMaterial } from '../../../trainer/receipt/stretch.js';
import { needsState, type Stretch, stretchEnds } from '../../../trainer/receipt/stretch-ends.js';
import { TravelRun } from '../../../trainer/travel/travel-run.js';
import { TravelView } from '../../../trainer/travel/travel-view.js';
import { trainHere } from '../../support/in-process.js';
import { remakeRun } from '../../support/remade-run.js';

/*
 * A stretch of a run is computed again without coordinator, workers and files, as a tab does it. Forgeries of what it rests on
 * must be refused, each for the reason that it is made for.
 */
const ROOT = mkdtempSync(join(tmpdir(), 'unisum-stretch-'));
afterAll(() => rmSync(ROOT, { recursive: true }));

const IRIS = ['iris', '--workers', 1, '--steps', 24, '--evaluate-every', 6];
const SAVED = ['--checkpoint-every', 8, '--keep-checkpoints', 'all'];
const OTHER_HASH = '1'.repeat(64);

async function trainAt(name: string, words: readonly (string | number)[]): Promise<void> {
  const { problem, text } = await trainHere([...words, '--run-dir', join(ROOT, name)]);
  expect(problem, text).toBeUndefined();
}

async function view(name: string): Promise<TravelView> {
  const run = await TravelRun.open(join(ROOT, name), {
    resolve: sessionResolver({ recipe: undefined, data: undefined }, process.stderr),
    computers: { workers: 1, threads: 1, backend: 'wasm', clock: systemClock },
  });
  return new TravelView(run, 'wasm');
}

/** What the server of the page gives for a stretch. */
async function materialOf(view: TravelView, receipt: Receipt, stretch: Stretch): Promise<StretchMaterial> {
  const { from } = stretch;
  const facts = JSON.parse(JSON.stringify(view.session(from))) as SessionFacts;
  const given = (set: string, manifest: unknown): StretchMaterial['train'] => ({
    manifest,
    chunks: (manifest as { chunkHashes: string[] }).chunkHashes.map((_, i) => view.chunk(set, from, i)),
  });
  return {
    model: facts.model,
    train: given('train', facts.train),
    evaluated: given('evaluated', facts.evaluated),
    ...(needsState(receipt, stretch) && { state: await view.checkpoint(from) }),
  };
}

const computer = { threads: 1, backend: 'wasm', platform: nodePlatform(), onProgress: () => {} } as const;

async function check(view: TravelView, receipt: Receipt, stretch: Stretch) {
  return checkStretch(receipt, stretch, await materialOf(view, receipt, stretch), computer);
}

describe('a stretch of a receipt', () => {
  it.each([
    ['adam', ['--optimizer', 'adam']],
    ['a codec', ['--compress', 'int8', '--clip-norm', 0.5]],
    ['an average', ['--ema', 0.9]],
    ['a plateau', ['--schedule', 'reduceOnPlateau', '--lr', 0.5]],
    ['the best weights', ['--early-stopping', 2, '--lr', 0.3]],
    ['an epoch of unequal batches', ['--batch', 50]],
  ] as const)('is computed again with %s, from each state to each', async (name, words) => {
    const folder = name.replaceAll(' ', '-');
    await trainAt(folder, [...IRIS, ...SAVED, ...words]);
    const opened = await view(folder);
    const receipt = await opened.receipt();
    const { begins, ends } = stretchEnds(receipt);
    expect(begins.length).toBeGreaterThan(1);
    for (const from of begins)
      for (const to of ends.filter((end) => end > from)) {
        const { proven, notProven } = await check(opened, receipt, { from, to });
        expect(proven[0]).toContain(`steps ${from + 1} to ${to} of ${receipt.end.step} were computed again`);
        expect(notProven.join()).toContain('who computed what');
        if (from > 0) expect(notProven.join()).toContain(`how the state of step ${from} came about`);
      }
    await opened.close();
  });

  it('says what is proven and what is not, of a run that went on with another rate', async () => {
    await trainAt('resumed', [...IRIS, ...SAVED]);
    const { problem } = await trainHere(['--resume', join(ROOT, 'resumed'), '--lr', 0.001, '--steps', 32]);
    expect(problem).toBeUndefined();
    const opened = await view('resumed');
    const receipt = await opened.receipt();
    const all = await check(opened, receipt, { from: 0, to: 24 });
    expect(all.proven).toEqual([
      'steps 1 to 24 of 32 were computed again from the weights that the seed 0 gives',
      'the network and the data that were used have the hashes that the receipt names',
      expect.stringMatching(/^\d states? on the way, weights and all else, have the SHA-256/),
      'the losses and what they count in 4 evaluations are as in the receipt',
    ]);
    expect(all.notProven).toContain('steps 25 to 32: they were not computed');
    expect(all.notProven).toContain('the final weights');
    const last = await check(opened, receipt, { from: 24, to: 32 });
    expect(last.proven).toContain('the final weights have the SHA-256 that the receipt names');
    await expect(check(opened, receipt, { from: 0, to: 32 })).rejects.toThrow(
      'the settings of the run change after step 24; choose a stretch that ends or begins there',
    );
    await opened.close();
  });

  describe('that is forged', () => {
    let opened: TravelView;
    let receipt: Receipt;
    beforeAll(async () => {
      await trainAt('trained', IRIS);
      await remakeRun(join(ROOT, 'trained'), join(ROOT, 'run'), [0, 8, 16, 24]);
      opened = await view('run');
      receipt = await opened.receipt();
    });
    afterAll(() => opened.close());

    const at = (step: number) => (copy: Receipt) => copy.states.find((state) => state.step === step);
    it.each([
      [
        'a state',
        { from: 0, to: 8 },
        (copy: Receipt) => Object.assign(at(8)(copy)!, { sha256: OTHER_HASH }),
        /differs at step 8: its state has/,
      ],
      [
        'weights',
        { from: 0, to: 8 },
        (copy: Receipt) => Object.assign(at(8)(copy)!, { weightsSha256: OTHER_HASH }),
        /differs at step 8: its weights have/,
      ],
      [
        'the state that it begins with',
        { from: 8, to: 16 },
        (copy: Receipt) => Object.assign(at(8)(copy)!, { sha256: OTHER_HASH }),
        /the state of step 8 that was given is not the one/,
      ],
      [
        'an evaluation',
        { from: 0, to: 8 },
        (copy: Receipt) => Object.assign(copy.evaluations[0]!.metrics, { testLoss: 0.5 }),
        /differs at step 6: the testLoss of its evaluation/,
      ],
      [
        'an evaluation that is left out',
        { from: 0, to: 8 },
        (copy: Receipt) => copy.evaluations.shift(),
        /differs at step 6: the receipt lacks the evaluation/,
      ],
      [
        'the rate',
        { from: 0, to: 8 },
        (copy: Receipt) => Object.assign(copy.sessions[0]!.settings, { learningRate: 0.25 }),
        /differs at step 6|differs at step 8/,
      ],
      [
        'the network',
        { from: 0, to: 8 },
        (copy: Receipt) => Object.assign(copy.sessions[0]!.settings, { model: OTHER_HASH }),
        /what was given is not what the receipt names: model/,
      ],
      [
        'the data',
        { from: 0, to: 8 },
        (copy: Receipt) => Object.assign(copy.sessions[0]!.settings, { data: OTHER_HASH }),
        /what was given is not what the receipt names: data/,
      ],
      [
        'the test data',
        { from: 0, to: 8 },
        (copy: Receipt) => Object.assign(copy.sessions[0]!, { testData: OTHER_HASH }),
        /the test data that were given are not those/,
      ],
      [
        'the end',
        { from: 16, to: 24 },
        (copy: Receipt) => Object.assign(copy.end, { weightsSha256: OTHER_HASH }),
        /differs at step 24: the final weights have/,
      ],
      [
        'settings that make no run',
        { from: 0, to: 8 },
        (copy: Receipt) => Object.assign(copy.sessions[0]!.settings, { batch: 'many' }),
        /the settings of the receipt make no run/,
      ],
    ])('is refused for %s', async (_, stretch, alter, why) => {
      const copy = structuredClone(receipt);
      alter(copy);
      await expect(check(opened, copy, stretch)).rejects.toThrow(why);
    });

    it('believes nothing of who gives the data and the state', async () => {
      const stretch = { from: 8, to: 16 };
      const material = await materialOf(opened, receipt, stretch);
      const [chunk] = material.train.chunks;
      const flipped = Uint8Array.from(chunk as Uint8Array);
      flipped[3] = (flipped[3] as number) ^ 1;
      await expect(
        checkStretch(
          receipt,
          stretch,
          { ...material, train: { ...material.train, chunks: [flipped] } },
          computer,
        ),
      ).rejects.toThrow('the training data are not those of their manifest: chunk 0 has another hash');
      const state = Uint8Array.from(material.state as Uint8Array);
      state[state.length - 1] = (state.at(-1) as number) ^ 1;
      await expect(checkStretch(receipt, stretch, { ...material, state }, computer)).rejects.toThrow(
        /the state of step 8 is damaged/,
      );
      const other = await opened.checkpoint(16);
      await expect(checkStretch(receipt, stretch, { ...material, state: other }, computer)).rejects.toThrow(
        /the state of step 8 that was given is not the one/,
      );
    });
  });
});
